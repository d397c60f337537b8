#include "adapters/api/query.h"

#include <string.h>
#include <strings.h>

#include "gateway/base/limits.h"

#define MAX_QUERY_BYTES (64 * 1024)

/* One pass over the query; what was read is copied to `out`, parameters as marks. */
struct scan {
    const struct lb_source_dialect *dialect;
    struct lb_diag *diag;
    const char *at;
    char *out;
    size_t len;
    size_t room;
    bool begun;  /* the verb was seen */
    int depth;   /* open brackets */
    struct lb_source_text *text;
};

#define REFUSE(scan_, ...)                                                                         \
    do {                                                                                           \
        lb_diag_set((scan_)->diag, __VA_ARGS__);                                                   \
        LB_FAIL(LB_CONFIG_INVALID, "query that is refused");                                       \
    } while (0)

static lb_status put(struct scan *scan, const char *text, size_t len)
{
    LB_ENSURE(len <= scan->room - scan->len, LB_CONFIG_INVALID, "query is too long");
    memcpy(scan->out + scan->len, text, len);
    scan->len += len;
    return LB_OK;
}

static lb_status take(struct scan *scan, size_t len)
{
    LB_TRY(put(scan, scan->at, len));
    scan->at += len;
    return LB_OK;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_in_word(char c)
{
    return is_letter(c) || is_digit(c) || c == '$';
}

static size_t word_length(const char *text)
{
    size_t len = 0;
    while (is_in_word(text[len]))
        len++;
    return len;
}

/* The length of what begins and ends with `mark`, a doubled one inside; 0 when it does not end. */
static size_t quoted_length(const char *text, bool backslash)
{
    const char mark = text[0];
    size_t i = 1;
    while (text[i] != 0) {
        if (backslash && text[i] == '\\' && text[i + 1] != 0) {
            i += 2;
        } else if (text[i] != mark) {
            i++;
        } else if (text[i + 1] == mark) {
            i += 2;
        } else {
            return i + 1;
        }
    }
    return 0;
}

static lb_status take_quoted(struct scan *scan, bool backslash)
{
    size_t len = quoted_length(scan->at, backslash);
    if (len == 0)
        REFUSE(scan, "a text or name of the query is not closed; add the missing %c", *scan->at);
    return take(scan, len);
}

static lb_status skip_line(struct scan *scan)
{
    /* MySQL takes two minus signs before anything but a blank for two minus signs. */
    if (scan->dialect->hash && *scan->at == '-' && scan->at[2] != 0 && scan->at[2] != ' ' &&
        scan->at[2] != '\t' && scan->at[2] != '\r' && scan->at[2] != '\n')
        REFUSE(scan, "the query has -- without a blank behind it; put one there");
    scan->at += strcspn(scan->at, "\n");
    return put(scan, " ", 1);
}

/* A comment becomes a blank: MySQL runs what stands in some of them. */
static lb_status skip_comment(struct scan *scan)
{
    const char *text = scan->at + 2;
    int depth = 1;
    if (*text == '!' || (*text == 'M' && text[1] == '!'))
        REFUSE(scan, "the query has a comment that some servers run; remove it");
    while (*text != 0 && depth > 0) {
        bool opens = scan->dialect->dollar && text[0] == '/' && text[1] == '*';
        bool closes = text[0] == '*' && text[1] == '/';
        depth += opens ? 1 : closes ? -1 : 0;
        text += opens || closes ? 2 : 1;
    }
    if (depth > 0)
        REFUSE(scan, "a comment of the query is not closed; add the missing */");
    scan->at = text;
    return put(scan, " ", 1);
}

static const char *known_param(const char *name, size_t len)
{
    static const char *const names[] = {"id_no", "today", "this_month", "from_month"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return names[i];
    return NULL;
}

static lb_status put_mark(struct scan *scan, size_t number)
{
    char digits[8];
    size_t i = sizeof(digits);
    if (scan->dialect->marks == LB_SOURCE_QUESTION_MARKS)
        return put(scan, "?", 1);
    for (; number > 0; number /= 10)
        digits[--i] = (char)('0' + number % 10);
    LB_TRY(put(scan, "$", 1));
    return put(scan, digits + i, sizeof(digits) - i);
}

static lb_status take_param(struct scan *scan)
{
    size_t len = word_length(scan->at + 1);
    const char *name = known_param(scan->at + 1, len);
    if (name == NULL)
        REFUSE(scan, "the query has a parameter \":%.*s\" that nobody fills; use :id_no, :today, "
                     ":this_month or :from_month", (int)(len < 40 ? len : 40), scan->at + 1);
    if (scan->text->num_marks == LB_SOURCE_MAX_MARKS)
        REFUSE(scan, "the query mentions parameters more than %d times", LB_SOURCE_MAX_MARKS);
    scan->text->names[scan->text->num_marks++] = name;
    scan->at += len + 1;
    return put_mark(scan, scan->text->num_marks);
}

/* $tag$ ... $tag$ */
static lb_status take_dollar(struct scan *scan)
{
    size_t tag = 1;
    while (is_letter(scan->at[tag]) || (tag > 1 && is_digit(scan->at[tag])))
        tag++;
    if (scan->at[tag] != '$')
        REFUSE(scan, "the query has a mark of the server's own ($); write :id_no, :today, "
                     ":this_month or :from_month");
    for (const char *end = scan->at + tag + 1; (end = strchr(end, '$')) != NULL; end++)
        if (strncmp(end, scan->at, tag + 1) == 0)
            return take(scan, (size_t)(end - scan->at) + tag + 1);
    REFUSE(scan, "a text of the query between $ is not closed");
}

static bool is_word(const char *word, size_t len, const char *other)
{
    return strlen(other) == len && strncasecmp(word, other, len) == 0;
}

static bool begins(const char *word, size_t len, const char *other)
{
    return len >= strlen(other) && strncasecmp(word, other, strlen(other)) == 0;
}

/* Words that no query of a view needs, outside of quotes: they write, lock, or leave SQL. */
static bool is_refused_word(const char *word, size_t len)
{
    static const char *const words[] = {
        "insert", "update", "delete", "merge", "truncate", "into", "copy",
        "call",   "do",     "lock",   "grant", "revoke",       "alter",    "create",  "drop",
        "attach", "detach", "vacuum", "load",  "handler",      "execute",  "prepare", "listen",
        "notify", "outfile", "dumpfile", "procedure", "exec",
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (is_word(word, len, words[i]))
            return true;
    return false;
}

/* Functions that act, or read what is no table. */
static bool is_refused_function(const char *word, size_t len)
{
    static const char *const begin[] = {"pg_", "lo_", "dblink", "query_to_", "table_to_",
                                        "cursor_to_", "schema_to_", "database_to_", "xp_", "sp_",
                                        "dbms_", "utl_", "sys_e"};
    static const char *const whole[] = {
        "set_config", "nextval", "setval", "lastval", "sleep", "benchmark", "get_lock",
        "release_lock", "load_file", "openrowset", "opendatasource", "openquery", "current_setting",
        "lastval", "txid_current", "loread", "lowrite"};
    for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
        if (begins(word, len, begin[i]))
            return true;
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
        if (is_word(word, len, whole[i]))
            return true;
    return false;
}

static bool calls(const char *behind)
{
    while (*behind == ' ' || *behind == '\t' || *behind == '\n' || *behind == '\r')
        behind++;
    return *behind == '(';
}

static lb_status take_word(struct scan *scan)
{
    size_t len = word_length(scan->at);
    int shown = (int)(len < 40 ? len : 40);
    if (!scan->begun && !is_word(scan->at, len, "select") && !is_word(scan->at, len, "with"))
        REFUSE(scan, "the query is not one that only reads; write one SELECT");
    scan->begun = true;
    if (is_refused_word(scan->at, len))
        REFUSE(scan, "the query has the word %.*s, and a view only reads; remove it, or put it in "
                     "quotes where it is a name", shown, scan->at);
    if (is_refused_function(scan->at, len) && calls(scan->at + len))
        REFUSE(scan, "the query calls %.*s, which does more than read tables; remove it", shown,
               scan->at);
    /* E'...' of PostgreSQL, whose strings have escapes. */
    bool escapes = scan->dialect->dollar && len == 1 && (*scan->at == 'e' || *scan->at == 'E') &&
                   scan->at[1] == '\'';
    LB_TRY(take(scan, len));
    return escapes ? take_quoted(scan, true) : LB_OK;
}

/* MySQL may take "..." for a text with escapes; as a name it has none. */
static lb_status take_name(struct scan *scan)
{
    const char *name = scan->at + 1;
    size_t len = quoted_length(scan->at, scan->dialect->backslash && *scan->at == '"');
    if (len > 2 && is_refused_function(name, len - 2) && calls(scan->at + len))
        REFUSE(scan, "the query calls %.*s, which does more than read tables; remove it",
               (int)(len - 2 < 40 ? len - 2 : 40), name);
    return take_quoted(scan, scan->dialect->backslash && *scan->at == '"');
}

static lb_status take_number(struct scan *scan)
{
    size_t len = 0;
    while (is_letter(scan->at[len]) || is_digit(scan->at[len]) || scan->at[len] == '.')
        len++;
    return take(scan, len);
}

static lb_status take_bracket(struct scan *scan)
{
    scan->depth += *scan->at == '(' ? 1 : -1;
    if (scan->depth < 0)
        REFUSE(scan, "the query closes a bracket that it did not open; remove it");
    return take(scan, 1);
}

static lb_status take_sign(struct scan *scan)
{
    const char c = *scan->at;
    if (c == ';')
        REFUSE(scan, "a query is one statement; remove the ';'");
    if (c == '?' || c == '@')
        REFUSE(scan, "the query has a mark of the server's own (%c); write :id_no, :today, "
                     ":this_month or :from_month", c);
    if (c == ':' && scan->at[1] == ':')
        return take(scan, 2);
    if (c == ':' && is_letter(scan->at[1]))
        return take_param(scan);
    if (c == '(' || c == ')')
        return take_bracket(scan);
    return take(scan, 1);
}

static lb_status step(struct scan *scan)
{
    const struct lb_source_dialect *dialect = scan->dialect;
    const char c = *scan->at;
    if (c == '-' && scan->at[1] == '-')
        return skip_line(scan);
    if (c == '#' && dialect->hash)
        return skip_line(scan);
    if (c == '/' && scan->at[1] == '*')
        return skip_comment(scan);
    if (c == '\'')
        return take_quoted(scan, dialect->backslash);
    if (c == '"' || (c == '`' && dialect->backquote))
        return take_name(scan);
    if (c == '$')
        return take_dollar(scan);
    if (is_letter(c))
        return take_word(scan);
    if (is_digit(c))
        return take_number(scan);
    return take_sign(scan);
}

lb_status lb_source_translate(const char *query, const struct lb_source_dialect *dialect,
                              struct lb_arena *arena, struct lb_diag *diag,
                              struct lb_source_text *out)
{
    struct lb_source_text text = {.num_marks = 0};
    struct scan scan = {.dialect = dialect, .diag = diag, .at = query, .text = &text};
    size_t len = strlen(query);
    if (len > MAX_QUERY_BYTES)
        REFUSE(&scan, "the query is longer than %d bytes; shorten it", MAX_QUERY_BYTES);
    scan.room = len + (size_t)LB_SOURCE_MAX_MARKS * 4;
    scan.out = lb_arena_alloc(arena, scan.room + 1);
    LB_ENSURE(scan.out != NULL, LB_NO_MEMORY, "arena full");
    while (*scan.at != 0)
        LB_TRY(step(&scan));
    if (!scan.begun)
        REFUSE(&scan, "the query is empty; write one SELECT");
    if (scan.depth > 0)
        REFUSE(&scan, "the query opens a bracket that it does not close");
    text.text = scan.out;
    *out = text;
    return LB_OK;
}
