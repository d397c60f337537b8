#ifndef GATEWAY_CTL_CONFORM_H
#define GATEWAY_CTL_CONFORM_H

#include "gateway/crypto/sign.h"
#include "gateway/crypto/x25519.h"
#include "gateway/ctl/env.h"
#include "gateway/ctl/port.h"
#include "gateway/evidence/link.h"
#include "gateway/seal/hpke.h"
#include "gateway/token/grant.h"
#include "gateway/trust/trust.h"
#include "lianban/v1/adapter.pb-c.h"

/*
 * The conformance kit: an adapter is tried out by the broker, window and consent office of a
 * rehearsal, whose keys all stand in one folder (packaging/conformance/prepare.sh makes it, and
 * the adapter's configuration with it):
 *
 *   directory.note, directory.vkey; pki/{ca.pem, ca-key.pem, crl.pem}
 *   broker/{cert.pem, key.pem, ca.pem, log.pem}      revoked/{cert.pem, key.pem}
 *   window/{cert.pem, key.pem, ca.pem, seal.key, issuer.pem}
 *   other/seal.key                                   a listed window that the policy does not name
 *   office/issuer.pem, stranger/issuer.pem           issuers; the policy names the first
 *   state/                                           the kit's own: its broker's log
 *
 * Everything it leaves at the adapter is about the views `<department>.conformance` and
 * `<department>.conformance-few`, whose query has no table, and in cases that begin with
 * "conformance-".
 */
#define LB_CTL_KIT_FEDERATION "spiffe://conformance.test/"
#define LB_CTL_KIT_BROKER_ID LB_CTL_KIT_FEDERATION "broker/kit-broker"
#define LB_CTL_KIT_WINDOW_ID LB_CTL_KIT_FEDERATION "window/kit-window"
#define LB_CTL_KIT_OTHER_ID LB_CTL_KIT_FEDERATION "window/kit-other"
#define LB_CTL_KIT_STATUS_URI "https://conformance.test/status/1"
#define LB_CTL_KIT_STATES 64

struct lb_ctl_kit {
    struct lb_ctl_env *env;
    struct lb_arena *arena;        /* for the whole run */
    struct lb_arena *check_arena;  /* for one check */
    struct lb_diag diag;
    const char *folder;
    const char *address;
    const char *adapter;           /* SPIFFE id */
    const char *department;
    const char *view;              /* "<department>.conformance" */
    const char *few_view;          /* the one with a small budget */
    const char *case_id;
    const char *person;            /* the operator, new in each run */
    struct lb_trust *trust;
    struct lb_sign_key *log_key, *window_key, *office_key, *stranger_key;
    struct lb_x25519_key window_seal, other_seal;
    struct lb_log *log;            /* the broker's */
    struct lb_ctl_kit_port port;
    uint8_t form_sha256[32];
    const struct lb_seal_key_entry *seal_key;  /* the adapter's; in `directory` */
    struct lb_directory *directory;
    struct lb_watch watch;         /* of the adapter's log, since the run began */
    uint64_t num_entries;          /* of the adapter's, that came with what it said */
    uint64_t status_seq;
    uint8_t states[LB_CTL_KIT_STATES];
};

/* One read in the making: honest at first; a check spoils a part. */
struct lb_ctl_kit_ask {
    const char *id_no, *name;      /* whom the seal is about */
    const char *granted_id;        /* whom the grant is about */
    struct lb_grant grant;
    struct lb_section section;
    const struct lb_sign_key *grant_key;
    const struct lb_x25519_key *sender, *bound_to;  /* who seals, and for whom the grant is */
    const char *requester, *audience;
    const char *views[2];          /* announced; NULL-terminated */
    const char *want_view, *field, *operator_name, *claim;
    const char *args[2];           /* of the operator: both, or NULL */
    const char *more_field;        /* a second want; NULL */
    const char *more_operator;
    const char *operator_org, *operator_kid, *operator_person;
    const struct lb_sign_key *operator_key;
    int64_t operator_life_s, sealed_age_s, deadline_ms;
    const char *key_id;
    const uint8_t *seal_to;
    uint64_t seq, sealed_seq;      /* told, and sealed under */
    bool other_txn, other_context, cut, no_wants;
    uint8_t rid[16], txn[16], salt[16];
    struct lb_span jwt, disclosure; /* given, or made by the first build and then kept */
};

#define LB_CTL_KIT_MAX_WANTS 2

