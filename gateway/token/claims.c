#include "gateway/token/claims.h"

#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"

struct lb_claims lb_claims_of(const struct lb_json *object, const char *const *keys,
                              struct lb_arena *arena)
{
    struct lb_claims claims = {.object = object, .arena = arena, .status = LB_OK};
    if (object == NULL || !lb_json_is_object(object))
        claims.status = LB_FAULT(LB_MALFORMED, "an object is missing");
    else
        claims.status = lb_json_only(object, keys);
    return claims;
}

const char *lb_text_copy(const struct lb_json *string, struct lb_arena *arena)
{
    if (string == NULL || !lb_json_is_string(string))
        return NULL;
    return lb_arena_str(arena, lb_json_str(string));
}

static const char *copy(struct lb_claims *claims, struct lb_span text)
{
    const char *string = lb_arena_str(claims->arena, text);
    if (string == NULL)
        claims->status = LB_FAULT(LB_NO_MEMORY, "arena is full");
    return string;
}

const char *lb_claims_text(struct lb_claims *claims, const char *key)
{
    if (claims->status != LB_OK)
        return NULL;
    struct lb_span text;
    claims->status = lb_json_get_str(claims->object, key, &text);
    return claims->status == LB_OK ? copy(claims, text) : NULL;
}

const char *lb_claims_text_if(struct lb_claims *claims, const char *key)
{
    if (claims->status != LB_OK)
        return NULL;
    struct lb_span text;
    lb_status status = lb_json_get_str(claims->object, key, &text);
    if (lb_status_code(status) == LB_ABSENT)
        return NULL;
    claims->status = status;
    return status == LB_OK ? copy(claims, text) : NULL;
}

int64_t lb_claims_int(struct lb_claims *claims, const char *key, int64_t min, int64_t max)
{
    int64_t value = 0;
    if (claims->status == LB_OK)
        claims->status = lb_json_get_int(claims->object, key, &value);
    if (claims->status != LB_OK)
        return 0;
    if (value < min || value > max) {
        claims->status = LB_FAULT(LB_MALFORMED, "a number is out of range");
        return 0;
    }
    return value;
}

static bool is_lower_hex(struct lb_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        if (!digit && (text.ptr[i] < 'a' || text.ptr[i] > 'f'))
            return false;
    }
    return true;
}

void lb_claims_hex32(struct lb_claims *claims, const char *key, uint8_t out[32])
{
    struct lb_span text;
    if (claims->status == LB_OK)
        claims->status = lb_json_get_str(claims->object, key, &text);
    if (claims->status != LB_OK)
        return;
    /* One value has one spelling, so that a hash over the text stands for the value. */
    if (!is_lower_hex(text))
        claims->status = LB_FAULT(LB_MALFORMED, "hash is not lower-case hex");
    else
        claims->status = lb_hex_decode(text, out, 32);
}

void lb_claims_b64_32(struct lb_claims *claims, const char *key, uint8_t out[32])
{
    struct lb_span text;
    struct lb_span bytes;
    if (claims->status == LB_OK)
        claims->status = lb_json_get_str(claims->object, key, &text);
    if (claims->status == LB_OK)
        claims->status = lb_b64url_decode(claims->arena, text, &bytes);
    if (claims->status != LB_OK)
        return;
    if (bytes.len == 32)
        memcpy(out, bytes.ptr, 32);
    else
        claims->status = LB_FAULT(LB_MALFORMED, "value is not 32 bytes");
}

const struct lb_json *lb_claims_object(struct lb_claims *claims, const char *key)
{
    const struct lb_json *value = NULL;
    if (claims->status == LB_OK)
        claims->status = lb_json_get_object(claims->object, key, &value);
    return value;
}

const struct lb_json *lb_claims_array(struct lb_claims *claims, const char *key)
{
    const struct lb_json *value = NULL;
    if (claims->status == LB_OK)
        claims->status = lb_json_get_array(claims->object, key, &value);
    return value;
}

bool lb_text_ok(const char *text, size_t max)
{
    if (text == NULL)
        return false;
    size_t len = strnlen(text, max + 1);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    }
    return len >= 1 && len <= max;
}

lb_status lb_token_fault(lb_status status, lb_status otherwise)
{
    if (status == LB_OK || lb_status_code(status) == LB_NO_MEMORY)
        return status;
    return otherwise;
}
