#ifndef GATEWAY_JSON_JSON_H
#define GATEWAY_JSON_JSON_H

#include "gateway/base/arena.h"

/*
 * JSON by jansson, the only place that sees it. Parsing is strict: one value, valid UTF-8, no
 * duplicate keys, no NUL in strings, at most 16 levels, integers within int64, no floating point.
 * All memory is wiped before it is given back, since values carry identities and answers.
 */
struct lb_json;  /* a value; objects and arrays own what is put into them */

#define LB_MAX_JSON_LEVELS 16             /* of parsed text; a scalar alone has none */
#define LB_MAX_JSON_BYTES (4 * 1024 * 1024) /* one text to parse */
#define LB_MAX_JSON_VALUES (64 * 1024)    /* values in one text: bounds the memory it unfolds to */
#define LB_MAX_JSON_MEMBERS 1024          /* members of one parsed object */

/* lb_json_parse parses exactly one value of any kind. MALFORMED otherwise and past a maximum. */
LB_MUST lb_status lb_json_parse(struct lb_span text, struct lb_json **out_json);
/* lb_json_free releases a root value; NULL is allowed. */
void lb_json_free(struct lb_json *json);
void lb_json_freep(struct lb_json **json);  /* for LB_DEFER */

/* Kinds. */
bool lb_json_is_object(const struct lb_json *json);
bool lb_json_is_array(const struct lb_json *json);
bool lb_json_is_string(const struct lb_json *json);
bool lb_json_is_int(const struct lb_json *json);
bool lb_json_is_bool(const struct lb_json *json);

/* lb_json_only refuses an object that has a key outside the NULL-terminated list: MALFORMED,
 * since an unknown claim must never be silently dropped. */
LB_MUST lb_status lb_json_only(const struct lb_json *object, const char *const *keys);

/* Members: ABSENT when missing, MALFORMED when of another kind (null included) or when `object` is
 * no object. Results are borrowed from the root. */
LB_MUST lb_status lb_json_get_str(const struct lb_json *object, const char *key,
                                  struct lb_span *out);
LB_MUST lb_status lb_json_get_int(const struct lb_json *object, const char *key, int64_t *out);
LB_MUST lb_status lb_json_get_bool(const struct lb_json *object, const char *key, bool *out);
LB_MUST lb_status lb_json_get_object(const struct lb_json *object, const char *key,
                                     const struct lb_json **out);
LB_MUST lb_status lb_json_get_array(const struct lb_json *object, const char *key,
                                    const struct lb_json **out);

/* lb_json_len counts the elements of an array or the members of an object; 0 for other kinds. */
size_t lb_json_len(const struct lb_json *json);
/* lb_json_at returns the index-th element; NULL past the end or when there is no array. */
const struct lb_json *lb_json_at(const struct lb_json *array, size_t index);
/* lb_json_member returns the index-th member of an object and its key, in the text's order; NULL
 * past the end, with *out_key left alone. */
const struct lb_json *lb_json_member(const struct lb_json *object, size_t index,
                                     const char **out_key);
struct lb_span lb_json_str(const struct lb_json *string);  /* empty if not a string */
int64_t lb_json_int(const struct lb_json *integer);        /* 0 if not an integer */
bool lb_json_bool(const struct lb_json *truth);            /* false if not a truth value */

/*
 * Building. A failure (memory, a NUL or bad UTF-8 in a string or key, an object's function on
 * something else) marks the container, and lb_json_dump of any root that holds it fails: calls
 * need no check of their own. NULL children are such a failure too. The mark is a member or
 * element that is not UTF-8 and so cannot be written. No memory even for the mark, or a scalar as
 * container: abort. Setting a key again replaces its value.
 */
/* lb_json_object and _array make an empty container; NULL when memory is exhausted, which every
 * function below takes and lb_json_dump reports. */
struct lb_json *lb_json_object(void);
struct lb_json *lb_json_array(void);
void lb_json_set_str(struct lb_json *object, const char *key, struct lb_span value);
void lb_json_set_cstr(struct lb_json *object, const char *key, const char *value);
void lb_json_set_int(struct lb_json *object, const char *key, int64_t value);
void lb_json_set_bool(struct lb_json *object, const char *key, bool value);
void lb_json_set_null(struct lb_json *object, const char *key);
/* lb_json_set and _append take over the child. */
void lb_json_set(struct lb_json *object, const char *key, struct lb_json *child);
void lb_json_append(struct lb_json *array, struct lb_json *child);
void lb_json_append_str(struct lb_json *array, struct lb_span value);
/* lb_json_copy makes a deep copy of any value; the caller frees it or hands it to set/append. NULL
 * when memory is exhausted. */
struct lb_json *lb_json_copy(const struct lb_json *json);

enum lb_json_style { LB_JSON_COMPACT, LB_JSON_PRETTY };
/* lb_json_dump writes UTF-8 as it is (no \u escapes but for control characters), keys in
 * insertion order; PRETTY indents by two. MALFORMED when building had failed, NO_MEMORY past the
 * arena's cap. */
LB_MUST lb_status lb_json_dump(const struct lb_json *json, enum lb_json_style style,
                               struct lb_arena *arena, struct lb_span *out_text);

#endif
