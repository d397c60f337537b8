#ifndef GATEWAY_AUDIT_INSIDE_H
#define GATEWAY_AUDIT_INSIDE_H

#include "gateway/audit/index.h"
#include "gateway/store/store.h"

/* The inside of the index, shared by building and reading. */

#define LB_AUDIT_APPLICATION_ID 0x4C424149U /* "LBAI" */
#define LB_AUDIT_DATABASE "index.db"
#define LB_AUDIT_MAX_FIELDS 512
#define LB_AUDIT_WORD_SLOTS 4096U

/* A word read last at its place; texts are the slot's own. */
struct lb_audit_word {
    int64_t id;  /* 0: empty */
    char *text;
};

struct lb_audit_index {
    struct lb_store *store;
    struct lb_stmt *get_word;
    struct lb_stmt *find_word;
    struct lb_stmt *get_subject;
    struct lb_stmt *get_time;
    struct lb_audit_word words[LB_AUDIT_WORD_SLOTS];
};

/* lb_audit_schema is the index's schema steps, NULL-terminated. */
const char *const *lb_audit_schema(void);

/* lb_audit_path joins the folder and the database's name; NULL past the arena's cap. */
const char *lb_audit_path(struct lb_arena *arena, const char *folder);

/* lb_audit_word_text copies a word into the arena; "" for id 0. STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_audit_word_text(struct lb_audit_index *index, int64_t id,
                                     struct lb_arena *arena, const char **out_text);
/* lb_audit_word_id finds a word; -1 when no row can have it. */
LB_MUST lb_status lb_audit_word_id(struct lb_audit_index *index, const char *text,
                                   int64_t *out_id);
/* lb_audit_first_at finds the first entry not before a time; the index's size when none is. */
LB_MUST lb_status lb_audit_first_at(struct lb_audit_index *index, int64_t unix_ms,
                                    uint64_t *out_idx);

/* lb_audit_read_state reads the `source` row of a store. ABSENT when nothing was built yet. */
LB_MUST lb_status lb_audit_read_state(struct lb_store *store, struct lb_audit_state *out);

#endif