struct lb_ctl_kit_read {
    Lianban__V1__ReadRequest *request;
    size_t num_wants;
    const char *view, *fields[LB_CTL_KIT_MAX_WANTS];  /* what was asked, in its order */
    struct lb_span ciphertext;
    struct lb_hpke_context context;
    uint64_t seq;
};

/* What came of a read. */
struct lb_ctl_kit_answer {
    const char *outer;             /* the adapter's code, or the call's */
    const char *inner;             /* of the sealed answer; "" when there is none to open */
    const Lianban__V1__Fact *fact; /* the first; NULL when there is none */
    struct lb_span sealed;
    struct lb_leaf leaf;           /* the adapter's entry */
};

/* lb_ctl_kit_ask_mandate and _consent fill an honest ask under a grant of its own. */
LB_MUST lb_status lb_ctl_kit_ask_mandate(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask);
LB_MUST lb_status lb_ctl_kit_ask_consent(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask);
/* lb_ctl_kit_anew gives an ask another txn and rid. */
LB_MUST lb_status lb_ctl_kit_anew(struct lb_ctl_kit_ask *ask);
/* lb_ctl_kit_build seals it. */
LB_MUST lb_status lb_ctl_kit_build(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask,
                                   struct lb_ctl_kit_read *out);
/* lb_ctl_kit_send writes a ROUTE entry into the broker's log, sends both and checks the receipt:
 * the entry of every answer and refusal must be there, hold, and name what was sent and the ROUTE
 * entry. An answer must have one fact for each thing asked, in that order, and no other; a refusal
 * has none. Only what is no request, or too large for one, may be refused without an entry.
 * RECEIPT_INVALID, with what is wrong as the status's text. */
LB_MUST lb_status lb_ctl_kit_send(struct lb_ctl_kit *kit, const struct lb_ctl_kit_read *read,
                                  struct lb_ctl_kit_answer *out);
/* lb_ctl_kit_try builds and sends. */
LB_MUST lb_status lb_ctl_kit_try(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask,
                                 struct lb_ctl_kit_answer *out);
/* lb_ctl_kit_route makes a ROUTE entry about a read and the message that carries both. */
LB_MUST lb_status lb_ctl_kit_route(struct lb_ctl_kit *kit, const struct lb_ctl_kit_read *read,
                                   Lianban__V1__RoutedReadRequest **out,
                                   struct lb_hash *out_leaf);
/* lb_ctl_kit_call sends a message to a method; the code's name, "OK" for a reply. */
const char *lb_ctl_kit_call(struct lb_ctl_kit *kit, enum lb_ctl_kit_member as, const char *method,
                            const void *message, struct lb_span *out_reply);

/* lb_ctl_kit_open reads the folder and connects; lb_ctl_kit_close ends all. Statuses of what is
 * opened, with a sentence in diag. */
LB_MUST lb_status lb_ctl_kit_open(struct lb_ctl_kit *kit);
void lb_ctl_kit_close(struct lb_ctl_kit *kit);
/* lb_ctl_kit_file reads one of its files into the check's arena. FILE_FAILED. */
LB_MUST lb_status lb_ctl_kit_file(struct lb_ctl_kit *kit, const char *name, struct lb_span *out);

/* A check: what is sent, and what has to come. Each can be run by itself. */
struct lb_ctl_check {
    const char *id;
    const char *en, *zh;
    const char *expected;          /* a code, an inner one behind '/'; or a word of its own */
    /* One of three: what is spoiled of an honest read; the whole check; or a method that the
     * window calls with an empty message, or the broker. */
    lb_status (*spoil)(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask);
    lb_status (*run)(struct lb_ctl_kit *kit, const char **out_found);
    const char *method;
    bool consent;                  /* the read is under a consent, not a mandate */
    bool as_broker;                /* the method is called by it */
};

/* The tables, in the order of a run; each ends with an id of NULL. */
extern const struct lb_ctl_check lb_ctl_checks_tls[];
extern const struct lb_ctl_check lb_ctl_checks_calls[];
extern const struct lb_ctl_check lb_ctl_checks_grants[];
extern const struct lb_ctl_check lb_ctl_checks_seals[];
extern const struct lb_ctl_check lb_ctl_checks_status[];
extern const struct lb_ctl_check lb_ctl_checks_uses[];
extern const struct lb_ctl_check lb_ctl_checks_log[];

#endif
