#ifndef GATEWAY_WINDOW_FIXTURE_H
#define GATEWAY_WINDOW_FIXTURE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/evidence/link.h"
#include "gateway/seal/hpke.h"
#include "gateway/window/casework.h"
#include "gateway/window/window.h"
#include "lianban/v1/broker.pb-c.h"

/*
 * For tests: a window agent, and behind its port a consent office, a broker and three departments
 * in one process. They are doubles, but what they sign, seal, log and prove is real; each can be
 * told to misbehave.
 */

#define FX_NOW INT64_C(1800000000) /* 2027-01-15 */
#define FX_WINDOW "spiffe://example.gov/window/street-office/one"
#define FX_BROKER "spiffe://example.gov/broker/hub"
#define FX_SECOND "spiffe://example.gov/broker/hub/2"
#define FX_BROKERS 2
#define FX_OFFICE_KID "hall-1"
#define FX_STREET_KID "street-1"
#define FX_DEPARTMENTS 3 /* of the usual form */
#define FX_ADAPTERS 4
#define FX_MAX_TICKETS 16
#define FX_MAX_ASKED 64

enum fx_department { FX_POLICE, FX_TAX, FX_DISABLED, FX_FINANCE };

/* What a department was asked, in order. */
struct fx_asked {
    char id_no[19];
    uint8_t rid[16];
    uint8_t txn[16];
    uint8_t enc[32];
    uint64_t seq;
    size_t num_wants;
    uint8_t run[16];            /* nonce of the blind sum; zeros for none */
};

struct fixture;
struct fx_listener;
struct tampering;  /* a test's own */

struct fx_adapter {
    const char *organization;
    char spiffe[64];
    struct lb_sign_key *log_key;
    struct lb_x25519_key seal_key;
    struct lb_log *log;
    size_t num_asked;
    struct fx_asked asked[FX_MAX_ASKED];
    /* behaviour */
    bool down;                  /* the broker cannot reach it */
    bool silent;                /* no event comes at all */
    const char *refuse;         /* outer code of every read; NULL for none */
    size_t refuse_times;        /* of how many reads, SIZE_MAX for all */
    const char *inner;          /* inner code; NULL for OK */
    /* changes a fact on its way out; NULL for none */
    void (*change)(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena);
    uint8_t share_key;          /* another one makes another set of a blind sum */
    int64_t share_value;        /* what it adds */
    bool seal_other;            /* seals under a key the requester does not have */
    bool wrong_link;            /* its entry points at no entry of the broker's */
};

/* How one of the brokers behaves. */
struct fx_hub {
    size_t num_asked;           /* collects that reached it */
    bool dead;                  /* none does */
    bool cut;                   /* it dies after so many events; the departments have answered */
    size_t cut_after;
    unsigned unlinked;          /* departments it has no link to, a bit for each */
    size_t leaving;             /* they took leave, and are back after so many collects */
    size_t dead_for;            /* nothing reaches it for so many collects */
    enum lb_code refuses;       /* the whole collect; LB_CODE_OK for none */
    size_t full_for;            /* so many collects are told to come again */
    int64_t later_ms;           /* after that time */
    bool lends_log;             /* shows the other's log instead of its own */
    bool well;                  /* when probed */
    size_t num_probes;
    const char *post_says;      /* to every parcel, instead of HELD; NULL for none */
    const char *post_away;      /* the departments are away, it says; NULL for there */
};

/* A parcel as a broker got it, each time. */
struct fx_posted {
    size_t broker;
    uint8_t name[16];
    int64_t expires_unix_s;
    char recipient[64], key_id[64];
    uint8_t enc[32], sender_key[32], sha256[32];
    struct lb_span ciphertext;
};

#define FX_MAX_POSTED 64

struct fx_ticket {
    bool used;
    bool agreed;
    bool refused;
    char role[65], case_id[65], id_no[19], operator_hash[65], guardian[65];
    uint8_t requester_key[32];
};

