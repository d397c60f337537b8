#include <stdio.h>
#include <string.h>

#include "adapters/api/cells.h"
#include "adapters/api/mentions.h"
#include "adapters/api/query.h"
#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"
#include "tests/fuzz/fuzz.h"

/* What a department's database hands over, and what its author's query may be. */

#define ARENA_BYTES (1U << 20)

static void check_text(struct lb_span in, struct lb_arena *arena)
{
    struct lb_source_cell cell = {.kind = LB_SOURCE_NULL};
    FUZZ_OK(lb_source_cell_text(in, arena, &cell));
    FUZZ_CHECK(cell.kind != LB_SOURCE_INT && cell.number == 0);
    if (cell.kind == LB_SOURCE_NULL)
        return;
    FUZZ_CHECK(cell.text.len > 0 && cell.text.len <= LB_MAX_VALUE_BYTES);
    FUZZ_CHECK(lb_utf8_valid(cell.text) && cell.text.ptr[cell.text.len - 1] != ' ');
    FUZZ_CHECK(cell.text.len <= in.len && memcmp(cell.text.ptr, in.ptr, cell.text.len) == 0);
}

static void check_date(struct lb_span in, struct lb_arena *arena)
{
    struct lb_source_cell cell = {.kind = LB_SOURCE_NULL};
    FUZZ_OK(lb_source_cell_date(in, 10, arena, &cell));
    FUZZ_CHECK(cell.kind == LB_SOURCE_NULL || (cell.text.len == 10 && cell.text.ptr[4] == '-'));
}

/* The digits of a number without the zeros that mean nothing, from the right and from the left. */
static size_t plain_digits(const char *text, size_t len, char *out)
{
    size_t num = 0;
    for (size_t i = 0; i < len; i++)
        if (text[i] >= '0' && text[i] <= '9' && (num > 0 || text[i] != '0'))
            out[num++] = text[i];
    while (num > 0 && out[num - 1] == '0')
        num--;
    return num;
}

/* Cents have the digits of the yuan that they were, whatever the zeros around them. */
static bool check_decimal(struct lb_span in, unsigned places)
{
    struct lb_source_cell cell = {.kind = LB_SOURCE_NULL};
    char wanted[64];
    char got[64];
    char printed[32];
    if (in.len > sizeof(wanted))
        return false;
    lb_source_cell_decimal(in, places, &cell);
    FUZZ_CHECK(cell.kind != LB_SOURCE_TEXT);
    if (cell.kind == LB_SOURCE_NULL)
        return false;
    int len = snprintf(printed, sizeof(printed), "%lld", (long long)cell.number);
    size_t num = plain_digits((const char *)in.ptr, in.len, wanted);
    FUZZ_CHECK(num == plain_digits(printed, (size_t)len, got) && memcmp(wanted, got, num) == 0);
    FUZZ_CHECK((in.ptr[0] == '-') == (cell.number < 0) || cell.number == 0);
    return true;
}

bool fuzz_source_cell(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    check_text(in, arena);
    check_date(in, arena);
    bool accepted = check_decimal(in, 2);
    return check_decimal(in, 0) || accepted;
}

void seed_source_cell(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, "1234.56");
    fuzz_seed_text(sink, "-0.0100");
    fuzz_seed_text(sink, "9223372036854775807");
    fuzz_seed_text(sink, "92233720368547758.07");
    fuzz_seed_text(sink, "12.00");
}

static const struct lb_source_dialect dialects[] = {
    {.marks = LB_SOURCE_DOLLAR_MARKS, .dollar = true},
    {.marks = LB_SOURCE_QUESTION_MARKS, .backquote = true, .hash = true},
    {.marks = LB_SOURCE_QUESTION_MARKS, .backslash = true, .backquote = true, .hash = true},
};

/* What is mentioned stands in the query, and what is not understood stays within its text. */
static void check_mentions(const char *query, const struct lb_source_dialect *dialect)
{
    struct lb_source_mentions mentions;
    const uint8_t *end = (const uint8_t *)query + strlen(query);
    lb_source_mention(query, dialect, &mentions);
    FUZZ_CHECK(mentions.num_names <= LB_SOURCE_MAX_MENTIONS);
    FUZZ_CHECK(mentions.num_keys <= LB_SOURCE_MAX_KEYS);
    for (size_t i = 0; i < mentions.num_names; i++)
        FUZZ_CHECK(mentions.names[i].ptr >= (const uint8_t *)query &&
                   mentions.names[i].ptr + mentions.names[i].len <= end);
    FUZZ_CHECK(mentions.num_keys == 0 || strstr(query, ":id_no") != NULL);
}

bool fuzz_source_query(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const struct lb_source_dialect *dialect =
        &dialects[fuzz_u8(&in) % (sizeof(dialects) / sizeof(dialects[0]))];
    const char *query = fuzz_text(arena, in);
    struct lb_source_text text = {.text = NULL};
    struct lb_diag diag = {""};
    if (query == NULL)
        return false;
    check_mentions(query, dialect);
    lb_status status = lb_source_translate(query, dialect, arena, &diag, &text);
    FUZZ_CHECK((status == LB_OK) == (text.text != NULL));
    if (status != LB_OK) {
        FUZZ_CHECK(lb_status_code(status) == LB_NO_MEMORY || diag.text[0] != 0);
        return false;
    }
    FUZZ_CHECK(text.num_marks <= LB_SOURCE_MAX_MARKS);
    FUZZ_CHECK(strlen(text.text) <= strlen(query) + 4 * LB_SOURCE_MAX_MARKS);
    for (size_t i = 0; i < text.num_marks; i++)
        FUZZ_CHECK(text.names[i] != NULL && strstr(query, text.names[i]) != NULL);
    return true;
}

void seed_source_query(const struct fuzz_sink *sink)
{
    static const char *const queries[] = {
        "SELECT a, 'it''s :x' FROM t WHERE b = :id_no AND c >= :from_month -- end\n",
        "SELECT (a) /* :x */ FROM \"t\" WHERE b = :id_no AND c = :today",
        "SELECT `a` FROM s.t, \"u\" WHERE s.t.b=:id_no AND :id_no = \"u\".c LIMIT 1",
        "WITH x AS (SELECT 1.5) SELECT * FROM x WHERE :this_month <> ''",
    };
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
        for (uint8_t which = 0; which < 3; which++)
            fuzz_seed(sink, which, lb_span_str(queries[i]));
    fuzz_seed(sink, 0, lb_span_str("SELECT $a$ ; $a$, E'\\'', :today::date FROM t"));
}
