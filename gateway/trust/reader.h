#ifndef GATEWAY_TRUST_READER_H
#define GATEWAY_TRUST_READER_H

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"
#include "gateway/json/json.h"

/*
 * Inside gateway/trust: reading the directory's JSON. Every mistake names its place
 * ("nodes[3].seal[0]") in diag and is DIRECTORY_INVALID; only NO_MEMORY is told apart.
 */
struct lb_reader {
    struct lb_arena *arena;
    struct lb_diag *diag;
    const char *what;  /* what is read, for messages: "directory" */
    char where[128];   /* "" at the top */
};

/* lb_reader_fail records "directory: <where>: <message>" and returns DIRECTORY_INVALID. */
LB_MUST lb_status lb_reader_fail(struct lb_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* lb_reader_only refuses a value that is no object or has a member outside the NULL-terminated
 * list. */
LB_MUST lb_status lb_reader_only(struct lb_reader *reader, const struct lb_json *json,
                                 const char *const *keys);
/* lb_reader_text copies a string of 0..max bytes without control characters. */
LB_MUST lb_status lb_reader_text(struct lb_reader *reader, const struct lb_json *object,
                                 const char *key, size_t max, const char **out);
/* lb_reader_name is lb_reader_text of 1..LB_MAX_NAME_BYTES of [A-Za-z0-9._-]. */
LB_MUST lb_status lb_reader_name(struct lb_reader *reader, const struct lb_json *object,
                                 const char *key, const char **out);
/* lb_reader_int reads a whole number in min..max. */
LB_MUST lb_status lb_reader_int(struct lb_reader *reader, const struct lb_json *object,
                                const char *key, int64_t min, int64_t max, int64_t *out);
/* lb_reader_bytes reads exactly len bytes in base64url. */
LB_MUST lb_status lb_reader_bytes(struct lb_reader *reader, const struct lb_json *object,
                                  const char *key, uint8_t *out, size_t len);
/* lb_reader_hex32 reads 64 hex digits, a member of an object or (key NULL) a value itself. */
LB_MUST lb_status lb_reader_hex32(struct lb_reader *reader, const struct lb_json *json,
                                  const char *key, uint8_t out[32]);

/* lb_reader_list reads a member that is a list of at most LB_READER_MAX_ITEMS through `read`, item
 * by item, into an array of the arena. */
#define LB_READER_MAX_ITEMS 10000
typedef lb_status (*lb_reader_item)(struct lb_reader *reader, const struct lb_json *item, void *out,
                                    void *context);
LB_MUST lb_status lb_reader_list(struct lb_reader *reader, const struct lb_json *object,
                                 const char *key, size_t item_size, lb_reader_item read,
                                 void *context, void **out_items, size_t *out_num);

/* lb_reader_name_ok says whether a text is a name in the sense of lb_reader_name. */
bool lb_reader_name_ok(const char *text);

#endif