struct fixture {
    char folder[64];
    struct lb_arena *arena;
    struct lb_clock_fixed clock;
    struct lb_trust *trust;
    struct lb_workers *workers;
    struct lb_rules *rules;
    struct lb_form_compiled *form;
    struct lb_window_form forms[1];
    struct lb_sign_key *directory_key, *broker_key, *window_key;
    struct lb_sign_key *office_key, *street_key;
    struct lb_x25519_key seal_key;
    struct lb_seal_ring *ring;      /* seal_key as s1 */
    struct lb_issuer_keys *issuer;
    struct lb_log *window_log;
    struct lb_log *broker_log;
    struct lb_sign_key *second_key; /* of a second broker, which only some tests know */
    struct lb_log *second_log;
    size_t num_brokers;             /* what a window is told of: 1, or both */
    struct fx_hub hubs[FX_BROKERS];
    struct fx_adapter adapters[FX_ADAPTERS];
    uint8_t case_key[32], person_key[32];
    struct lb_register *operators;  /* B-0042 of 窗口3, B-1 of unit, D-1 with a device */
    struct lb_sign_key *device_key; /* of D-1 */
    size_t num_recorded;            /* entries about the register */
    char recorded[64];              /* the last one's code */
    size_t num_entered;             /* entries about cases' records */
    void (*on_entry)(struct fixture *fx);  /* once such an entry is durable; NULL for none */
    lb_status record_fails;         /* what the log says instead */
    char store_path[96];
    struct lb_window *window;
    struct lb_diag diag;
    /* the office */
    size_t num_tickets;
    struct fx_ticket tickets[FX_MAX_TICKETS];
    bool department_refused;    /* grants lack the federation's section */
    bool fact_refused;          /* and one field of public security's */
    char representative[16];    /* kind of who the last request says agrees; "" for nobody */
    const char *section_case;   /* set: grants name this case instead */
    const char *section_subject;/* set: grants are about this person instead */
    int64_t section_days;       /* set: grants stand, with this interval, bound to the log key */
    bool self_signed;           /* the street office signs consent itself */
    int64_t grant_life_s;
    uint64_t list_seq;          /* of its status list */
    uint8_t list_states[FX_MAX_TICKETS];  /* by ticket, enum lb_grant_state */
    bool forged_list;           /* signed by somebody else */
    lb_status list_fails;
    size_t num_lists;           /* how often it was asked for */
    /* the broker */
    size_t num_collects;
    lb_status collect_fails;    /* after the events, if any */
    bool swap_answers;          /* the first two answers change places */
    bool wrong_deliver;         /* its DELIVER entries point at no adapter's entry */
    bool twice;                 /* every event comes twice */
    bool together;              /* all outcomes come in one message */
    void (*tamper)(struct fixture *fx, Lianban__V1__CollectEvent *event, struct lb_arena *arena);
    /* changes an entry before it is written, so that what is proved is false; NULL for none */
    void (*falsify)(struct fixture *fx, struct lb_leaf *leaf);
    const Lianban__V1__ReadRequest *last_read;  /* what `tamper` gets the event of */
    size_t which;               /* for hooks that do one thing of many */
    struct fx_listener *guest;  /* for a tamper that listens */
    /* parcels */
    struct lb_work_calendar *calendar;  /* of 2027; NULL until a test asks for it */
    size_t num_posted;
    struct fx_posted posted[FX_MAX_POSTED];
    size_t num_taken;           /* receipts and ends the window has said it has */
    char taken_code[32];        /* of the last receipt among them */
    size_t num_ended;
    lb_status take_fails;
    const struct tampering *tampering;  /* for one that changes events */
};

/* --- fixture.c, fixture_life.c --- */

void fx_make_trust(struct fixture *fx);
const char *fx_rules_text(void);
int fx_setup(void **state);
/* fx_setup_share is fx_setup with a form in which tax and finance add up an income blindly. */
int fx_setup_share(void **state);
int fx_setup_late(void **state);
int fx_setup_watch(void **state);
int fx_teardown(void **state);
/* fx_restart frees the window and makes a new one on the same store. */
void fx_restart(struct fixture *fx);
lb_status fx_new_window(struct fixture *fx, struct lb_window **out_window);
/* fx_add_operator puts somebody into the register; device may be NULL. */
void fx_add_operator(struct fixture *fx, const char *badge, const char *unit, const char *id_no,
                     const struct lb_sign_key *device);
