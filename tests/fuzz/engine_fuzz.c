#include <stdio.h>

#include "gateway/base/utf8.h"
#include "policy/engine/date.h"
#include "policy/engine/idno.h"
#include "policy/engine/operator.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/samples.h"

/* Identity numbers, names, dates; operators over whatever a database holds. */

#define ARENA_BYTES (16U << 20)
#define TODAY "2026-07-15"
#define MAX_ROWS 12U

/* --- identity numbers, names and dates --- */

/* GB 11643-1999 section 4.3: the weighted sum of all 18, the last one's weight being 1, is 1 modulo
 * 11. */
static bool sum_is_right(const char *id_no)
{
    int sum = 0;
    for (int i = 0; i < 18; i++)
        sum += (id_no[i] == 'X' ? 10 : id_no[i] - '0') * ((1 << (17 - i)) % 11);
    return sum % 11 == 1;
}

static bool try_id(struct lb_span in)
{
    char number[19], again[19];
    int age = -1;
    lb_status status = lb_idno_normalise(in, number);
    FUZZ_CHECK((lb_idno_check(in) == LB_OK) == (status == LB_OK));
    if (status != LB_OK) {
        FUZZ_CODE(status, LB_ID_INVALID);
        return false;
    }
    FUZZ_CHECK(in.len == 18 && strlen(number) == 18 && strspn(number, "0123456789") >= 17);
    FUZZ_CHECK(sum_is_right(number));
    FUZZ_OK(lb_idno_normalise(lb_span_str(number), again));
    FUZZ_CHECK(strcmp(number, again) == 0);
    if (lb_idno_age(in, TODAY, &age) == LB_OK)
        FUZZ_CHECK(age >= 0 && age <= 227);
    return true;
}

static bool try_name(struct lb_span in, struct lb_arena *arena)
{
    struct lb_span once, twice;
    if (lb_name_normalise(in, arena, &once) != LB_OK)
        return false;
    FUZZ_CHECK(once.len > 0 && lb_utf8_valid(in) && lb_utf8_valid(once));
    /* A full stop becomes a dot of two bytes, so the longest names grow past what is taken. */
    if (once.len <= LB_MAX_VALUE_BYTES) {
        FUZZ_OK(lb_name_normalise(once, arena, &twice));
        FUZZ_CHECK(lb_span_eq(once, twice));
    }
    for (size_t i = 0; i < once.len; i++)
        FUZZ_CHECK(once.ptr[i] > ' ' && (once.ptr[i] < 'a' || once.ptr[i] > 'z'));
    return true;
}

static bool try_date(struct lb_span in)
{
    struct lb_date date;
    int64_t month = 0;
    char text[32];
    if (lb_month_parse(in, &month)) {
        (void)snprintf(text, sizeof(text), "%04d-%02d", (int)(month / 12), (int)(month % 12 + 1));
        FUZZ_CHECK(lb_span_is(in, text));
    }
    if (!lb_date_parse(in, &date))
        return false;
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02d", date.year, date.month, date.day);
    FUZZ_CHECK(lb_span_is(in, text) && lb_date_valid(&date));
    const struct lb_date today = {2026, 7, 15};
    bool born = lb_date_day(&date) <= lb_date_day(&today);
    FUZZ_CHECK(born == (lb_date_age(&date, &today) >= 0));
    return true;
}

bool fuzz_idno(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    switch (fuzz_u8(&in) % 3) {
    case 0:
        return try_id(in);
    case 1:
        return try_name(in, arena);
    default:
        return try_date(in);
    }
}

void seed_idno(const struct fuzz_sink *sink)
{
    fuzz_seed(sink, 0, lb_span_str("99010119800101201x"));
    fuzz_seed(sink, 0, lb_span_str("990101202001017039"));
    fuzz_seed(sink, 1, lb_span_str("阿布都\xE2\x80\xA2热合曼\xE3\x80\x80" "Ａli"));
    fuzz_seed(sink, 2, lb_span_str("2024-02-29"));
    fuzz_seed(sink, 2, lb_span_str("0001-01-01"));
}

/* --- operators as text --- */

static bool same_call(const struct lb_op_call *a, const struct lb_op_call *b)
{
    bool same = a->op == b->op && a->num_args == b->num_args;
    for (size_t i = 0; same && i < a->num_args; i++)
        same = strcmp(a->args[i], b->args[i]) == 0;
    return same;
}

bool fuzz_operator_text(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_op_call call, again;
    if (lb_op_parse(in, arena, &call) != LB_OK)
        return false;
    /* A call has one spelling, and the wire form means the same. */
    const char *text = lb_op_format(&call, arena);
    FUZZ_CHECK(text != NULL && lb_span_is(in, text));
    FUZZ_OK(lb_op_build(lb_op_name(call.op), call.args, call.num_args, arena, &again));
    FUZZ_CHECK(same_call(&call, &again));
    FUZZ_CHECK(lb_op_at_least_as_strict(&call, &again, fuzz_sample_rules()));
    return true;
}

