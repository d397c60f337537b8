#ifndef ADAPTERS_SERVE_FIXTURE_H
#define ADAPTERS_SERVE_FIXTURE_H

#include "adapters/serve/serve.h"
#include "gateway/seal/exchange.h"
#include "gateway/token/grant.h"
#include "tests/support/federation.h"

/* For tests: one department with a database, its policy, a consent office, an honest requester, and
 * a second requester and office that the policy does not name. Real keys, real log, real time. */

#define FX_ADAPTER "spiffe://test.gov/adapter/tax"
#define FX_FINANCE "spiffe://test.gov/adapter/finance"
#define FX_BROKER "spiffe://test.gov/broker/hub"
#define FX_WINDOW "spiffe://test.gov/window/street-office"
#define FX_OTHER_WINDOW "spiffe://test.gov/window/other-office"
#define FX_STATUS_URI "https://hall.test.gov/status/1"

#define FX_WORKERS 3

#define FX_ADULT "99010119800101201X"
#define FX_OLD_ADULT "990101800101201"  /* the same as before 1999 */
#define FX_OTHER_ADULT "990101197507155515"
#define FX_ELDER "990101195505053014" /* has no wages */
#define FX_CHILD "990101202001017039"

struct fixture {
    struct federation fed;
    struct lb_arena *arena;  /* the federation's */
    struct fed_party adapter, finance, broker, window, other, hall, stranger;
    struct lb_x25519_key officer;
    struct lb_log *log;
    struct lb_workers *workers;
    struct lb_serve_policy *policy;
    struct lb_seal_ring *ring; /* s1, and the same as s2, which the directory does not list */
    struct lb_seal_ring *share_ring; /* m1, and m0, which was before it */
    uint8_t pseudonym_key[32];
    int64_t keep_details_s;  /* before an erasure; 0 unless a test wants otherwise */
    int64_t recovered_unix_s;  /* of the next start; likewise */
    struct lb_serve_secrets secrets;
    uint8_t form_sha256[32];
    struct lb_serve *serve;
    const struct lb_source_plugin *plugin;
    const char *database;    /* its location */
    uint64_t num_starts;
};

/* fx_setup makes it all, with an SQLite database; fx_setup_with with another way to read that. */
void fx_setup(struct fixture *fx);
void fx_setup_with(struct fixture *fx, const struct lb_source_plugin *plugin);
void fx_teardown(struct fixture *fx);
/* fx_restart stops the adapter and its log and starts them again on the same state. Status lists
 * are gone then. */
void fx_restart(struct fixture *fx);
/* fx_start_again stops the department and starts it from what is on disk, its policy included. */
void fx_start_again(struct fixture *fx);
/* fx_execute changes the department's database. */
void fx_execute(struct fixture *fx, const char *sql);
/* fx_policy_text is the policy as the department has it: wages of twelve months and what finance
 * pays are added up in the slot income12. */
const char *fx_policy_text(struct fixture *fx);
/* fx_policy_of is a policy with other views, files in a list of YAML; both windows may ask. */
const char *fx_policy_of(struct fixture *fx, const char *views);

/* A further want, about the same view. */
struct fx_want {
    const char *field;
    const char *operator_name;
    const char *arg;            /* NULL for none; two are joined by a comma */
    const char *claim;          /* NULL for none */
};

#define FX_SALT "sixteen byte slt"
#define FX_MAX_WANTS 64
/* A view of 4,000 rows of FX_ADULT, with a name as long as they may be, granted for SUM(1) to
 * SUM(FX_NUM_SUMS) of the field `total`. */
#define FX_DEPOSITS "tax.deposits-of-all-banks-of-the-county-and-its-towns-since-1949"
#define FX_NUM_SUMS 60
/* A view of one row: `person` under PSEUDO, `number` under TOKEN(30), `bank` left out. */
#define FX_ACCOUNT "tax.account"
#define FX_ACCOUNT_NUMBER "6222 0212 3456 7890 123"

