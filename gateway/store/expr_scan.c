#include "gateway/store/expr_scan.h"

#include <strings.h>

#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"

struct word {
    const char *text;
    enum lb_token_kind kind;
};

/* Words mean the same in either case, as in SQL. The banned ones would be unknown names anyway;
 * they stand here so that no name can be one and the message can say why. */
static const struct word words[] = {
    {"and", LB_TOKEN_AND},        {"or", LB_TOKEN_OR},
    {"not", LB_TOKEN_NOT},        {"in", LB_TOKEN_IN},
    {"between", LB_TOKEN_BETWEEN}, {"true", LB_TOKEN_TRUE},
    {"false", LB_TOKEN_FALSE},    {"abs", LB_TOKEN_FUNCTION},
    {"ceil", LB_TOKEN_FUNCTION},  {"min", LB_TOKEN_FUNCTION},
    {"max", LB_TOKEN_FUNCTION},   {"floor_div", LB_TOKEN_FUNCTION},
    {"ceil_div", LB_TOKEN_FUNCTION}, {"as_number", LB_TOKEN_FUNCTION},
    {"unknown", LB_TOKEN_UNKNOWN},
    {"case", LB_TOKEN_BANNED},
    {"when", LB_TOKEN_BANNED},    {"then", LB_TOKEN_BANNED},
    {"else", LB_TOKEN_BANNED},    {"end", LB_TOKEN_BANNED},
    {"is", LB_TOKEN_BANNED},      {"isnull", LB_TOKEN_BANNED},
    {"notnull", LB_TOKEN_BANNED}, {"null", LB_TOKEN_BANNED},
    {"exists", LB_TOKEN_BANNED},  {"select", LB_TOKEN_BANNED},
    {"values", LB_TOKEN_BANNED},  {"with", LB_TOKEN_BANNED},
    {"from", LB_TOKEN_BANNED},    {"union", LB_TOKEN_BANNED},
    {"coalesce", LB_TOKEN_BANNED}, {"ifnull", LB_TOKEN_BANNED},
    {"iif", LB_TOKEN_BANNED},     {"nullif", LB_TOKEN_BANNED},
    {"like", LB_TOKEN_BANNED},    {"glob", LB_TOKEN_BANNED},
    {"match", LB_TOKEN_BANNED},   {"regexp", LB_TOKEN_BANNED},
    {"cast", LB_TOKEN_BANNED},    {"collate", LB_TOKEN_BANNED},
    {"escape", LB_TOKEN_BANNED},  {"raise", LB_TOKEN_BANNED},
    {"distinct", LB_TOKEN_BANNED},
};

static enum lb_token_kind word_kind(struct lb_span text)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].text) == text.len &&
            strncasecmp(words[i].text, (const char *)text.ptr, text.len) == 0)
            return words[i].kind;
    }
    return LB_TOKEN_NAME;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static size_t name_len(struct lb_span text)
{
    size_t len = 0;
    while (len < text.len && (is_letter(text.ptr[len]) || (len > 0 && is_digit(text.ptr[len]))))
        len++;
    return len;
}

bool lb_token_is_free_name(const char *name)
{
    struct lb_span text = lb_span_str(name);
    return text.len > 0 && text.len < LB_MAX_NAME_BYTES && name_len(text) == text.len &&
           word_kind(text) == LB_TOKEN_NAME;
}

static size_t place_of(struct lb_span text, size_t at)
{
    size_t place = 1;
    for (size_t i = 0; i < at; i++)
        place += (text.ptr[i] & 0xC0) != 0x80;
    return place;
}

static lb_status refuse(const struct lb_token_scanner *scanner, struct lb_diag *diag,
                        const char *what)
{
    lb_diag_set(diag, "at character %zu: %s", place_of(scanner->text, scanner->at), what);
    LB_FAIL(LB_CONFIG_INVALID, "a rule has a character that is not allowed");
}

/* A number's digits may not run into a letter or a point: 0x10, 1e3, 1.5 and 2a are no numbers. */
static lb_status number_len(const struct lb_token_scanner *scanner, struct lb_span rest,
                            struct lb_diag *diag, size_t *out_len)
{
    size_t len = 0;
    int64_t value = 0;
    bool fits = true;
    for (; len < rest.len && is_digit(rest.ptr[len]); len++)
        fits = fits && !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_add_overflow(value, rest.ptr[len] - '0', &value);
    if (!fits)
        return refuse(scanner, diag, "the number is too large; 64 bits hold 19 digits");
    if (len < rest.len && (is_letter(rest.ptr[len]) || rest.ptr[len] == '.'))
        return refuse(scanner, diag, "not a whole number; write its digits, money in cents");
    *out_len = len;
    return LB_OK;
}

