#ifndef GATEWAY_WINDOW_INSIDE_H
#define GATEWAY_WINDOW_INSIDE_H

#include "gateway/evidence/checkpoint_memo.h"
#include "gateway/seal/hpke.h"
#include "gateway/token/grant.h"
#include "gateway/window/brokers.h"
#include "gateway/window/case.h"
#include "gateway/window/operators.h"

/*
 * Inside gateway/window. Locks, in the order they are taken: a case's `asking`, a case's `lock`,
 * the store's (case_lock.c); the window's `lock` and then a feed's. Nothing blocks while it holds
 * the window's.
 */

#define LB_WINDOW_BUCKETS 1024U
#define LB_WINDOW_MAX_FORMS 64U
#define LB_WINDOW_CONTEXT_LIFE_MS (9 * 60 * 1000)  /* adapters keep one for LB_CONTEXT_LIFE_S */
#define LB_WINDOW_MAX_CONTEXTS 256U
#define LB_WINDOW_ARENA_BYTES (16U * 1024 * 1024)  /* one collect: a household's reads */

struct lb_case_store;
struct lb_case_figures;
struct lb_figures_row;

/* The sender's half of one HPKE context. */
struct lb_window_context {
    char audience[LB_MAX_SPIFFE_BYTES];
    char key_id[LB_MAX_NAME_BYTES + 1];
    uint8_t jkt[32];                        /* thumbprint of the key of ours it is bound to */
    uint8_t sender[LB_X25519_BYTES];        /* and its public half */
    uint8_t enc[LB_HPKE_ENC_BYTES];
    struct lb_hpke_context context;
    uint64_t next_seq;
    int64_t born_ms;  /* monotonic */
};

struct lb_admission;

struct lb_window {
    struct lb_window_options options;  /* strings, keys and services are borrowed */
    uint8_t case_key[32];
    size_t num_forms;
    struct lb_case_form *forms;
    struct lb_case_store *store;

    pthread_mutex_t lock;              /* the table, and its members in every case */
    pthread_cond_t idle;
    size_t num_cases;
    size_t num_collects;
    bool stopping;
    struct lb_window_case *buckets[LB_WINDOW_BUCKETS];

    pthread_mutex_t ending;            /* ends of cases become entries in turn, each once */
    pthread_mutex_t calculating;       /* the options' catalogue: one calculation at a time */
    struct lb_admission *admission;    /* of collects: so many at a time, and fair between units */
    struct lb_window_brokers brokers;
    struct lb_window_operators *operators;
    struct lb_checkpoint_memo *checkpoints;  /* of all logs, verified before */
    _Atomic bool behind;               /* some case may be; behind.c */
    pthread_mutex_t contexts_lock;
    size_t num_contexts;
    struct lb_window_context *contexts;
};

/* --- table.c --- */

/* lb_window_add puts a case into the table, which owns it then; BUSY when LB_WINDOW_MAX_CASES are
 * open. */
LB_MUST lb_status lb_window_add(struct lb_window *window, struct lb_window_case *entry);
/* lb_window_hold finds an open case and holds it; CASE_UNKNOWN. */
LB_MUST lb_status lb_window_hold(struct lb_window *window, const char *case_id,
                                 struct lb_window_case **out_case);
/* tracing.c: a collect begins under the trace that was asked for, or a random one (under the case's
 * lock), and ends with a line if that was asked. */
void lb_window_trace_begin(struct lb_window_case *entry);
void lb_window_trace_end(struct lb_window_case *entry, lb_status status);
/* lb_window_let_go ends a hold; fits LB_DEFER. */
void lb_window_let_go(struct lb_window_case **entry);
/* lb_window_case_ids lists the ids of all open cases. */
#define LB_WINDOW_IDS_BYTES (1U * 1024 * 1024)
LB_MUST lb_status lb_window_case_ids(struct lb_window *window, struct lb_arena *arena,
                                     const char ***out_ids, size_t *out_num);
/* lb_window_remove takes a case out of the table; the caller holds it. */
void lb_window_remove(struct lb_window_case *entry);
/* lb_window_closed says whether a case that is held was closed meanwhile. Once its `asking` is
 * taken after that, nothing may be written about it. */
bool lb_window_closed(struct lb_window_case *entry);

/* lb_window_close_if is lb_window_close_case, unless `check` refuses: it is asked under the case's
 * lock, when nobody finds the case any more. What it says is returned, and the case stays. */
LB_MUST lb_status lb_window_close_if(struct lb_window *window, const char *case_id,
                                     lb_status (*check)(struct lb_window_case *entry));

/* --- case_store.c --- */

/* lb_case_store_open opens or makes the file and proves the case key: CONFIG_INVALID when the file
 * was made under another key. */
LB_MUST lb_status lb_case_store_open(const char *path, const uint8_t key[32], struct lb_diag *diag,
                                     struct lb_case_store **out_store);
