#include "gateway/token/sd_jwt.h"

#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/grant.h"

void lb_disclosure_digest(struct lb_span disclosure, uint8_t out_digest[32])
{
    lb_sha256(disclosure, out_digest);
}

/* An array of the salt, the name and the value, in its disclosed form. */
static lb_status encode(const struct lb_json *array, struct lb_arena *arena,
                        struct lb_span *out_disclosure)
{
    struct lb_span text;
    LB_TRY(lb_json_dump(array, LB_JSON_COMPACT, arena, &text));
    char *encoded = lb_b64url_encode(arena, text);
    LB_ENSURE(encoded != NULL, LB_NO_MEMORY, "arena is full");
    *out_disclosure = lb_span_str(encoded);
    return LB_OK;
}

static lb_status new_salt(struct lb_arena *arena, struct lb_span *out_text)
{
    uint8_t salt[LB_DISCLOSURE_SALT_BYTES];
    LB_TRY(lb_crypto_random(salt, sizeof(salt)));
    char *text = lb_b64url_encode(arena, lb_span_of(salt, sizeof(salt)));
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    *out_text = lb_span_str(text);
    return LB_OK;
}

lb_status lb_disclosure_make(const char *name, struct lb_json *value, struct lb_arena *arena,
                             struct lb_span *out_disclosure)
{
    struct lb_span salt = LB_SPAN_EMPTY;
    lb_status status = new_salt(arena, &salt);
    LB_DEFER(lb_json_freep) struct lb_json *array = lb_json_array();
    lb_json_append_str(array, salt);
    lb_json_append_str(array, lb_span_str(name));
    lb_json_append(array, value);
    LB_TRY(status);
    return encode(array, arena, out_disclosure);
}

lb_status lb_disclosure_read(struct lb_span disclosure, const char *name, struct lb_arena *arena,
                             struct lb_json **out_root, const struct lb_json **out_value)
{
    struct lb_span text;
    struct lb_span salt;
    LB_TRY(lb_b64url_decode(arena, disclosure, &text));
    LB_DEFER(lb_json_freep) struct lb_json *root = NULL;
    LB_TRY(lb_json_parse(text, &root));
    LB_ENSURE(lb_json_is_array(root) && lb_json_len(root) == 3, LB_MALFORMED,
              "disclosure is not an array of three");
    LB_ENSURE(lb_json_is_string(lb_json_at(root, 0)), LB_MALFORMED, "salt is not a text");
    LB_TRY(lb_b64url_decode(arena, lb_json_str(lb_json_at(root, 0)), &salt));
    LB_ENSURE(salt.len == LB_DISCLOSURE_SALT_BYTES, LB_MALFORMED, "salt is not 16 bytes");
    LB_ENSURE(lb_json_is_string(lb_json_at(root, 1)) &&
                  lb_span_is(lb_json_str(lb_json_at(root, 1)), name),
              LB_MALFORMED, "disclosure has another name");
    *out_value = lb_json_at(root, 2);
    *out_root = root;
    root = NULL;
    return LB_OK;
}

/* Parts of the joined form must not hold a '~' of their own. */
static bool is_plain(struct lb_span part)
{
    return part.len > 0 && memchr(part.ptr, '~', part.len) == NULL;
}

lb_status lb_sd_jwt_join(struct lb_span jwt, const struct lb_span *disclosures,
                         size_t num_disclosures, struct lb_arena *arena, struct lb_span *out_text)
{
    LB_ENSURE(num_disclosures <= LB_MAX_DISCLOSURES, LB_GRANT_MALFORMED, "too many disclosures");
    LB_ENSURE(is_plain(jwt) && jwt.len <= LB_MAX_GRANT_BYTES, LB_GRANT_MALFORMED,
              "grant has a wrong size");
    size_t len = jwt.len + 1;
    for (size_t i = 0; i < num_disclosures; i++) {
        LB_ENSURE(is_plain(disclosures[i]) && disclosures[i].len <= LB_MAX_SECTION_BYTES,
                  LB_GRANT_MALFORMED, "disclosure has a wrong size");
        len += disclosures[i].len + 1;
    }
    uint8_t *text = lb_arena_alloc(arena, len);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    memcpy(text, jwt.ptr, jwt.len);
    size_t at = jwt.len;
    text[at++] = '~';
    for (size_t i = 0; i < num_disclosures; i++) {
        memcpy(text + at, disclosures[i].ptr, disclosures[i].len);
        at += disclosures[i].len;
        text[at++] = '~';
    }
    *out_text = lb_span_of(text, len);
    return LB_OK;
}

/* RFC 9901 section 7.1: a digest found more than once means the whole is refused. */
static bool seen_before(const struct lb_span *parts, size_t num, struct lb_span part)
{
    for (size_t i = 0; i < num; i++) {
        if (lb_span_eq(parts[i], part))
            return true;
    }
    return false;
}

/* The next part up to a '~', which is passed over; empty when there is none. */
static struct lb_span next_part(struct lb_span *rest)
{
    const uint8_t *end = rest->len == 0 ? NULL : memchr(rest->ptr, '~', rest->len);
    if (end == NULL)
        return LB_SPAN_EMPTY;
    struct lb_span part = lb_span_of(rest->ptr, (size_t)(end - rest->ptr));
    *rest = lb_span_of(end + 1, rest->len - part.len - 1);
    return part;
}

lb_status lb_sd_jwt_split(struct lb_span text, struct lb_arena *arena, struct lb_span *out_jwt,
                          struct lb_span **out_disclosures, size_t *out_num)
{
    struct lb_span rest = text;
    struct lb_span jwt = next_part(&rest);
    LB_ENSURE(jwt.len > 0 && jwt.len <= LB_MAX_GRANT_BYTES, LB_GRANT_MALFORMED,
              "grant has a wrong size");
    struct lb_span *parts = lb_arena_array(arena, LB_MAX_DISCLOSURES, sizeof(*parts));
    LB_ENSURE(parts != NULL, LB_NO_MEMORY, "arena is full");
    size_t num = 0;
    /* What stands behind the last '~' would be a key binding; we have none. */
    while (rest.len > 0) {
        struct lb_span part = next_part(&rest);
        LB_ENSURE(part.len > 0 && part.len <= LB_MAX_SECTION_BYTES, LB_GRANT_MALFORMED,
                  "disclosure has a wrong size");
        LB_ENSURE(num < LB_MAX_DISCLOSURES, LB_GRANT_MALFORMED, "too many disclosures");
        LB_ENSURE(!seen_before(parts, num, part), LB_GRANT_MALFORMED, "disclosure comes twice");
        parts[num++] = part;
    }
    *out_jwt = jwt;
    *out_disclosures = parts;
    *out_num = num;
    return LB_OK;
}
