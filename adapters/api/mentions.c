#include "adapters/api/mentions.h"

#include <string.h>
#include <strings.h>

enum kind { END, NAME, DOT, EQUALS, KEY, OPEN, CLOSE, OTHER };

struct token {
    enum kind kind;
    struct lb_span text;
};

struct reader {
    const char *at;
    const struct lb_source_dialect *dialect;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

static bool is_in_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '$' || c == '#';
}

static size_t word_length(const char *text)
{
    size_t len = 0;
    while (is_in_word(text[len]))
        len++;
    return len;
}

/* Behind what begins and ends with a mark, a doubled one inside. */
static const char *behind_quoted(const char *text, bool backslash)
{
    const char mark = text[0];
    for (text++; *text != 0; text++) {
        if (backslash && *text == '\\' && text[1] != 0)
            text++;
        else if (*text == mark && text[1] == mark)
            text++;
        else if (*text == mark)
            return text + 1;
    }
    return text;
}

static const char *behind_comment(const char *text)
{
    const char *end = strstr(text + 2, "*/");
    return end == NULL ? text + strlen(text) : end + 2;
}

static void skip_blanks(struct reader *reader)
{
    for (;;) {
        const char *at = reader->at;
        if (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')
            reader->at++;
        else if ((at[0] == '-' && at[1] == '-') || (*at == '#' && reader->dialect->hash))
            reader->at += strcspn(at, "\n");
        else if (at[0] == '/' && at[1] == '*')
            reader->at = behind_comment(at);
        else
            return;
    }
}

static struct token take(struct reader *reader, enum kind kind, size_t len)
{
    struct token token = {kind, lb_span_of(reader->at, len)};
    reader->at += len;
    return token;
}

static struct token take_quoted(struct reader *reader)
{
    const char *at = reader->at;
    bool is_text = *at == '\'';
    size_t len = (size_t)(behind_quoted(at, is_text && reader->dialect->backslash) - at);
    struct token token = take(reader, is_text ? OTHER : NAME, len);
    if (!is_text && len >= 2)
        token.text = lb_span_of(at + 1, len - 2);
    return token;
}

/* ":id_no" alone; any other parameter is a value like others, and "::" a cast. */
static struct token take_colon(struct reader *reader)
{
    if (reader->at[1] == ':')
        return take(reader, OTHER, 2);
    size_t len = word_length(reader->at + 1);
    bool key = len == 5 && memcmp(reader->at + 1, "id_no", 5) == 0;
    return take(reader, key ? KEY : OTHER, len + 1);
}

static struct token next(struct reader *reader)
{
    skip_blanks(reader);
    const char *at = reader->at;
    switch (*at) {
    case 0:
        return (struct token){.kind = END};
    case '\'':
    case '"':
    case '`':
        return take_quoted(reader);
    case ':':
        return take_colon(reader);
    case '.':
        return take(reader, DOT, 1);
    case '=':
        return take(reader, EQUALS, 1);
    case '(':
        return take(reader, OPEN, 1);
    case ')':
        return take(reader, CLOSE, 1);
    case '<':
    case '>':
    case '!':
        return take(reader, OTHER, at[1] == '=' || at[1] == '>' ? 2 : 1);
    default:
        return is_letter(*at) ? take(reader, NAME, word_length(at)) : take(reader, OTHER, 1);
    }
}

static bool is_word(const struct token *token, const char *const words[])
{
    for (size_t i = 0; token->kind == NAME && words[i] != NULL; i++)
        if (strlen(words[i]) == token->text.len &&
            strncasecmp(words[i], (const char *)token->text.ptr, token->text.len) == 0)
            return true;
    return false;
}

/* Where a condition of its own begins, and where it ends. */
static bool begins(const struct token *token)
{
    static const char *const words[] = {"WHERE", "AND", "ON", NULL};
    return token->kind == OPEN || is_word(token, words);
}

static bool ends(const struct token *token)
{
    static const char *const words[] = {"AND",   "ORDER", "GROUP",     "HAVING", "LIMIT", "UNION",
                                        "FETCH", "LEFT",  "INNER",     "JOIN",   "RIGHT", "CROSS",
                                        "WHERE", "EXCEPT", "INTERSECT", NULL};
    return token->kind == END || token->kind == CLOSE || is_word(token, words);
}

static void keep(struct lb_source_mentions *out, struct lb_span name)
{
    if (out->num_names == LB_SOURCE_MAX_MENTIONS)
        out->sure = false;
    else
        out->names[out->num_names++] = name;
}

static void keep_key(struct lb_source_mentions *out, struct lb_span name)
{
    if (out->num_keys == LB_SOURCE_MAX_KEYS)
        out->sure = false;
    else
        out->keys[out->num_keys++] = name;
}

/* The last tokens, a name with what stands before its dots as one. */
struct window {
    struct token at[5];
};

static void push(struct window *window, struct token token)
{
    struct token *at = window->at;
    bool joins = token.kind == NAME && at[4].kind == DOT && at[3].kind == NAME;
    if (joins) {
        at[3] = token;
        memmove(at + 1, at, 4 * sizeof(at[0]));
        at[0].kind = OTHER;
        return;
    }
    memmove(at, at + 1, 4 * sizeof(at[0]));
    at[4] = token;
}

/* begins NAME = KEY ends, or begins KEY = NAME ends. */
static void look(const struct window *window, struct lb_source_mentions *out)
{
    const struct token *at = window->at;
    if (!begins(&at[0]) || at[2].kind != EQUALS || !ends(&at[4]))
        return;
    if (at[1].kind == NAME && at[3].kind == KEY)
        keep_key(out, at[1].text);
    if (at[1].kind == KEY && at[3].kind == NAME)
        keep_key(out, at[3].text);
}

/* A condition holds for the whole only if nothing beside it, in its bracket or around, is an
 * alternative, and no bracket around it is denied. */
struct group {
    size_t first_key;
    bool excludes;  /* the keys in it are none */
};

#define MAX_DEPTH 32

struct groups {
    size_t depth;
    struct group at[MAX_DEPTH];
};

static void leave(struct groups *groups, struct lb_source_mentions *out)
{
    const struct group *group = &groups->at[groups->depth];
    if (group->excludes)
        out->num_keys = group->first_key;
}

/* `before` stands before the token. */
static void follow(struct groups *groups, const struct token *before, const struct token *token,
                   struct lb_source_mentions *out)
{
    static const char *const either[] = {"OR", NULL}, *const denied[] = {"NOT", NULL};
    if (is_word(token, either))
        groups->at[groups->depth].excludes = true;
    if (token->kind == OPEN && groups->depth + 1 < MAX_DEPTH)
        groups->at[++groups->depth] = (struct group){out->num_keys, is_word(before, denied)};
    else if (token->kind == OPEN)
        out->sure = false;
    if (token->kind != CLOSE && token->kind != END)
        return;
    leave(groups, out);
    if (groups->depth == 0)
        out->sure = out->sure && token->kind == END;
    else
        groups->depth--;
}

void lb_source_mention(const char *query, const struct lb_source_dialect *dialect,
                       struct lb_source_mentions *out)
{
    struct reader reader = {query, dialect};
    struct window window = {.at = {{.kind = OTHER}}};
    struct groups groups = {.depth = 0};
    struct token token = {.kind = OTHER};
    *out = (struct lb_source_mentions){.sure = strchr(query, '$') == NULL};
    while (token.kind != END) {
        const struct token before = token;
        token = next(&reader);
        push(&window, token);
        look(&window, out);
        follow(&groups, &before, &token, out);
        if (token.kind == NAME)
            keep(out, token.text);
    }
}