void seed_operator_text(const struct fuzz_sink *sink)
{
    for (size_t i = 0; i < fuzz_num_calls; i++)
        fuzz_seed_text(sink, fuzz_calls[i]);
}

/* --- operators over rows --- */

static const uint8_t pseudo_key[LB_OP_KEY_BYTES] = "pseudonyms of one requester only";
static const uint8_t token_key[LB_OP_KEY_BYTES] = "what the department alone opens.";
static const uint8_t token_nonce[LB_OP_NONCE_BYTES] = {1, 2, 3};

static const struct lb_op_secrets *sample_secrets(void)
{
    static struct lb_op_secrets secrets;
    secrets = (struct lb_op_secrets){pseudo_key, token_key, lb_span_str("tax.wage income"),
                                     token_nonce, INT64_C(1800000000), NULL};
    return &secrets;
}

/* Everything one read hands to an operator, taken from the input. */
struct table {
    struct lb_cell cells[MAX_ROWS * 3];
    struct lb_rows rows;
    struct lb_op_input input;
    struct lb_span claim[2];
};

static struct lb_cell take_cell(struct lb_span *in)
{
    static const char *const texts[] = {
        "11", "12", "01", "21", "31", "990101", "990101001002", "2008-02-29", "1966-07-15",
        "2026-06",
        "2025-07", "2026-07", "张三", "99010119800101201X", "阿布都·热合曼", "", "2026-13", "9901",
    };
    uint8_t tag = fuzz_u8(in);
    if (tag < 32)
        return (struct lb_cell){.kind = LB_CELL_NULL};
    if (tag < 96)
        return (struct lb_cell){.kind = LB_CELL_INT, .number = (int64_t)fuzz_u8(in) * 10000 - 5000};
    if (tag < 112)
        return (struct lb_cell){.kind = LB_CELL_INT, .number = (int64_t)fuzz_u64(in)};
    if (tag < 240)
        return (struct lb_cell){.kind = LB_CELL_TEXT,
                                .text = lb_span_str(texts[tag % (sizeof(texts) / sizeof(*texts))])};
    return (struct lb_cell){.kind = LB_CELL_TEXT, .text = fuzz_bytes(in, fuzz_u8(in))};
}

static void take_table(struct lb_span *in, struct table *table)
{
    static const char *const columns[] = {"value", "month", "denominator"};
    uint8_t flags = fuzz_u8(in);
    memset(table, 0, sizeof(*table));
    table->rows = (struct lb_rows){
        .num_columns = (flags & 1) != 0 ? 3 : 1,
        .columns = columns,
        .num_rows = fuzz_u8(in) % (MAX_ROWS + 1),
        .cells = table->cells,
    };
    table->input = (struct lb_op_input){
        .rows = &table->rows,
        .month_column = (flags & 1) != 0 ? 1 : SIZE_MAX,
        .denominator_column = (flags & 1) != 0 ? 2 : SIZE_MAX,
        .type = (enum lb_field_type)(fuzz_u8(in) % (LB_FIELD_ROW + 1)),
        .many = (flags & 2) != 0,
        .complete = (flags & 4) != 0,
        .rules = fuzz_sample_rules(),
        .claim = table->claim,
        .num_claim = (flags >> 3) % 3,
        .today = TODAY,
        .secrets = sample_secrets(),
    };
    for (size_t i = 0; i < table->input.num_claim; i++)
        table->claim[i] = take_cell(in).text;
    for (size_t i = 0; i < table->rows.num_rows * table->rows.num_columns; i++)
        table->cells[i] = take_cell(in);
}

static void check_fact(const struct lb_fact *fact)
{
    FUZZ_CHECK(fact->state >= LB_FACT_OK && fact->state <= LB_FACT_STALE);
    FUZZ_CHECK(fact->state == LB_FACT_OK || fact->kind == LB_FACT_UNKNOWN);
    FUZZ_CHECK(fact->kind == LB_FACT_TRUTH || !fact->truth);
    FUZZ_CHECK(fact->kind == LB_FACT_NUMBER || fact->number == 0);
    FUZZ_CHECK(fact->kind == LB_FACT_TEXT || fact->text.len == 0);
    FUZZ_CHECK(fact->text.len <= LB_MAX_LIST_BYTES && lb_utf8_valid(fact->text));
}

static bool apply(const struct lb_op_call *call, const struct lb_op_input *input,
                  struct lb_arena *arena, struct lb_fact *out)
{
    if (lb_op_reads_denominator(call) && input->denominator_column == SIZE_MAX)
        return false;  /* a view is refused for it before anything is read */
    lb_status status = lb_op_apply(call, input, arena, out);
    if (status != LB_OK) {
        FUZZ_CODE(status, LB_OPERATOR_UNKNOWN);
        return false;
    }
    check_fact(out);
    return true;
}

