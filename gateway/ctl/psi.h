#ifndef GATEWAY_CTL_PSI_H
#define GATEWAY_CTL_PSI_H

#include "gateway/ctl/node.h"
#include "gateway/psi/message.h"
#include "gateway/store/store.h"

/*
 * Inside gateway/ctl: `lianban psi`, two departments' lists compared (docs/DUPLICATES.md). Each
 * runs it at its own adapter's machine, over files.
 *
 * A department's own file (YAML; paths relative to it):
 *
 *   adapter: node.yaml       # the adapter's configuration: source, keys, directory
 *   state: psi               # what was compared before; a folder of 0700
 *   agreements:
 *     - agreement: aid-and-job-help       # all of it but own_list is the same on both sides
 *       mode: list                        # who is on both; count: how many
 *       purpose: recheck
 *       law: ...
 *       mandate: ...                      # list only: who ordered it, and under what number
 *       k: 10                             # count only: a smaller one is not told
 *       every_days: 30                    # between two runs
 *       asker: {spiffe: ..., log: "<vkey>", list: civil-affairs.aid, column: id_no, sha256: ...}
 *       answerer: {the same}
 *       own_list: lists/aid.yaml          # the file whose hash stands above
 *
 * A list's file: `list`, `query` (a SELECT without parameters), `column` (identity numbers), `row`
 * (a column with the department's own reference to the record).
 */
#define LB_CTL_PSI_MAX_AGREEMENTS 64
#define LB_CTL_PSI_ARENA_BYTES (256U * 1024 * 1024)

struct lb_ctl_psi_party {
    const char *spiffe;
    const char *vkey;
    const char *origin;          /* the log's name and key */
    uint8_t log_key[32];
    const char *list;
    const char *column;
    const char *list_sha256;     /* hex */
};

struct lb_ctl_psi_agreement {
    const char *name;
    enum lb_psi_mode mode;
    const char *purpose, *law, *mandate;
    int64_t k, every_days;
    struct lb_ctl_psi_party asker, answerer;
    const char *own_list;        /* path */
    bool asks;                   /* this department is the asker */
    const char *text;            /* what both have agreed on, as its hash covers it */
    uint8_t sha256[32];
};

/* The people of a list, sorted, each once. */
struct lb_ctl_psi_list {
    size_t num;
    struct lb_span *people;      /* 18 characters each */
    struct lb_span *rows;        /* of each: the references of its records, one a line */
    size_t num_invalid;          /* records left out, whose number is none */
    struct lb_span joined;       /* all numbers, one behind the other */
};

/* A run that was begun. */
struct lb_ctl_psi_run {
    uint8_t run[LB_PSI_RUN_BYTES];
    const char *agreement;
    const char *peer;
    bool asks;
    uint8_t version[32];         /* which list it was, by a key that never leaves */
    uint8_t salt[32];            /* of the commitment to it */
    uint8_t offer[32];           /* answerer: what was answered */
    uint8_t seed[LB_PSI_SEED_BYTES];
    int64_t started_unix_s;
    bool ended;
    bool again;                  /* it stands in the memory */
    struct lb_span rows;         /* asker: the references of each point, field16 each */
};

/* One command at work. */
struct lb_ctl_psi {
    struct lb_ctl_node node;
    const char *config_path;
    const char *officer_path;
    const char *name;            /* of the agreement */
    const char *in, *out;
    const char *reason;
    struct lb_arena *arena;
    const char *state;
    size_t num;
    struct lb_ctl_psi_agreement *agreements;
    const struct lb_ctl_psi_agreement *agreement;
    struct lb_store *runs;
    struct lb_p256 *p256;
    int lock;
};

/* lb_ctl_psi_config reads the department's file and opens its node. CONFIG_INVALID, FILE_FAILED and
 * what lb_ctl_node_open says, with a sentence in diag. */
LB_MUST lb_status lb_ctl_psi_config(struct lb_ctl_psi *psi);
/* lb_ctl_psi_own and _peer are the two parties as this department sees them. */
const struct lb_ctl_psi_party *lb_ctl_psi_own(const struct lb_ctl_psi *psi);
const struct lb_ctl_psi_party *lb_ctl_psi_peer(const struct lb_ctl_psi *psi);

/* lb_ctl_psi_list_read reads the own list from the department's database. CONFIG_INVALID when the
 * file is not the agreed one or its query not a list's; the source's statuses; TOO_LARGE. */
