#ifndef GATEWAY_EXCHANGE_OUTBOX_INSIDE_H
#define GATEWAY_EXCHANGE_OUTBOX_INSIDE_H

#include <pthread.h>

#include "gateway/exchange/outbox.h"
#include "gateway/store/store.h"
#include "gateway/trust/directory.h"

#define PARCEL_NAME_BYTES 16
/* What a frame to an adapter has at most; an agent gets one by one what was made ready. */
#define BATCH_PARCELS 64
#define BATCH_BYTES (512U * 1024)
/* A receipt may have 10 KiB: with all else a frame stays below LB_MAX_MESSAGE_BYTES. */
#define BATCH_NEWS 24
#define BATCH_NOTES 64
/* Given to a party and not answered: more only when some are. */
#define MAX_OUT 256
/* Who has not answered by then is given it again; likewise whoever was told of an end. */
#define ANSWER_MS 30000
/* Refusals and the like that wait for a link; an adapter that takes none loses it. */
#define MAX_NOTES 1024
/* Parcels of adapters that wait to be looked up. */
#define MAX_INCOMING 512
#define REMEMBER_S 86400

/* What becomes of a parcel, in this order. An entry is on its way in STORING and ENDING. */
enum parcel_state {
    PARCEL_STORING,
    PARCEL_WAITING,  /* for its recipient's receipt */
    PARCEL_ENDING,
    PARCEL_OVER,     /* until its sender has said that it knows */
};

/* What is known of a parcel in memory, under the outbox's lock. */
struct parcel {
    struct parcel *next_same;        /* in its bucket */
    struct parcel *before, *behind;  /* all there are, as they came */
    struct parcel *next_ready;       /* in its recipient's box */
    struct parcel *next_news;        /* in its sender's */
    bool in_ready, in_news;
    int64_t id;                      /* of its row */
    uint8_t name[PARCEL_NAME_BYTES];
    struct box *sender, *recipient;
    int64_t expires_unix_s;
    uint8_t sha256[32];              /* of its ciphertext */
    size_t bytes;                    /* of the Parcel as it is stored; 0 once it is over */
    enum parcel_state state;
    bool renewing;                   /* another sealing of it is being stored */
    uint64_t held;                   /* its HELD entry */
    uint64_t ended;                  /* its HANDED or ENDED entry, when it is over */
    bool delivered;                  /* likewise: or else `code` */
    enum lb_code code;               /* why it waits; LB_CODE_OK: nothing is known against it */
    bool say_held;                   /* to an adapter that has just handed it in */
    bool out;                        /* given to its recipient, not answered */
    unsigned tries;                  /* that came to nothing */
    int64_t due_ms;                  /* monotonic: when it is tried, or told, again */
    int64_t since_unix_s;            /* when it came */
};

/* A member that sends or receives. Never freed before the end. */
struct box {
    struct box *next;
    size_t number;                   /* from 0, as they were met */
    char party[LB_MAX_SPIFFE_BYTES];
    struct lb_outlet *outlet;        /* NULL: it is away */
    struct parcel *ready, **last_ready;  /* to be given to it */
    struct parcel *news, **last_news;    /* its own, of which it is to be told */
    size_t num_out;
    size_t num_for, num_of;          /* parcels waiting for it; its own */
    uint64_t bytes_for, bytes_of;
};

/* Something to be said at once to an adapter of a parcel that is not held. */
struct note {
    struct note *next;
    uint8_t name[PARCEL_NAME_BYTES];
    char recipient[LB_MAX_SPIFFE_BYTES];
    char code[LB_MAX_CODE_BYTES];
    bool has_entry;
    uint64_t index;                  /* our entry about its end */
};

/* One thing for an outlet, as it stood when it was made ready. */
struct item {
    int64_t id;
    bool is_news;
    uint8_t name[PARCEL_NAME_BYTES];
    const char *sender, *recipient;  /* of boxes */
    enum parcel_state state;
    uint64_t held, ended;
    bool delivered;
    enum lb_code code;
    int64_t next_try_unix_s;
    struct lb_span stored;           /* Parcel or ParcelReceipt; in the batch's arena */
};