static bool same_fact(const struct lb_fact *a, const struct lb_fact *b)
{
    return a->state == b->state && a->kind == b->kind && a->truth == b->truth &&
           a->number == b->number && lb_span_eq(a->text, b->text);
}

/*
 * call LF call LF table, then one cell that makes a second table. If the first call is at least as
 * strict as the second, it must not tell two tables apart that the second does not.
 */
bool fuzz_operators(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_op_call calls[2];
    struct lb_fact before[2], after[2];
    struct table table;
    for (int i = 0; i < 2; i++) {
        struct lb_span text = fuzz_line(&in);
        if (text.len == 1)
            text = lb_span_str(fuzz_calls[text.ptr[0] % fuzz_num_calls]);
        if (lb_op_parse(text, arena, &calls[i]) != LB_OK)
            return false;
    }
    take_table(&in, &table);
    bool applied[2];
    for (int i = 0; i < 2; i++) {
        applied[i] = apply(&calls[i], &table.input, arena, &before[i]);
        FUZZ_CHECK(!applied[i] || lb_op_check(&calls[i], table.input.type, table.input.many,
                                              fuzz_sample_rules()) == LB_OK);
    }
    if (!applied[0] || !applied[1])
        return applied[0] || applied[1];
    size_t num = table.rows.num_rows * table.rows.num_columns;
    if (num == 0 || (fuzz_u8(&in) & 3) == 0)
        table.rows.num_rows = fuzz_u8(&in) % (table.rows.num_rows + 1);
    else
        table.cells[fuzz_u8(&in) % num] = take_cell(&in);
    if (!apply(&calls[0], &table.input, arena, &after[0]) ||
        !apply(&calls[1], &table.input, arena, &after[1]))
        return true;
    if (lb_op_at_least_as_strict(&calls[0], &calls[1], fuzz_sample_rules()))
        FUZZ_CHECK(!same_fact(&before[1], &after[1]) || same_fact(&before[0], &after[0]));
    return true;
}

void seed_operators(const struct fuzz_sink *sink)
{
    static const uint8_t rows[] = {3, 3, 0, 50, 10, 150, 40, 20, 151, 60, 3, 152, 40, 1, 150, 2};
    for (uint8_t type = 0; type <= LB_FIELD_ROW; type++)
        for (uint8_t flags = 0; flags < 8; flags++)
            for (size_t i = 0; i < fuzz_num_calls; i++) {
                uint8_t seed[4 + sizeof(rows)] = {(uint8_t)i, '\n', (uint8_t)i, '\n'};
                if (i == '\n')
                    continue;
                memcpy(seed + 4, rows, sizeof(rows));
                seed[4] = flags;
                seed[5] = (flags & 2) != 0 ? 3 : 1;
                seed[6] = type;
                if (fuzz_operators(lb_span_of(seed, sizeof(seed))))
                    fuzz_seed_plain(sink, lb_span_of(seed, sizeof(seed)));
            }
}

/* --- tokens that come back to their department --- */

/* 0: any text; 1: what stands behind the text's head; 2: a token of ours with a byte changed. */
bool fuzz_value_token(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const struct lb_op_call call = {.op = LB_OP_TOKEN, .num_args = 1, .args = {"30"}};
    uint8_t which = fuzz_u8(&in) % 3, where = fuzz_u8(&in), change = fuzz_u8(&in);
    struct lb_span value = LB_SPAN_EMPTY, token = in, copy = LB_SPAN_EMPTY;
    if (which == 2) {
        const struct lb_cell cell = {.kind = LB_CELL_TEXT, .text = in};
        static const char *const columns[] = {"value"};
        const struct lb_rows rows = {1, columns, 1, &cell};
        const struct lb_op_input input = {.rows = &rows, .month_column = SIZE_MAX,
                                          .denominator_column = SIZE_MAX, .type = LB_FIELD_TEXT,
                                          .rules = fuzz_sample_rules(), .today = TODAY,
                                          .secrets = sample_secrets()};
        struct lb_fact fact;
        FUZZ_OK(lb_op_apply(&call, &input, arena, &fact));
        if (fact.kind != LB_FACT_TEXT)
            return false;
        FUZZ_OK(lb_arena_copy(arena, fact.text, &copy));
        ((uint8_t *)(uintptr_t)copy.ptr)[where % copy.len] ^= change;
        token = copy;
    }
    lb_status status = lb_op_token_open(token, sample_secrets(), arena, &value);
    /* Nothing opens but what was sealed, and that as it was. */
    FUZZ_CHECK((status == LB_OK) == (which == 2 && change == 0));
    FUZZ_CHECK(status != LB_OK || lb_span_eq(value, lb_text_trim(in)));
    return status == LB_OK;
}

void seed_value_token(const struct fuzz_sink *sink)
{
    fuzz_seed(sink, 2, lb_span_of("\0\0" "A-17 some text", 16));
}