/* One read in the making: an honest one by default; a test spoils a part before fx_build. */
struct fx_ask {
    const char *id_no;          /* whom the sealed request is about */
    const char *name;
    const char *granted_id;     /* whom the grant is about */
    struct lb_grant grant;
    struct lb_section section;
    const struct lb_sign_key *grant_key;
    const struct fed_party *sender;
    const char *requester;      /* SPIFFE id */
    const char *audience;
    const char *views[3];       /* NULL-terminated */
    const char *field;
    const char *operator_name;
    const char *arg;            /* NULL for none */
    const char *claim;          /* NULL for none */
    const char *person;         /* the operator of the token */
    const struct fx_want *more; /* further wants */
    size_t num_more;
    const char *operator_org;
    const char *operator_kid;
    const struct lb_sign_key *operator_key;
    int64_t operator_life_s;
    struct lb_span token;       /* empty: made of what stands above */
    int64_t sealed_age_s;
    int64_t deadline_ms;        /* from now */
    const char *key_id;
    uint64_t seq;
    uint8_t rid[16];
    uint8_t txn[16];
    uint8_t salt[16];           /* of the commitment to granted_id; FX_SALT by default */
    Lianban__V1__ShareRun *share; /* NULL for none */
    bool crossed;               /* bound to a key of the other kind than its section wants */
    struct lb_span jwt;         /* the grant, once made; an ask built again is under the same */
    struct lb_span disclosure;
};

/* fx_ask_honest fills an ask for wages under a mandate, fx_ask_consent for business under
 * consent. */
void fx_ask_honest(struct fixture *fx, struct fx_ask *ask);
void fx_ask_consent(struct fixture *fx, struct fx_ask *ask);

/* fx_ask_share fills an ask for the share of the same wages under a mandate; the run is the
 * caller's to name. */
void fx_ask_share(struct fixture *fx, struct fx_ask *ask);
/* What fx_build made, with what is needed to open the answer. Its views are the ask's. */
struct fx_built {
    Lianban__V1__ReadRequest *request;
    struct lb_hpke_context context;
    struct lb_span ciphertext;
    uint64_t seq;
};
/* fx_operator_token makes the token of an ask, for one that is used many times. */
struct lb_span fx_operator_token(struct fixture *fx, const struct fx_ask *ask);
void fx_build(struct fixture *fx, struct fx_ask *ask, struct fx_built *out);

/* fx_send hands it to the adapter and returns the answer's outer code. */
enum lb_code fx_send(struct fixture *fx, const struct fx_built *built,
                     struct lb_serve_answer *out_answer);
/* fx_ask_again sends another message under the same grant; fx_leaf reads an entry of the log. */
enum lb_code fx_ask_again(struct fixture *fx, struct fx_ask *ask);
struct lb_leaf fx_leaf(struct fixture *fx, uint64_t index);
/* fx_erase has two officers erase a person. */
void fx_erase(struct fixture *fx, const char *id_no);
/* fx_send_all hands in many at once, and waits for all. */
void fx_send_all(struct fixture *fx, const struct fx_built *built, size_t num,
                 struct lb_serve_answer *out_answers);
/* fx_detail is what the officer reads of an entry. */
const char *fx_detail(struct fixture *fx, uint64_t index);
/* fx_open opens a sealed answer. */
Lianban__V1__SealedAnswer *fx_open(struct fixture *fx, const struct fx_built *built,
                                   const struct lb_serve_answer *answer);
/* fx_list signs a status list made age_s ago whose index 7 has the given state. */
struct lb_span fx_list(struct fixture *fx, uint64_t seq, uint8_t state, int64_t life_s,
                       int64_t age_s);
/* fx_status puts a status list in force whose index 7 has the given state. */
lb_status fx_status(struct fixture *fx, uint64_t seq, uint8_t state, int64_t life_s);

#endif