struct batch {
    struct lb_arena *arena;
    size_t num, at;                  /* given so far */
    struct item items[BATCH_PARCELS + BATCH_NEWS];
};

struct lb_outlet {
    struct lb_outbox *outbox;
    struct box *box;
    struct lb_outlet_port port;
    bool is_link;
    uint64_t serial;
    bool preparing;                  /* the next batch is being read */
    struct batch *batch;             /* made ready */
    struct note *notes, **last_note;
    size_t num_notes;
    size_t backlog;                  /* of a Follow: what is left of what was there */
    bool caught_up;
};

/* A parcel of an adapter's that is to be looked up. */
struct incoming {
    struct incoming *next;
    struct box *from;
    uint8_t name[PARCEL_NAME_BYTES];
    uint8_t sha256[32];
    int64_t expires_unix_s;
    char recipient[LB_MAX_SPIFFE_BYTES];
    struct lb_buf packed;
};

struct rows;

#define PARCEL_BUCKETS 16384U

struct lb_outbox {
    struct lb_outbox_options options;
    struct rows *rows;               /* reading, beside the log's sequencer */
    pthread_mutex_t lock;
    pthread_cond_t changed;          /* work for the thread, or an entry is done; monotonic */
    struct box *boxes;
    size_t num_boxes;
    struct parcel *buckets[PARCEL_BUCKETS];
    struct parcel *first, *last;
    size_t num_parcels;
    uint64_t num_bytes;
    struct parcel *told;             /* over, told, and not yet so on disk */
    struct incoming *incoming, **last_incoming;
    size_t num_incoming;
    size_t num_entries;              /* on their way */
    int64_t next_id;
    uint64_t next_serial;
    bool work, leaving, stopping;
    pthread_t thread;
};

/* --- outbox_rows.c: the table; its writing half runs in guards --- */
struct parcel_row {
    int64_t id, expires_unix_s, bytes, since_unix_s;
    uint64_t held, ended;
    bool over;
    struct lb_span sender, recipient, name, sha256, code;
};
LB_MUST lb_status lb_rows_open(const char *path, struct rows **out_rows);
void lb_rows_close(struct rows *rows);
/* lb_rows_each gives every parcel whose end is not told, as they came. */
LB_MUST lb_status lb_rows_each(struct rows *rows,
                               lb_status (*take)(void *ctx, const struct parcel_row *row),
                               void *ctx);
/* lb_rows_last is the highest id there is. */
LB_MUST lb_status lb_rows_last(struct rows *rows, int64_t *out_id);
/* lb_rows_sealed and _receipt copy what is stored into the arena, the former with its HELD entry:
 * that of the very sealing, which may not be public yet. ABSENT. */
LB_MUST lb_status lb_rows_sealed(struct rows *rows, int64_t id, struct lb_arena *arena,
                                 struct lb_span *out, uint64_t *out_held);
LB_MUST lb_status lb_rows_receipt(struct rows *rows, int64_t id, struct lb_arena *arena,
                                  struct lb_span *out);
/* lb_rows_find tells how a parcel ended; ABSENT. */
LB_MUST lb_status lb_rows_find(struct rows *rows, const char *sender,
                               const uint8_t name[PARCEL_NAME_BYTES], uint64_t *out_ended,
                               char out_code[LB_MAX_CODE_BYTES]);
LB_MUST lb_status lb_rows_insert(struct lb_store *store, const struct parcel *parcel,
                                 struct lb_span packed);
LB_MUST lb_status lb_rows_renew(struct lb_store *store, const struct parcel *parcel,
                                struct lb_span packed);
LB_MUST lb_status lb_rows_end(struct lb_store *store, int64_t id, uint64_t ended, const char *code,
                              struct lb_span receipt);
LB_MUST lb_status lb_rows_tell(struct lb_store *store, int64_t id);
/* lb_rows_purge forgets what was told and is past its end for REMEMBER_S, or came no later than
 * last_id; a few at a time. */
LB_MUST lb_status lb_rows_purge(struct lb_store *store, int64_t now_unix_s, int64_t last_id);

