#ifndef GATEWAY_WINDOW_PARTS_INSIDE_H
#define GATEWAY_WINDOW_PARTS_INSIDE_H

#include "gateway/seal/parcel.h"
#include "gateway/window/case_key.h"
#include "gateway/window/inside.h"
#include "gateway/window/parts.h"
#include "lianban/v1/broker.pb-c.h"
#include "lianban/v1/kept.pb-c.h"
#include "policy/engine/part_state.h"
#include "policy/engine/workdays.h"

/*
 * Inside gateway/window: parcels and words as they are kept (case_key.h), and what is made of them.
 * All state is on disk: each step reads a row, changes it and writes it, in one transaction, so
 * that dying at any point loses nothing and does nothing twice.
 */

#define LB_PARCEL_NAME_BYTES_HEX (2 * LB_PARCEL_NAME_BYTES + 1)
#define LB_PARTS_MAX_WORDS 64U      /* of a department about one submission */
#define LB_PARTS_MAX_SENT 32U       /* parcels about one submission */
#define LB_PARTS_MAX_OF_CASE 96U    /* parcels of one case, but for correction requests */
#define LB_PARTS_MAX_ROWS 112U      /* and those */
#define LB_PARTS_MAX_SEALINGS 64U   /* of one parcel */
#define LB_PARTS_ARENA_BYTES (8U * 1024 * 1024)
#define LB_PARTS_END_S (89 * INT64_C(86400)) /* from its sealing; brokers take 90 days */

/* --- parts_store.c --- */

struct lb_parcel_row {
    uint8_t name[LB_PARCEL_NAME_BYTES];
    uint8_t about[LB_PARCEL_NAME_BYTES];  /* the submission's; its own name for a submission */
    char case_id[LB_CASE_ID_BYTES];
    bool open;          /* on its way: to be sent when next_s has come */
    int64_t next_s;
    int64_t rank;       /* 0 before 1 */
    Lianban__V1__KeptParcel *kept;        /* in the caller's arena */
};

/* lb_parcels_add writes new rows in one transaction. ABSENT when the case is gone. */
LB_MUST lb_status lb_parcels_add(struct lb_case_store *store, const struct lb_parcel_row *rows,
                                 size_t num, struct lb_arena *arena);
/* lb_parcel_get reads one; ABSENT. */
LB_MUST lb_status lb_parcel_get(struct lb_case_store *store, const uint8_t *name,
                                struct lb_arena *arena, struct lb_parcel_row *out_row);
/* lb_parcel_change reads one, has it changed and writes it, unless `change` refuses; ABSENT. Of the
 * row, what is set by `change` must live in the arena or longer than the call. */
typedef lb_status (*lb_parcel_change_fn)(struct lb_parcel_row *row, void *arg);
LB_MUST lb_status lb_parcel_change(struct lb_case_store *store, const uint8_t *name,
                                   lb_parcel_change_fn change, void *arg, struct lb_arena *arena,
                                   struct lb_parcel_row *out_row);
/* lb_parcels_of_case reads all of a case, in the order they were made. */
LB_MUST lb_status lb_parcels_of_case(struct lb_case_store *store, const char *case_id,
                                     struct lb_arena *arena, struct lb_parcel_row **out_rows,
                                     size_t *out_num);
/* lb_parcels_due names parcels to be sent now, at most max. */
LB_MUST lb_status lb_parcels_due(struct lb_case_store *store, int64_t now_s, size_t max,
                                 struct lb_arena *arena, const uint8_t **out_names,
                                 size_t *out_num);
/* lb_parcels_hurry makes everything on its way due: a broker that holds some of it is gone. */
LB_MUST lb_status lb_parcels_hurry(struct lb_case_store *store);
/* lb_parcels_cases lists the ids of cases that have any; lb_parcels_on_their_way says whether a
 * case's are on their way. */
LB_MUST lb_status lb_parcels_cases(struct lb_case_store *store, struct lb_arena *arena,
                                   const char ***out_ids, size_t *out_num);
LB_MUST lb_status lb_parcels_on_their_way(struct lb_case_store *store, const char *case_id,
                                          bool *out);

/* --- parts.c --- */

/* lb_parts_withdraw asks departments to stop, once each: for one part, or with NULL for all that
 * are not over. Under the case's locks. PART_UNKNOWN. */
LB_MUST lb_status lb_parts_withdraw(struct lb_window_case *entry, const char *part,
                                    const char *note, struct lb_arena *arena);

/* --- words_store.c --- */

struct lb_word_row {
    const char *sender;
    uint8_t name[LB_PARCEL_NAME_BYTES];
    uint8_t about[LB_PARCEL_NAME_BYTES];
    uint32_t number;
    char case_id[LB_CASE_ID_BYTES];
    bool logged;
    uint64_t entry;           /* the agent's DELIVERED */
    struct lb_span content;   /* the packed SealedParcel */
    int64_t taken_s;
};

/* lb_word_get finds one by its sender and name; ABSENT. */
LB_MUST lb_status lb_word_get(struct lb_case_store *store, const char *sender, const uint8_t *name,
                              struct lb_arena *arena, struct lb_word_row *out_row);
/* lb_word_add keeps a new one; STORE_CONFLICT when its number is taken. ABSENT when the case is
 * gone. */
LB_MUST lb_status lb_word_add(struct lb_case_store *store, const struct lb_word_row *row,
                              struct lb_arena *arena);
LB_MUST lb_status lb_word_logged(struct lb_case_store *store, const struct lb_word_row *row,
                                 uint64_t entry);
