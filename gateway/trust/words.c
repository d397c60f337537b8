#include "gateway/trust/words.h"

#include "gateway/crypto/b64.h"
#include "gateway/trust/directory.h"

#define MAX_NUMBER_DIGITS 18

lb_status lb_words_split(struct lb_span line, const char *head, size_t num, struct lb_words *out)
{
    struct lb_words words = {.num = 0};
    const uint8_t *at = line.ptr;
    size_t left = line.len;
    for (;;) {
        const uint8_t *blank = left == 0 ? NULL : memchr(at, ' ', left);
        size_t len = blank == NULL ? left : (size_t)(blank - at);
        LB_ENSURE(len > 0 && words.num < LB_WORDS_MAX, LB_MALFORMED, "words of a line");
        words.list[words.num++] = lb_span_of(at, len);
        if (blank == NULL)
            break;
        at += len + 1;
        left -= len + 1;
    }
    LB_ENSURE(words.num == num && lb_span_is(words.list[0], head), LB_MALFORMED,
              "another line than belongs here");
    *out = words;
    return LB_OK;
}

lb_status lb_words_line(struct lb_span *rest, struct lb_span *out_line)
{
    const uint8_t *lf = rest->len == 0 ? NULL : memchr(rest->ptr, '\n', rest->len);
    LB_ENSURE(lf != NULL, LB_MALFORMED, "a line is missing");
    size_t len = (size_t)(lf - rest->ptr);
    *out_line = lb_span_of(rest->ptr, len);
    *rest = lb_span_of(lf + 1, rest->len - len - 1);
    return LB_OK;
}

lb_status lb_words_take(struct lb_span *rest, const char *head, size_t num, struct lb_words *out)
{
    struct lb_span line;
    LB_TRY(lb_words_line(rest, &line));
    return lb_words_split(line, head, num, out);
}

lb_status lb_words_number(struct lb_span text, uint64_t *out)
{
    uint64_t number = 0;
    LB_ENSURE(text.len <= MAX_NUMBER_DIGITS && (text.len == 1 || text.ptr[0] != '0'), LB_MALFORMED,
              "a number");
    for (size_t i = 0; i < text.len; i++) {
        LB_ENSURE(text.ptr[i] >= '0' && text.ptr[i] <= '9', LB_MALFORMED, "a number");
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *out = number;
    return LB_OK;
}

lb_status lb_words_time(struct lb_span text, int64_t *out)
{
    uint64_t number = 0;
    LB_TRY(lb_words_number(text, &number));
    *out = (int64_t)number;
    return LB_OK;
}

lb_status lb_words_bytes(struct lb_span text, struct lb_arena *arena, uint8_t *out, size_t len)
{
    struct lb_span bytes;
    LB_TRY(lb_b64_decode(arena, text, &bytes));
    LB_ENSURE(bytes.len == len, LB_MALFORMED, "a hash or signature has the wrong length");
    memcpy(out, bytes.ptr, len);
    return LB_OK;
}

lb_status lb_words_text(struct lb_span text, struct lb_arena *arena, const char **out)
{
    LB_ENSURE(memchr(text.ptr, 0, text.len) == NULL, LB_MALFORMED, "a text with a NUL");
    *out = lb_arena_str(arena, text);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

lb_status lb_words_member(struct lb_span text, struct lb_arena *arena, const char **out)
{
    const char *federation = NULL, *organization = NULL;
    enum lb_node_kind kind;
    LB_TRY(lb_words_text(text, arena, out));
    return lb_spiffe_parse(*out, arena, &federation, &kind, &organization);
}