/* --- outbox_index.c: what is in memory; all under lock --- */
/* lb_outbox_box makes one for a member that was not met before; NULL without memory. */
struct box *lb_outbox_box(struct lb_outbox *outbox, const char *party);
struct parcel *lb_outbox_find(struct lb_outbox *outbox, const struct box *sender,
                              const uint8_t name[PARCEL_NAME_BYTES]);
/* lb_outbox_find_of finds by the sender's id. */
struct parcel *lb_outbox_find_of(struct lb_outbox *outbox, const char *sender,
                                 const uint8_t name[PARCEL_NAME_BYTES]);
/* lb_outbox_add puts one in and counts it; OUTBOX_FULL, NO_MEMORY. */
LB_MUST lb_status lb_outbox_add(struct lb_outbox *outbox, const struct parcel *what,
                                struct parcel **out_parcel);
/* lb_outbox_resize counts another sealing; OUTBOX_FULL. */
LB_MUST lb_status lb_outbox_resize(struct lb_outbox *outbox, struct parcel *parcel, size_t bytes);
/* lb_outbox_remove takes one out of the index, and frees it not. */
void lb_outbox_remove(struct lb_outbox *outbox, struct parcel *parcel);
/* lb_outbox_settle counts one that is over as no burden of its recipient's any more. */
void lb_outbox_settle(struct lb_outbox *outbox, struct parcel *parcel);
void lb_box_add_ready(struct parcel *parcel);
void lb_box_add_news(struct parcel *parcel);
struct parcel *lb_box_take_ready(struct box *box);
struct parcel *lb_box_take_news(struct box *box);
/* lb_parcel_back: whoever had it has answered, or is gone. */
void lb_parcel_back(struct parcel *parcel);

/* --- outbox.c --- */
/* lb_outbox_wake has the thread look; under lock. */
void lb_outbox_wake(struct lb_outbox *outbox);

/* --- outbox_check.c --- */
/* lb_parcel_check judges the open part of a parcel of `sender`'s for a member of `kind`, but for
 * its end; statuses of lb_outbox_submit. */
LB_MUST lb_status lb_parcel_check(const struct lb_outbox *outbox, const Lianban__V1__Parcel *parcel,
                                  const char *sender, enum lb_node_kind kind);
/* lb_parcel_check_entry: an entry SENT about this parcel. RECEIPT_INVALID. */
LB_MUST lb_status lb_parcel_check_entry(const Lianban__V1__RoutedParcel *routed,
                                        const struct lb_checkpoint *checkpoint);

/* What a recipient says, once it holds. */
struct verdict {
    bool delivered;
    enum lb_code code;               /* of anything but DELIVERED */
    bool has_entry;
    struct lb_hash entry;            /* the leaf's hash */
};
/* lb_verdict_read checks a receipt of `recipient`'s; checkpoint may be NULL where there is none.
 * MALFORMED, RECEIPT_INVALID. */
LB_MUST lb_status lb_verdict_read(const Lianban__V1__ParcelReceipt *receipt, const char *recipient,
                                  const struct lb_checkpoint *checkpoint, struct verdict *out);
/* lb_verdict_is_final: it will be the same tomorrow. */
bool lb_verdict_is_final(enum lb_code code);
/* lb_party_checkpoint opens a checkpoint of a member's log, by its signature alone. */
LB_MUST lb_status lb_party_checkpoint(const struct lb_outbox *outbox, const char *party,
                                      const Lianban__V1__LogProgress *log,
                                      struct lb_checkpoint *out);

/* --- outbox_hold.c --- */
/* A parcel on its way to the disk. `done` is called once, on any thread, without the lock. */
struct holding {
    struct lb_log_entry entry;
    struct lb_outbox *outbox;
    struct parcel *parcel;
    struct parcel next;              /* what it will be, once this is on disk */
    bool again;
    bool is_word;                    /* of an adapter's, which is told on its link */
    struct lb_buf packed, detail;
    void (*done)(struct holding *holding, lb_status status);
    void *owner;
};
/* What lb_outbox_begin found. */
enum found { FOUND_NEW, FOUND_HELD, FOUND_OVER };
/* lb_outbox_begin looks a parcel up in memory; `what` has its name, parties, end, hash and size.
 * For FOUND_NEW the holding is to be recorded (lb_outbox_record). BUSY, PARCEL_CHANGED,
 * PARCEL_EXPIRED, OUTBOX_FULL, NO_MEMORY. Under lock. */