static lb_status text_len(const struct lb_token_scanner *scanner, struct lb_span rest,
                          struct lb_diag *diag, size_t *out_len)
{
    size_t content = 0;
    for (size_t i = 1; i < rest.len; i++, content++) {
        if (rest.ptr[i] < 0x20 || rest.ptr[i] == 0x7F)
            return refuse(scanner, diag, "a control character in a text; remove it");
        if (rest.ptr[i] != '\'')
            continue;
        if (i + 1 < rest.len && rest.ptr[i + 1] == '\'') {
            i++;
            continue;
        }
        if (content >= LB_MAX_EXPR_TEXT_BYTES)
            return refuse(scanner, diag, "the text is too long; at most 63 bytes");
        *out_len = i + 1;
        return LB_OK;
    }
    return refuse(scanner, diag, "the text has no end; close it with '");
}

struct sign {
    const char *text;
    enum lb_token_kind kind;
};

/* Longer signs stand before their beginnings. */
static const struct sign signs[] = {
    {"<>", LB_TOKEN_EQUALITY}, {"!=", LB_TOKEN_EQUALITY}, {"<=", LB_TOKEN_ORDER},
    {">=", LB_TOKEN_ORDER},    {"=", LB_TOKEN_EQUALITY},  {"<", LB_TOKEN_ORDER},
    {">", LB_TOKEN_ORDER},     {"+", LB_TOKEN_PLUS},      {"-", LB_TOKEN_MINUS},
    {"*", LB_TOKEN_TIMES},     {"(", LB_TOKEN_OPEN},      {")", LB_TOKEN_CLOSE},
    {",", LB_TOKEN_COMMA},
};

static bool begins(struct lb_span rest, const char *with)
{
    size_t len = strlen(with);
    return rest.len >= len && memcmp(rest.ptr, with, len) == 0;
}

/* What SQL would read as something else than the signs it consists of. */
static lb_status refuse_lookalikes(const struct lb_token_scanner *scanner, struct lb_span rest,
                                   struct lb_diag *diag)
{
    if (begins(rest, "--") || begins(rest, "/*"))
        return refuse(scanner, diag, "comments are not allowed; remove it (a - -b needs a space)");
    if (begins(rest, "/") || begins(rest, "%"))
        return refuse(scanner, diag,
                      "division would lose the remainder; multiply the other side instead");
    if (begins(rest, "==") || begins(rest, "<<") || begins(rest, ">>") || begins(rest, "->"))
        return refuse(scanner, diag, "there is no such sign; use = <> < <= > >= + - *");
    return LB_OK;
}

static lb_status sign_token(const struct lb_token_scanner *scanner, struct lb_span rest,
                            struct lb_diag *diag, struct lb_token *token)
{
    LB_TRY(refuse_lookalikes(scanner, rest, diag));
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (begins(rest, signs[i].text)) {
            token->kind = signs[i].kind;
            token->text = lb_span_of(rest.ptr, strlen(signs[i].text));
            return LB_OK;
        }
    }
    return refuse(scanner, diag,
                  "this character is not allowed; use names, whole numbers, 'texts', AND, OR, NOT, "
                  "IN, BETWEEN, = <> < <= > >= + - * and parentheses");
}

static lb_status read_token(const struct lb_token_scanner *scanner, struct lb_span rest,
                            struct lb_diag *diag, struct lb_token *token)
{
    size_t len = name_len(rest);
    if (len > 0) {
        token->text = lb_span_of(rest.ptr, len);
        token->kind = word_kind(token->text);
        return LB_OK;
    }
    if (is_digit(rest.ptr[0])) {
        LB_TRY(number_len(scanner, rest, diag, &len));
        token->kind = LB_TOKEN_NUMBER;
    } else if (rest.ptr[0] == '\'') {
        LB_TRY(text_len(scanner, rest, diag, &len));
        token->kind = LB_TOKEN_TEXT;
    } else {
        return sign_token(scanner, rest, diag, token);
    }
    token->text = lb_span_of(rest.ptr, len);
    return LB_OK;
}

lb_status lb_token_next(struct lb_token_scanner *scanner, struct lb_diag *diag,
                        struct lb_token *out_token)
{
    struct lb_span text = scanner->text;
    while (scanner->at < text.len && memchr(" \t\r\n", text.ptr[scanner->at], 4) != NULL)
        scanner->at++;
    struct lb_token token = {LB_TOKEN_END, LB_SPAN_EMPTY, place_of(text, scanner->at)};
    struct lb_span rest = lb_span_of(text.ptr + scanner->at, text.len - scanner->at);
    if (rest.len > 0)
        LB_TRY(read_token(scanner, rest, diag, &token));
    scanner->at += token.text.len;
    *out_token = token;
    return LB_OK;
}