/* lb_words_about reads those about a submission by their numbers, up to the first gap. */
LB_MUST lb_status lb_words_about(struct lb_case_store *store, const uint8_t *about,
                                 struct lb_arena *arena, struct lb_word_row **out_rows,
                                 size_t *out_num);

/* --- parts_make.c --- */

/* lb_parts_class is the class that stands, as an index of the form's: CASE_UNDECIDED. Under the
 * case's lock. */
LB_MUST lb_status lb_parts_class(const struct lb_window_case *entry, size_t *out_class);
/* lb_parts_deadline is when a part's department should be done; with a calendar only. */
LB_MUST lb_status lb_parts_deadline(const struct lb_window *window, const struct lb_form_part *part,
                                    int64_t made_s, struct lb_deadline *out);
/* lb_part_make makes a submission; under the case's lock. */
LB_MUST lb_status lb_part_make(struct lb_window_case *entry, size_t part, struct lb_arena *arena,
                               struct lb_parcel_row *out_row);
/* Who answers for a part at the window: a unit, and a person's keyed hash. */
struct lb_part_author {
    const char *unit, *person;
};
/* lb_part_make_about makes a parcel about a submission; what `extra` has besides goes along.
 * Without an author it is who opened the case. */
LB_MUST lb_status lb_part_make_about(struct lb_window_case *entry,
                                     const struct lb_parcel_row *submission,
                                     const Lianban__V1__Part *extra, uint32_t after_word,
                                     const struct lb_part_author *author, struct lb_arena *arena,
                                     struct lb_parcel_row *out_row);
/* What parts are made of: the case's head with the author's token; a fact, as the window shows it;
 * and the row of a whole part under a name of its own. */
LB_MUST lb_status lb_part_add_head(const struct lb_window_case *entry,
                                   const struct lb_part_author *author, struct lb_arena *arena,
                                   Lianban__V1__Part *out);
LB_MUST lb_status lb_part_add_fact(const struct lb_window_case *entry, size_t member, size_t fact,
                                   size_t person, struct lb_arena *arena, Lianban__V1__Part *out);
LB_MUST lb_status lb_part_fill_row(const struct lb_window_case *entry,
                                   const Lianban__V1__Part *part, struct lb_arena *arena,
                                   struct lb_parcel_row *row);
/* lb_parcel_part opens a kept parcel's content. */
LB_MUST lb_status lb_parcel_part(const struct lb_parcel_row *row, struct lb_arena *arena,
                                 Lianban__V1__SealedParcel **out_content);

/* --- parts_show.c --- */

/* lb_parts_show writes a case's parts, or with `only` that one submission's. */
LB_MUST lb_status lb_parts_show(const struct lb_window_case *entry, const uint8_t *only,
                                struct lb_arena *arena, Lianban__V1__CasePart ***out_parts,
                                size_t *out_num);
/* lb_parts_push tells a case's listeners how a submission stands now; failures are no news. */
void lb_parts_push(struct lb_window *window, const struct lb_parcel_row *row);
/* lb_parts_replay does so for all that there are, after a start. */
LB_MUST lb_status lb_parts_replay(struct lb_window *window);

/* --- send.c --- */

/* lb_parts_send sends what is due, once. */
LB_MUST lb_status lb_parts_send(struct lb_window *window);
/* lb_parts_pause_s is how long to wait with a parcel before it is handed over again. */
int64_t lb_parts_pause_s(const Lianban__V1__KeptParcel *kept);

/* --- receipts.c --- */

/* lb_parts_receipt takes what a broker says became of a parcel; *out_ended: it may forget it.
 * RECEIPT_INVALID for what does not hold, of which nothing is believed. */
LB_MUST lb_status lb_parts_receipt(struct lb_window *window, size_t broker,
                                   const Lianban__V1__ParcelReceipt *receipt, bool *out_ended);
/* lb_parts_among says whether a name is in a list of a kept parcel's. */
bool lb_parts_among(char *const *list, size_t num, const char *name);
/* lb_parts_stuck notes why a parcel could not be sent, and that it is dead if that will not change.
 * */
LB_MUST lb_status lb_parts_stuck(struct lb_window *window, const uint8_t *name, enum lb_code code);

/* lb_parts_revive sends a dead parcel off again, or gives it up. CASE_STATE unless it is dead. */
LB_MUST lb_status lb_parts_revive(struct lb_window *window, const uint8_t *name, bool drop);

/* --- words.c --- */

/* lb_parts_word takes a parcel for this agent and writes the receipt for it. A failure means that
 * it could not be judged just now: nothing is said then, and the broker hands it over again. */
LB_MUST lb_status lb_parts_word(struct lb_window *window, const Lianban__V1__ParcelHanded *handed,
                                struct lb_arena *arena, Lianban__V1__ParcelReceipt *out_receipt);
/* lb_parts_prove_taken proves the entries of the receipts of a Take. */
LB_MUST lb_status lb_parts_prove_taken(struct lb_window *window, Lianban__V1__TakeRequest *request,
                                       struct lb_arena *arena);

/* --- courier.c --- */

/* lb_courier_make makes one without threads; lb_courier_event takes one packed FollowEvent of a
 * broker, and lb_courier_work does what has come and what is due: the courier's own threads call
 * them. */
LB_MUST lb_status lb_courier_make(struct lb_window *window, struct lb_courier **out_courier);
LB_MUST lb_status lb_courier_event(struct lb_courier *courier, size_t broker,
                                   struct lb_span event);
void lb_courier_work(struct lb_courier *courier);

#endif