/* fx_id makes an identity number with a right check digit: region, date YYYYMMDD, sequence. */
const char *fx_id(struct fixture *fx, const char *birth, int sequence);
const char *fx_path(struct fixture *fx, const char *name);
/* fx_form_text is the form's file. */
const char *fx_form_text(void);
const char *fx_share_form_text(struct fixture *fx);
const char *fx_late_form_text(struct fixture *fx);
/* fx_watch_form_text is a trigger (fixture_watch.c). */
const char *fx_watch_form_text(void);

/* --- fixture_disk.c --- */

/* fx_in_files says whether bytes stand in the agent's store or its write-ahead log. */
bool fx_in_files(struct fixture *fx, const void *needle, size_t len);
/* fx_stored_case copies a case's row; empty when there is none. */
struct lb_span fx_stored_case(struct fixture *fx, const char *case_id);
/* fx_change_store stops the window and runs SQL on its store. */
void fx_change_store(struct fixture *fx, const char *sql);
/* fx_kept_text is kept/<name>.json, a case as a version before kept it, with today's hash of the
 * fixture's form in it. */
struct lb_span fx_kept_text(struct fixture *fx, const char *name);

/* --- fake_office.c, fake_broker.c --- */

lb_status fx_notice(void *ctx, const Lianban__V1__NoticeRequest *request, struct lb_arena *arena,
                    Lianban__V1__NoticeResponse **out);
lb_status fx_request_grant(void *ctx, const Lianban__V1__GrantRequest *request,
                           struct lb_arena *arena, Lianban__V1__GrantTicket **out);
lb_status fx_get_grant(void *ctx, const char *request_id, struct lb_arena *arena,
                       Lianban__V1__GetGrantResponse **out);
lb_status fx_status_list(void *ctx, struct lb_arena *arena, const char **out_token);
lb_status fx_collect(void *ctx, const struct lb_window_collect_call *call);
lb_status fx_probe(void *ctx, size_t broker);
/* fake_post.c: brokers and departments, as far as parcels go. */
lb_status fx_submit(void *ctx, size_t broker, const Lianban__V1__SubmitRequest *request,
                    struct lb_arena *arena, Lianban__V1__SubmitResponse **out);
/* fx_posted_to finds the newest parcel that went to a department; the test fails if there is none.
 * */
const struct fx_posted *fx_posted_to(struct fixture *fx, enum fx_department department);
/* fx_read opens it as the department does. */
Lianban__V1__Part *fx_read(struct fixture *fx, const struct fx_posted *posted);
/* fx_receipt is the department's, about a parcel it got. */
Lianban__V1__ParcelReceipt *fx_receipt(struct fixture *fx, const struct fx_posted *posted,
                                       const char *code);
/* fx_news packs a receipt as a broker tells it; fx_word packs what a department says, under a name
 * that `seed` makes. */
struct lb_span fx_news(struct fixture *fx, Lianban__V1__ParcelReceipt *receipt);
struct lb_span fx_word(struct fixture *fx, enum fx_department department,
                       const Lianban__V1__Word *word, uint8_t seed);
/* fx_calendar gives the window a calendar that knows 2027. */
void fx_calendar(struct fixture *fx);
lb_status fx_follow(void *ctx, const struct lb_window_follow_call *call);
lb_status fx_take(void *ctx, size_t broker, const Lianban__V1__TakeRequest *request);
/* fx_adapter_answer plays a department: opens the read, checks it as an adapter does, and fills the
 * event's code, sealed answer and evidence. */
void fx_adapter_answer(struct fixture *fx, struct fx_adapter *adapter,
                       const Lianban__V1__ReadRequest *read, struct lb_span operator_token,
                       const struct lb_hash *route, struct lb_arena *arena,
                       Lianban__V1__CollectEvent *event, struct lb_hash *out_leaf);