LB_MUST lb_status lb_ctl_psi_list_read(struct lb_ctl_psi *psi, struct lb_ctl_psi_list *out);
/* lb_ctl_psi_list_commit is what the other side is told of a list: nothing but that it was this. */
void lb_ctl_psi_list_commit(const struct lb_ctl_psi_list *list, const uint8_t salt[32],
                            uint8_t out[LB_PSI_COMMITMENT_BYTES]);

/* The memory of runs. _open makes the folder and holds it alone (STATE_LOCKED). */
LB_MUST lb_status lb_ctl_psi_runs_open(struct lb_ctl_psi *psi);
/* _admit gives the run for this list, or a new one that is not kept yet. The asker gives an empty
 * `run`; the answerer what it was offered. PSI_REPEATED when this list was compared with that
 * department before, when it was too lately, or when the run is known with other content. */
LB_MUST lb_status lb_ctl_psi_runs_admit(struct lb_ctl_psi *psi, const struct lb_ctl_psi_list *list,
                                        struct lb_ctl_psi_run *run);
/* _keep puts a new run into the memory. */
LB_MUST lb_status lb_ctl_psi_runs_keep(struct lb_ctl_psi *psi, const struct lb_ctl_psi_run *run);
/* _find gives a run of this department's own. ABSENT, PSI_REPEATED for one that has ended. */
LB_MUST lb_status lb_ctl_psi_runs_find(struct lb_ctl_psi *psi,
                                       const uint8_t id[LB_PSI_RUN_BYTES],
                                       struct lb_ctl_psi_run *out);
/* _end forgets all secrets of a run. */
LB_MUST lb_status lb_ctl_psi_runs_end(struct lb_ctl_psi *psi, const uint8_t id[LB_PSI_RUN_BYTES]);
/* _each tells of every run, oldest first. */
LB_MUST lb_status lb_ctl_psi_runs_each(struct lb_ctl_psi *psi,
                                       lb_status (*tell)(void *arg,
                                                         const struct lb_ctl_psi_run *run),
                                       void *arg);

/* lb_ctl_psi_query is the line that an entry commits to, and by which the other side checks it. */
const char *lb_ctl_psi_query(struct lb_arena *arena, const struct lb_ctl_psi_agreement *agreement,
                             const uint8_t run[LB_PSI_RUN_BYTES],
                             const uint8_t list[LB_PSI_COMMITMENT_BYTES], size_t size);
/* lb_ctl_psi_record makes the step an entry of the own log before it happens. REVIEW_UNRECORDED. */
LB_MUST lb_status lb_ctl_psi_record(struct lb_ctl_psi *psi, const char *kind, const char *query,
                                    struct lb_psi_evidence *out);
/* lb_ctl_psi_evidence_check holds an entry against the log of whom it is said to be of.
 * RECEIPT_INVALID. */
LB_MUST lb_status lb_ctl_psi_evidence_check(const struct lb_ctl_psi_party *party, const char *kind,
                                            const char *query,
                                            const struct lb_psi_evidence *evidence,
                                            struct lb_arena *arena);

/* lb_ctl_psi_file_put seals, signs and writes a file for the other side. `key_id` is "" for an
 * answer. */
LB_MUST lb_status lb_ctl_psi_file_put(struct lb_ctl_psi *psi, struct lb_psi_file *file,
                                      const uint8_t recipient[32], struct lb_span plain);
/* lb_ctl_psi_file_get reads the other side's file, finds its agreement among the own ones and
 * checks the signature: PSI_AGREEMENT, SIGNATURE_INVALID. */
LB_MUST lb_status lb_ctl_psi_file_get(struct lb_ctl_psi *psi, enum lb_psi_kind kind,
                                      struct lb_psi_file *out);
/* lb_ctl_psi_file_open opens it with a key. SEAL_BROKEN. */
LB_MUST lb_status lb_ctl_psi_file_open(const struct lb_ctl_psi *psi,
                                       const struct lb_psi_file *file,
                                       const struct lb_x25519_key *key, struct lb_span *out);
/* lb_ctl_psi_own_key loads the own sealing key of an id. KEY_RETIRED. */
LB_MUST lb_status lb_ctl_psi_own_key(struct lb_ctl_psi *psi, const char *id,
                                     struct lb_x25519_key *out);

/* The words. */
int lb_ctl_psi_offer(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_psi_answer(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_psi_finish(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_psi_show(struct lb_ctl_env *env, int argc, char **argv);

/* lb_ctl_psi_open does what comes before every step; lb_ctl_psi_close tells a failure, releases all
 * and returns the exit code. */
LB_MUST lb_status lb_ctl_psi_open(struct lb_ctl_psi *psi);
int lb_ctl_psi_close(struct lb_ctl_psi *psi, lb_status status);

#endif
