#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/base/trace.h"
#include "gateway/base/utf8.h"
#include "gateway/config/yaml.h"
#include "gateway/crypto/b64.h"
#include "gateway/json/json.h"
#include "tests/fuzz/fuzz.h"

/* Encodings, JSON and YAML: what everything else is written in. */

#define ARENA_BYTES (64U << 20)

/* --- encodings --- */

/* RFC 3629 section 4, by its table rather than by arithmetic. Returns 0 where no character is. */
static size_t utf8_length(const uint8_t *at, size_t left)
{
    static const struct {
        uint8_t from, to, second_from, second_to;
        size_t len;
    } rows[] = {
        {0x00, 0x7F, 0, 0, 1},          {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3},    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4},    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (at[0] < rows[i].from || at[0] > rows[i].to)
            continue;
        if (left < rows[i].len)
            return 0;
        if (rows[i].len > 1 && (at[1] < rows[i].second_from || at[1] > rows[i].second_to))
            return 0;
        for (size_t k = 2; k < rows[i].len; k++)
            if ((at[k] & 0xC0) != 0x80)
                return 0;
        return rows[i].len;
    }
    return 0;
}

static bool try_utf8(struct lb_span in)
{
    size_t at = 0;
    while (at < in.len) {
        size_t from = at;
        size_t len = utf8_length(in.ptr + at, in.len - at);
        int32_t point = lb_utf8_next(in, &at);
        FUZZ_CHECK((point >= 0) == (len > 0));
        if (point < 0) {
            FUZZ_CHECK(point == -2);
            FUZZ_CHECK(!lb_utf8_valid(in));
            return false;
        }
        uint8_t again[4];
        FUZZ_CHECK(at - from == len && lb_utf8_put((uint32_t)point, again) == len);
        FUZZ_CHECK(memcmp(again, in.ptr + from, len) == 0);
    }
    FUZZ_CHECK(lb_utf8_next(in, &at) == -1);
    FUZZ_CHECK(lb_utf8_valid(in));
    return true;
}

static bool try_hex(struct lb_span in, struct lb_arena *arena)
{
    uint8_t *bytes = lb_arena_alloc(arena, in.len / 2);
    char *text = lb_arena_alloc(arena, in.len + 1);
    FUZZ_CHECK(bytes != NULL && text != NULL);
    if (lb_hex_decode(in, bytes, in.len / 2) != LB_OK)
        return false;
    lb_hex_encode(lb_span_of(bytes, in.len / 2), text);
    for (size_t i = 0; i < in.len; i++) {
        uint8_t lower = in.ptr[i] >= 'A' && in.ptr[i] <= 'F' ? in.ptr[i] | 0x20 : in.ptr[i];
        FUZZ_CHECK((uint8_t)text[i] == lower);
    }
    FUZZ_CHECK(text[in.len] == 0 && in.len % 2 == 0);
    return true;
}

/* Whatever decodes is the one spelling of its bytes, and whatever is encoded decodes. */
static bool try_b64(struct lb_span in, bool url, struct lb_arena *arena)
{
    struct lb_span bytes, back;
    const char *text = url ? lb_b64url_encode(arena, in) : lb_b64_encode(arena, in);
    FUZZ_CHECK(text != NULL);
    FUZZ_OK(url ? lb_b64url_decode(arena, lb_span_str(text), &back)
                : lb_b64_decode(arena, lb_span_str(text), &back));
    FUZZ_CHECK(lb_span_eq(back, in));
    lb_status status = url ? lb_b64url_decode(arena, in, &bytes) : lb_b64_decode(arena, in, &bytes);
    if (status != LB_OK)
        return false;
    text = url ? lb_b64url_encode(arena, bytes) : lb_b64_encode(arena, bytes);
    FUZZ_CHECK(text != NULL && lb_span_is(in, text));
    return true;
}

bool fuzz_encodings(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    uint8_t which = fuzz_u8(&in);
    switch (which & 3) {
    case 0:
        return try_utf8(in);
    case 1:
        return try_hex(in, arena);
    default:
        return try_b64(in, (which & 1) != 0, arena);
    }
}

void seed_encodings(const struct fuzz_sink *sink)
{
    fuzz_seed(sink, 0, lb_span_str("张三·阿布都 a\xF0\x9F\x98\x80\xEF\xBF\xBD\xC2\x80"));
    fuzz_seed(sink, 1, lb_span_str("00ff7fABcd"));
    fuzz_seed(sink, 2, lb_span_str("Zm9vYmE="));
    fuzz_seed(sink, 2, lb_span_str("+/+/"));
    fuzz_seed(sink, 3, lb_span_str("-_-_Zg"));
}

/* --- JSON --- */

static void check_json(const struct lb_json *json, int levels);

static void check_members(const struct lb_json *object, int levels)
{
    const char *key = NULL;
    const struct lb_json *value;
    FUZZ_CHECK(lb_json_len(object) <= LB_MAX_JSON_MEMBERS);
    for (size_t i = 0; (value = lb_json_member(object, i, &key)) != NULL; i++) {
        FUZZ_CHECK(lb_utf8_valid(lb_span_str(key)));
        check_json(value, levels);
        const char *only[] = {key, NULL};
        FUZZ_CHECK((lb_json_only(object, only) == LB_OK) == (lb_json_len(object) == 1));
    }
}