/* fx_log_entry writes an entry; fx_log_prove proves it against the log's head. */
void fx_log_entry(struct fixture *fx, struct lb_log *log, const struct lb_leaf *leaf,
                  struct lb_log_entry *out_entry);
void fx_log_prove(struct lb_log *log, const struct lb_log_entry *entry, struct lb_arena *arena,
                  Lianban__V1__LogProgress **out_progress, Lianban__V1__EntryProof **out_proof);
/* fx_broker_leaf is the broker's entry about a read. */
struct lb_leaf fx_broker_leaf(const Lianban__V1__ReadRequest *read, enum lb_leaf_type type,
                              const char *code);

/* --- steps.c: what a window system does --- */

/* fx_open opens a case: one adult, or with `family` an adult, a second adult and a child. */
const char *fx_open(struct fixture *fx, bool family);
const char *fx_open_request(struct fixture *fx, Lianban__V1__OpenCaseRequest *request,
                            lb_status *out_status);
/* fx_agree requests all grants and lets every citizen agree. */
void fx_agree(struct fixture *fx, const char *case_id);

struct fx_listener {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool finished;
    size_t kicks;
    lb_status status;
    struct lb_case_listener *listener;
};

void fx_listener_init(struct fx_listener *listener);
struct lb_listener_port fx_listener_port(struct fx_listener *listener);
void fx_listener_wait(struct fx_listener *listener);
/* fx_listener_next gives the next event, NULL when none is ready. */
Lianban__V1__CaseEvent *fx_listener_next(struct fixture *fx, struct fx_listener *listener);
void fx_listener_close(struct fx_listener *listener);

struct fx_collected {
    lb_status status;
    size_t num_facts;
    Lianban__V1__CaseFact *facts[128];
    Lianban__V1__CaseResult *result;
};

/* fx_run collects and waits for the end. */
void fx_run(struct fixture *fx, const char *case_id, struct fx_collected *out);
/* fx_fact finds the newest event about a fact; the test fails if there is none. */
Lianban__V1__CaseFact *fx_fact(const struct fx_collected *collected, uint32_t member,
                               const char *fact);
Lianban__V1__CaseResult *fx_get(struct fixture *fx, const char *case_id);
/* fx_is_tax says whether an event is about what the tax office was asked last. */
bool fx_is_tax(const struct fixture *fx, const Lianban__V1__CollectEvent *event);
/* fx_assert_refused checks that nothing of tax's answer about one adult was used, because its
 * receipt did not hold, and that all else was. */
void fx_assert_refused(const struct fx_collected *got, const char *what);

/* --- casework.c: what officers do; an operator's badge, or one with a unit and a proof --- */

Lianban__V1__CaseActor *fx_actor(struct fixture *fx, const char *badge, const char *unit);
/* fx_facing opens a case whose tax answer is not there: wage12 and firms are missing. */
const char *fx_facing(struct fixture *fx, bool family);
Lianban__V1__AddFactRequest *fx_fact_request(struct fixture *fx, const char *case_id,
                                             const char *fact, const char *value,
                                             const char *grade);
Lianban__V1__DecideCaseRequest *fx_decide_request(struct fixture *fx, const char *case_id,
                                                  const char *class_id);
lb_status fx_add(struct fixture *fx, const Lianban__V1__AddFactRequest *request,
                 Lianban__V1__ActResponse **out);
lb_status fx_decide(struct fixture *fx, const Lianban__V1__DecideCaseRequest *request,
                    Lianban__V1__ActResponse **out);
lb_status fx_hear(struct fixture *fx, const char *case_id, const char *date, const char *said,
                  Lianban__V1__ActResponse **out);
Lianban__V1__GetRecordsResponse *fx_records(struct fixture *fx, const char *case_id);

#define assert_code(status, code)                                                                  \
    assert_string_equal(lb_code_name(lb_status_code(status)), lb_code_name(code))
#define assert_ok(status) assert_code(status, LB_CODE_OK)

#endif