LB_MUST lb_status lb_outbox_begin(struct lb_outbox *outbox, const struct parcel *what,
                                  struct holding *holding, enum found *out_found,
                                  struct parcel **out_parcel);
void lb_outbox_record(struct holding *holding);
/* lb_outbox_tidy writes down what was told, and forgets; in a guard. */
LB_MUST lb_status lb_outbox_tidy(struct lb_outbox *outbox, struct lb_store *store);
LB_MUST lb_status lb_parcel_detail(const char *sender, const char *recipient, struct lb_buf *out);
/* lb_outbox_incoming stores, or answers, what adapters handed in; for the thread. */
void lb_outbox_incoming(struct lb_outbox *outbox);

/* --- outbox_end.c --- */
/* lb_outbox_verdict acts on what a recipient says of a parcel: its end is recorded, or it is tried
 * again later. `log` is that of the receipt's entry. */
LB_MUST lb_status lb_outbox_verdict(struct lb_outbox *outbox, const char *recipient,
                                    const Lianban__V1__ParcelReceipt *receipt,
                                    const Lianban__V1__LogProgress *log,
                                    const struct verdict *verdict);
/* lb_outbox_expire ends those past their end, a few at a time. */
void lb_outbox_expire(struct lb_outbox *outbox);
/* lb_outbox_told: the sender has the end of its parcel. */
void lb_outbox_told(struct lb_outbox *outbox, const char *sender,
                    const uint8_t name[PARCEL_NAME_BYTES]);
/* lb_parcel_delay has it tried again later, for this reason; under lock. */
void lb_parcel_delay(struct lb_outbox *outbox, struct parcel *parcel, enum lb_code code);

/* --- outbox_send.c: what is made ready for outlets --- */
/* lb_outbox_due looks for what is to be tried or told again; under lock. */
void lb_outbox_due(struct lb_outbox *outbox);
/* lb_outbox_prepare fills outlets that have nothing ready; for the thread. */
void lb_outbox_prepare(struct lb_outbox *outbox);
void lb_batch_free(struct batch *batch);
/* lb_item_of takes down how a parcel stands; under lock. */
void lb_item_of(const struct lb_outbox *outbox, const struct parcel *parcel, bool is_news,
                struct item *out);

/* --- outbox_item.c: what is said of a parcel, with its proofs --- */
/* Our own log as it is shown beside: a tree of `size`. */
struct shown {
    struct lb_log *log;
    uint64_t size;
    Lianban__V1__LogProgress *progress;  /* set: receipts of our own carry it */
};
/* lb_show_own takes the newest checkpoint, for who follows no history of ours. */
LB_MUST lb_status lb_show_own(struct lb_log *log, struct lb_arena *arena, struct shown *out);
LB_MUST lb_status lb_own_entry(const struct shown *shown, uint64_t index, struct lb_arena *arena,
                               Lianban__V1__EntryProof **out);
LB_MUST lb_status lb_item_receipt(const struct shown *shown, const struct item *item,
                                  struct lb_arena *arena, Lianban__V1__ParcelReceipt **out);
LB_MUST lb_status lb_item_routed(const struct shown *shown, const struct item *item,
                                 struct lb_arena *arena, Lianban__V1__RoutedParcel **out);
LB_MUST lb_status lb_note_receipt(const struct shown *shown, const struct note *note,
                                  const char *sender, struct lb_arena *arena,
                                  Lianban__V1__ParcelReceipt **out);

/* --- outbox_outlet.c --- */
/* lb_outlet_note queues something to be said on a link; under lock. */
void lb_outlet_note(struct lb_outlet *outlet, const struct note *note);
/* lb_outlet_open makes a party's outlet in the place of the one it had, and has all of its parcels
 * tried and told again. STOPPING, NO_MEMORY. */
LB_MUST lb_status lb_outlet_open(struct lb_outbox *outbox, const char *party, bool is_link,
                                 const struct lb_outlet_port *port, struct lb_outlet **out_outlet);

#endif
