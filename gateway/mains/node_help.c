#include "gateway/mains/node_help.h"

#include <stdio.h>

#include "gateway/evidence/session.h"
#include "gateway/mains/version.h"

static const char common_keys[] =
    "  node: SPIFFE id                     spiffe://<federation>/<kind>/<organization>[/<name>]\n"
    "  listen: HOST:PORT                   or unix:PATH: a window agent, an adapter with attach\n"
    "  identity: {cert: FILE, key: FILE, ca: FILE}  the node's certificate (`lianban pki issue`)\n"
    "  crl: FILE                           the CA's list of revoked certificates\n"
    "  directory: {file: FILE, signers: [VERIFIER KEY]}  the list of members, and who signs it\n"
    "  state: FOLDER                       evidence log and memory; of this process alone, 0700\n"
    "  log_key: FILE                       Ed25519, signs the log (`lianban keys log`)\n"
    "  next_log_key: FILE                  the one after it; once it is there, both sign\n"
    "  officer_key: KEY                    X25519 in base64url: who opens details; or\n"
    "  officer_key_file: FILE              the same in a file that may be replaced\n"
    "  disk: {alert_mb: N, stop_mb: N, reserve_mb: N}  free space; usually 1024, 128 and 8\n"
    "  reconcile: {every_minutes: N}       compare logs with the other side; 0: never by itself\n"
    "  witness, witnessed_by               cosigning logs, see docs/EVIDENCE.md\n"
    "  metrics: 127.0.0.1:PORT             figures for Prometheus, on this machine only\n";

void lb_node_print_version(const struct lb_node_role *role)
{
    (void)printf("%s %s\nprotocol lianban.v1, links %d to %d\n", role->program, LB_VERSION,
                 LB_LINK_VERSION_MIN, LB_LINK_VERSION_MAX);
    if (role->keeps_log)
        (void)printf("evidence store schema %zu\n", lb_log_schema(role->migrations));
}

void lb_node_print_help(const struct lb_node_role *role)
{
    (void)printf("%s: %s\n\n"
                 "usage: %s --config FILE [--check | --init]\n\n"
                 "  --config FILE  the node's configuration (YAML)\n"
                 "  --init         begin a new evidence log where there is none; for a node's\n"
                 "                 very first start only: a log that begins anew is a fork\n"
                 "  --check        read and check everything, start nothing\n"
                 "  --version      print the versions of program, protocol and store\n"
                 "  --help         this text\n\n"
                 "configuration keys of every node; paths are relative to the file:\n%s\n"
                 "configuration keys of this one:\n%s\n"
                 "example: %s --config /etc/lianban/node.yaml --check\n"
                 "exit status: 0 stopped cleanly, 1 refused with a sentence, 2 wrong usage\n",
                 role->program, role->summary, role->program, common_keys, role->keys_help,
                 role->program);
}