static void check_json(const struct lb_json *json, int levels)
{
    if (lb_json_is_string(json)) {
        struct lb_span text = lb_json_str(json);
        FUZZ_CHECK(lb_utf8_valid(text));
        FUZZ_CHECK(text.len == 0 || memchr(text.ptr, 0, text.len) == NULL);
    } else if (lb_json_is_object(json)) {
        FUZZ_CHECK(levels < LB_MAX_JSON_LEVELS);
        check_members(json, levels + 1);
    } else if (lb_json_is_array(json)) {
        FUZZ_CHECK(levels < LB_MAX_JSON_LEVELS);
        for (size_t i = 0; i < lb_json_len(json); i++)
            check_json(lb_json_at(json, i), levels + 1);
        FUZZ_CHECK(lb_json_at(json, lb_json_len(json)) == NULL);
    }
}

/* Written out again, in either style, it reads as the same value. */
static void check_json_text(const struct lb_json *json, enum lb_json_style style,
                            struct lb_arena *arena)
{
    struct lb_span text, compact, again;
    LB_DEFER(lb_json_freep) struct lb_json *back = NULL;
    FUZZ_OK(lb_json_dump(json, LB_JSON_COMPACT, arena, &compact));
    FUZZ_OK(lb_json_dump(json, style, arena, &text));
    if (text.len > LB_MAX_JSON_BYTES)
        return;
    FUZZ_OK(lb_json_parse(text, &back));
    FUZZ_OK(lb_json_dump(back, LB_JSON_COMPACT, arena, &again));
    FUZZ_CHECK(lb_span_eq(compact, again));
}

bool fuzz_json(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    if (lb_json_parse(in, &json) != LB_OK) {
        FUZZ_CHECK(json == NULL);
        return false;
    }
    check_json(json, 0);
    check_json_text(json, LB_JSON_COMPACT, arena);
    check_json_text(json, LB_JSON_PRETTY, arena);
    return true;
}

void seed_json(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, "{\"a\":[1,-9223372036854775808,true,null,\"\\u4e2d\\n\"],\"b\":{}}");
    fuzz_seed_text(sink, "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");
    fuzz_seed_text(sink, "\"\\ud83d\\ude00 张三\"");
    fuzz_seed_text(sink, " 9223372036854775807 ");
}

/* --- YAML --- */

static void check_yaml(const struct lb_yaml_node *node, int max_line, int levels)
{
    struct lb_diag diag = {""};
    const struct lb_yaml_node *child;
    const char *key = NULL;
    FUZZ_CHECK(lb_yaml_line(node) >= 1 && lb_yaml_line(node) <= max_line);
    FUZZ_CHECK(levels <= LB_MAX_YAML_LEVELS || lb_yaml_kind_of(node) == LB_YAML_SCALAR);
    for (size_t i = 0; (child = lb_yaml_item(node, i)) != NULL; i++)
        check_yaml(child, max_line, levels + 1);
    for (size_t i = 0; (child = lb_yaml_member(node, i, &key)) != NULL; i++) {
        FUZZ_CHECK(lb_yaml_get(node, key) == child);
        check_yaml(child, max_line, levels + 1);
    }
    const char *text = NULL;
    if (lb_yaml_text(node, &diag, &text) == LB_OK)
        FUZZ_CHECK(lb_utf8_valid(lb_span_str(text)));
    int64_t number = 0;
    bool truth = false;
    if (lb_yaml_int(node, INT64_MIN, INT64_MAX, &diag, &number) == LB_OK) {
        char plain[32];
        (void)snprintf(plain, sizeof(plain), "%lld", (long long)number);
        FUZZ_CHECK(text != NULL && strcmp(plain, text) == 0);
    }
    if (lb_yaml_bool(node, &diag, &truth) == LB_OK)
        FUZZ_CHECK(strcmp(text, truth ? "true" : "false") == 0);
}

bool fuzz_yaml(struct lb_span in)
{
    struct lb_diag diag = {""};
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    if (lb_yaml_load_text(in, "file.yaml", &diag, &yaml) != LB_OK) {
        FUZZ_CHECK(strncmp(diag.text, "file.yaml", 9) == 0);
        return false;
    }
    int lines = 2;
    for (size_t i = 0; i < in.len; i++)
        lines += in.ptr[i] == '\n' || in.ptr[i] == '\r' || in.ptr[i] >= 0x80;
    check_yaml(lb_yaml_root(yaml), lines, 1);
    FUZZ_CHECK(lb_span_eq(lb_yaml_bytes(yaml), in));
    return true;
}

void seed_yaml(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, "a: 1\nb: [x, \"y\\u4e2d\", 'z', ~, null]\nc: {d: true, e: text}\n");
    fuzz_seed_text(sink, "query: |\n  SELECT 1\n\nlist:\n  - {a: -5}\n  - >-\n    b\n    c\n");
    fuzz_seed_text(sink, "members: [{role: applicant, name: 张三}]\n");
}

/* --- trace context --- */

/* What is taken is written again byte by byte, and names no number of digits alone. */
bool fuzz_traceparent(struct lb_span in)
{
    struct lb_trace trace, next;
    char text[LB_TRACE_BYTES];
    if (!lb_trace_parse(in, &trace)) {
        lb_trace_take(in, &next);
        FUZZ_CHECK(!next.sampled);
        return false;
    }
    lb_trace_format(&trace, text);
    FUZZ_CHECK(lb_span_is(in, text));
    FUZZ_CHECK(strspn(trace.id, "0123456789abcdef") == 32 && strspn(trace.span, "0") < 16);
    FUZZ_CHECK(strspn(trace.id, "0123456789") < 32);
    lb_trace_step(&trace, &next);
    lb_trace_format(&next, text);
    FUZZ_CHECK(lb_trace_parse(lb_span_str(text), &trace));
    FUZZ_CHECK(strcmp(trace.id, next.id) == 0 && trace.sampled == next.sampled);
    return true;
}

void seed_traceparent(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    fuzz_seed_text(sink, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
}