void lb_case_store_close(struct lb_case_store *store);
/* lb_case_store_put keeps a case durably, encrypted; the caller has the case's lock. Any thread. */
LB_MUST lb_status lb_case_store_put(struct lb_case_store *store, struct lb_window_case *entry);
/* lb_case_store_erase destroys a case's key and deletes its rows, notes the end of it (case_key.h)
 * and adds up what it came to (figures.h; NULL for nothing). They leave the write-ahead log with
 * lb_window_log_ends, before anybody is told. */
LB_MUST lb_status lb_case_store_erase(struct lb_case_store *store, const char *case_id,
                                      int64_t now_s, const struct lb_case_figures *figures);
/* lb_case_store_figures reads a month's figures, as lb_figures_read. */
LB_MUST lb_status lb_case_store_figures(struct lb_case_store *store, const char *month,
                                        struct lb_arena *arena, struct lb_figures_row **out_rows,
                                        size_t *out_num);
/* lb_case_store_tidy takes what was overwritten out of the write-ahead log. */
LB_MUST lb_status lb_case_store_tidy(struct lb_case_store *store);
/* lb_case_store_load reads all cases into the window's table and feeds. FORM_UNKNOWN with a
 * sentence in diag when a case's form is missing; STORE_FAILED when a case does not decrypt. */
LB_MUST lb_status lb_case_store_load(struct lb_case_store *store, struct lb_window *window,
                                     struct lb_diag *diag);

/* --- behind.c --- */

/* lb_case_behind notes that the store has everything of a case but what it can find out again: the
 * number of an entry of the log about a record that is pending there, and the result that was
 * suggested by it. It is written within a second, unless the case ends before. Under the case's
 * lock. */
void lb_case_behind(struct lb_window_case *entry);
/* lb_case_write_behind writes the cases that are, but for those in use, whose turn comes next
 * time. */
void lb_case_write_behind(struct lb_window *window);
/* lb_case_catch_up enters what a stored case had pending, and judges it by its facts. Before
 * anybody else has the window. */
LB_MUST lb_status lb_case_catch_up(struct lb_window *window);

/* --- attest.c --- */

/* lb_window_log_ends takes what ended cases left out of the write-ahead log, and puts their ends
 * into the evidence log that are not there yet. What the store and the log say. */
LB_MUST lb_status lb_window_log_ends(struct lb_window *window);

/* --- grants.c, mandate.c, opened.c --- */

/* A grant taken apart: its sections by the form's. Lives in an arena. */
struct lb_opened_grant {
    const char *text;                    /* what was taken apart; NULL for nothing */
    struct lb_span jwt;
    struct lb_grant grant;
    const struct lb_section **sections;  /* one per section of the form; NULL where it has none */
    struct lb_span *disclosures;         /* likewise */
};

/* What was taken apart of one member's grants so far. */
struct lb_member_grants {
    struct lb_opened_grant consent;
    struct lb_opened_grant mandate;
};

/* lb_grant_take_apart splits an SD-JWT and opens its sections; signatures are not checked here.
 * GRANT_MALFORMED, SECTION_INVALID, NO_MEMORY. */
LB_MUST lb_status lb_grant_take_apart(const struct lb_form *form, const char *sd_jwt,
                                      struct lb_arena *arena, struct lb_opened_grant *out);
/* lb_grant_open_once is lb_grant_take_apart of a copy, unless *opened is of this very text already:
 * a grant is taken apart once in all that is done with it under one arena. */
LB_MUST lb_status lb_grant_open_once(const struct lb_form *form, const char *sd_jwt,
                                     struct lb_arena *arena, struct lb_opened_grant *opened);
/* lb_grant_stands says whether a grant lasts left_s seconds more and is bound to a key of ours that
 * is still good. */
bool lb_grant_stands(const struct lb_window *window, const struct lb_opened_grant *opened,
                     int64_t left_s);
/* lb_window_asks_section says whether a member's role is asked in a section of the form. */
bool lb_window_asks_section(const struct lb_form *form, size_t role, size_t section);
/* lb_window_needs_consent says whether a role is asked under anything but a mandate. */
bool lb_window_needs_consent(const struct lb_form *form, size_t role);

/* lb_window_fetch_grants gets every grant that is not there yet and checks it; takes the case's
 * locks. GRANT_PENDING (not requested or not decided), GRANT_REFUSED, GRANT_EXPIRED, what the
 * consent office's port says, or what is wrong with the grant. What it took apart is left in
 * `grants`, one per member, which lives in the arena. */
LB_MUST lb_status lb_window_fetch_grants(struct lb_window_case *entry,
                                         const struct lb_directory *directory,
                                         struct lb_arena *arena,
                                         struct lb_member_grants *grants);

/* lb_window_ensure_mandate issues a member's mandate unless one stands that is valid for a while
 * and covers every department that can be asked; the salt stays the case's. One that was there is
 * left taken apart in *opened. Under the case's lock. */
LB_MUST lb_status lb_window_ensure_mandate(struct lb_window_case *entry, size_t member,
                                           const struct lb_directory *directory,
                                           struct lb_arena *arena,
                                           struct lb_opened_grant *opened);
/* lb_window_adapter finds a department's adapter in the directory; NULL when there is none. */
const struct lb_node *lb_window_adapter(const struct lb_directory *directory,
                                        const char *department);

/* --- withdrawn.c --- */

/* lb_withdrawn_reopen lets what a withdrawn grant had brought be asked again, under a new one.
 * Under the case's lock. */
void lb_withdrawn_reopen(struct lb_window_case *entry, struct lb_case_member *member);
/* --- own_key.c --- */

/* lb_window_newest_key copies the key that new grants are bound to; the caller wipes it.
 * KEY_RETIRED when the directory lists none of ours. */
LB_MUST lb_status lb_window_newest_key(const struct lb_window *window, struct lb_own_key *out);
/* lb_window_key_of copies the key of ours with this thumbprint, by which a grant names it (for that
 * of our log key, which standing grants name, the newest one): one that
 * was given before a newer key came goes on with the older. KEY_RETIRED, NO_MEMORY. */
LB_MUST lb_status lb_window_key_of(const struct lb_window *window, const uint8_t jkt[32],
                                   struct lb_own_key *out);

/* --- shares.c --- */

/* lb_window_ensure_runs begins a run of every blind sum of the form, of late sections or of the
 * others, that has none, or whose run can no longer be completed; members' grants are there. Under
 * the case's lock. CRYPTO_FAILED. */
LB_MUST lb_status lb_window_ensure_runs(struct lb_window_case *entry, bool late);
/* lb_window_share_total adds up a slot's shares; UNKNOWN unless all are there, were made for one
 * set, and come to a possible total. Under the case's lock. */
struct lb_fact lb_window_share_total(const struct lb_window_case *entry, size_t slot);
/* --- representative.c --- */

/* lb_case_take_representative keeps who agrees for a member; NULL keeps nobody. MALFORMED for a
 * kind that there is not, a number that does not hold, or one that is too long. */
LB_MUST lb_status lb_case_take_representative(struct lb_case_member *member,
                                              const Lianban__V1__Representative *wire);
/* lb_case_representative reads it back; NULL when there is none. */
LB_MUST lb_status lb_case_representative(const struct lb_case_member *member,
                                         struct lb_arena *arena,
                                         Lianban__V1__Representative **out);

/* --- context.c --- */

/* lb_window_take_context copies the context from the key of ours that a grant is bound to, to an
 * adapter's sealing key, with a number that is used this once. The caller wipes its copy.
 * KEY_RETIRED when ours is gone. */
LB_MUST lb_status lb_window_take_context(struct lb_window *window, const char *audience,
                                         const struct lb_seal_key_entry *key,
                                         const uint8_t jkt[32],
                                         struct lb_window_context *out_context, uint64_t *out_seq);
/* lb_window_sweep_contexts wipes those past their life. */
void lb_window_sweep_contexts(struct lb_window *window);
/* lb_window_drop_context forgets a context that an adapter no longer knows. */
void lb_window_drop_context(struct lb_window *window, const uint8_t enc[LB_HPKE_ENC_BYTES]);

/* --- judge.c --- */

/* What stands in place of a class when a person has to decide. */
extern const struct lb_form_class lb_window_manual;

/* lb_window_needs_late says whether the late sections of a case's form have to be asked: all others
 * have answered, and no class stands by that. Under the case's lock. NO_MEMORY, and what
 * lb_form_judge returns. */
LB_MUST lb_status lb_window_needs_late(struct lb_window_case *entry, bool *out_needed);
/* lb_window_judge judges a case by its facts and notes the class; under the case's lock. */
LB_MUST lb_status lb_window_judge(struct lb_window_case *entry);
/* lb_window_fact_message and lb_window_result_message write what a window may see; under the case's
 * lock. `collecting` is the case's state. NO_MEMORY. */
LB_MUST lb_status lb_window_fact_message(const struct lb_window_case *entry, size_t member,
                                         size_t fact, struct lb_arena *arena,
                                         Lianban__V1__CaseFact **out);
LB_MUST lb_status lb_window_result_message(const struct lb_window_case *entry, bool collecting,
                                           struct lb_arena *arena,
                                           Lianban__V1__CaseResult **out);
/* lb_window_push_fact and lb_window_push_result append the event to the case's feed. */
LB_MUST lb_status lb_window_push_fact(struct lb_window_case *entry, size_t member, size_t fact);
LB_MUST lb_status lb_window_push_result(struct lb_window_case *entry);

#endif
