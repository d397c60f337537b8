#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/base/utf8.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/live.h"
#include "gateway/ctl/psi.h"
#include "policy/engine/idno.h"

/* A department's list, out of its own database by the query that both sides have agreed on. */

#define TIMEOUT_MS 60000
#define MAX_ROW_BYTES 64
#define MAX_ROWS_BYTES 4096 /* all references of one person */
#define ID_BYTES 18

struct record {
    char id_no[ID_BYTES + 1];
    struct lb_span row;
};

struct reading {
    struct lb_ctl_psi *psi;
    const char *query, *column, *row;
    struct record *records;
    size_t num;
    size_t num_invalid;
};

static lb_status fail(struct reading *reading, enum lb_code code, const char *text)
{
    lb_diag_set(&reading->psi->node.diag, "%s: %s", reading->psi->agreement->own_list, text);
    return lb_status_of(code);
}

/* --- the list's file --- */

static lb_status check_hash(struct reading *reading, const struct lb_yaml *yaml)
{
    uint8_t sha256[LB_SHA256_BYTES];
    char hex[2 * LB_SHA256_BYTES + 1];
    lb_sha256(lb_yaml_bytes(yaml), sha256);
    lb_hex_encode(lb_span_of(sha256, sizeof(sha256)), hex);
    if (strcmp(hex, lb_ctl_psi_own(reading->psi)->list_sha256) != 0)
        return fail(reading, LB_CONFIG_INVALID,
                    "this is not the list that the other department has agreed to; its hash is "
                    "another");
    return LB_OK;
}

static lb_status keep(struct reading *reading, const struct lb_yaml_node *root, const char *key,
                      const char **out)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_need_text(root, key, &reading->psi->node.diag, &text));
    *out = lb_arena_str(reading->psi->arena, lb_span_str(text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status read_file(struct reading *reading)
{
    static const char *const keys[] = {"list", "query", "column", "row", NULL};
    struct lb_diag *diag = &reading->psi->node.diag;
    const struct lb_ctl_psi_party *own = lb_ctl_psi_own(reading->psi);
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    const char *list = NULL;
    LB_TRY(lb_yaml_load_file(reading->psi->agreement->own_list, diag, &yaml));
    LB_TRY(check_hash(reading, yaml));
    const struct lb_yaml_node *root = lb_yaml_root(yaml);
    LB_TRY(lb_yaml_only(root, keys, diag));
    LB_TRY(lb_yaml_need_text(root, "list", diag, &list));
    LB_TRY(keep(reading, root, "query", &reading->query));
    LB_TRY(keep(reading, root, "column", &reading->column));
    LB_TRY(keep(reading, root, "row", &reading->row));
    if (strcmp(list, own->list) != 0 || strcmp(reading->column, own->column) != 0)
        return fail(reading, LB_CONFIG_INVALID, "list and column are not those agreed on");
    return LB_OK;
}

/* --- its rows --- */

/* A list is not about one person, nor about a day: the agreed query alone says who is on it. */
static lb_status forbid_parameters(struct reading *reading)
{
    static const char *const names[] = {":id_no", ":today", ":this_month", ":from_month"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strstr(reading->query, names[i]) != NULL)
            return fail(reading, LB_CONFIG_INVALID, "a list's query takes no parameters");
    }
    return LB_OK;
}

static lb_status find_columns(struct reading *reading, const struct lb_source_result *result,
                              size_t *out_id, size_t *out_row)
{
    *out_id = *out_row = result->num_columns;
    for (size_t i = 0; i < result->num_columns; i++) {
        if (strcmp(result->columns[i], reading->column) == 0)
            *out_id = i;
        if (strcmp(result->columns[i], reading->row) == 0)
            *out_row = i;
    }
    if (*out_id == result->num_columns || *out_row == result->num_columns)
        return fail(reading, LB_CONFIG_INVALID, "the query gives no such column");
    return LB_OK;
}

static lb_status take_row(struct reading *reading, const struct lb_source_cell *id,
                          const struct lb_source_cell *row)
{
    struct record *record = &reading->records[reading->num];
    const char *text = row->kind == LB_SOURCE_TEXT
                           ? lb_arena_str(reading->psi->arena, row->text) : NULL;
    if (text == NULL || !lb_utf8_line(text, MAX_ROW_BYTES))
        return fail(reading, LB_CONFIG_INVALID,
                    "a record's reference is no text of one line and at most 64 bytes");
    if (id->kind != LB_SOURCE_TEXT || lb_idno_canonical(id->text, record->id_no) != LB_OK) {
        reading->num_invalid++;
        return LB_OK;
    }
    record->row = lb_span_str(text);
    reading->num++;
    return LB_OK;
}

static lb_status take_rows(struct reading *reading, const struct lb_source_result *result)
{
    size_t id = 0, row = 0;
    LB_TRY(find_columns(reading, result, &id, &row));
    reading->records =
        lb_arena_array(reading->psi->arena, result->num_rows, sizeof(*reading->records));
    LB_ENSURE(reading->records != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < result->num_rows; i++) {
        const struct lb_source_cell *cells = &result->cells[i * result->num_columns];
        LB_TRY(take_row(reading, &cells[id], &cells[row]));
    }
    return LB_OK;
}

static lb_status run_query(struct reading *reading, struct lb_ctl_live *live)
{
    const struct lb_source_plugin *plugin = live->source.plugin;
    const struct lb_source_column columns[] = {
        {.name = reading->column, .want = LB_SOURCE_WANT_TEXT},
        {.name = reading->row, .want = LB_SOURCE_WANT_TEXT},
    };
    const struct lb_source_query query = {reading->query, 2, columns, LB_SOURCE_WANT_ANY};
    const struct lb_source_limits limits =
        lb_source_all(LB_PSI_MAX_ELEMENTS, TIMEOUT_MS);
    struct lb_source_stmt *stmt = NULL;
    struct lb_source_result result;
    LB_TRY(plugin->prepare(live->open, &query, &reading->psi->node.diag, &stmt));
    lb_status status =
        plugin->read(stmt, NULL, 0, &limits, reading->psi->arena, &result);
    if (lb_status_code(status) == LB_AMBIGUOUS)
        return fail(reading, LB_TOO_LARGE, "the list has more than 131072 records");
    LB_TRY(status);
    return take_rows(reading, &result);
}

static lb_status read_rows(struct reading *reading)
{
    struct lb_ctl_live live = {0};
    struct lb_diag *diag = &reading->psi->node.diag;
    LB_TRY(forbid_parameters(reading));
    lb_status status = lb_ctl_live_read(reading->psi->node.path, diag, &live);
    if (status == LB_OK)
        status = lb_ctl_live_connect(&live, diag);
    if (status == LB_OK)
        status = run_query(reading, &live);
    lb_ctl_live_cleanup(&live);
    return status;
}

/* --- its people --- */

static int by_person(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    int order = memcmp(a->id_no, b->id_no, ID_BYTES);
    size_t len = a->row.len < b->row.len ? a->row.len : b->row.len;
    if (order == 0)
        order = memcmp(a->row.ptr, b->row.ptr, len);
    return order != 0 ? order : (a->row.len > b->row.len) - (a->row.len < b->row.len);
}

/* The references of one person, one a line. */
static lb_status join_rows(struct reading *reading, size_t from, size_t to, struct lb_span *out)
{
    size_t len = 0;
    for (size_t i = from; i < to; i++)
        len += reading->records[i].row.len + 1;
    if (len > MAX_ROWS_BYTES)
        return fail(reading, LB_TOO_LARGE, "one person has too many records on the list");
    uint8_t *bytes = lb_arena_alloc(reading->psi->arena, len);
    LB_ENSURE(bytes != NULL, LB_NO_MEMORY, "arena is full");
    *out = lb_span_of(bytes, len);
    for (size_t i = from; i < to; i++) {
        memcpy(bytes, reading->records[i].row.ptr, reading->records[i].row.len);
        bytes += reading->records[i].row.len;
        *bytes++ = '\n';
    }
    return LB_OK;
}

static lb_status take_people(struct reading *reading, struct lb_ctl_psi_list *list)
{
    struct lb_arena *arena = reading->psi->arena;
    uint8_t *joined = lb_arena_array(arena, reading->num, ID_BYTES);
    list->people = lb_arena_array(arena, reading->num, sizeof(*list->people));
    list->rows = lb_arena_array(arena, reading->num, sizeof(*list->rows));
    LB_ENSURE(joined != NULL && list->people != NULL && list->rows != NULL, LB_NO_MEMORY,
              "arena is full");
    for (size_t from = 0, to = 0; from < reading->num; from = to) {
        const struct record *first = &reading->records[from];
        for (to = from + 1; to < reading->num; to++) {
            if (memcmp(reading->records[to].id_no, first->id_no, ID_BYTES) != 0)
                break;
        }
        uint8_t *id_no = joined + list->num * ID_BYTES;
        memcpy(id_no, first->id_no, ID_BYTES);
        LB_TRY(join_rows(reading, from, to, &list->rows[list->num]));
        list->people[list->num++] = lb_span_of(id_no, ID_BYTES);
    }
    list->joined = lb_span_of(joined, list->num * ID_BYTES);
    return LB_OK;
}

lb_status lb_ctl_psi_list_read(struct lb_ctl_psi *psi, struct lb_ctl_psi_list *out)
{
    struct reading reading = {.psi = psi};
    struct lb_ctl_psi_list list = {0};
    LB_TRY(read_file(&reading));
    LB_TRY(read_rows(&reading));
    qsort(reading.records, reading.num, sizeof(*reading.records), by_person);
    LB_TRY(take_people(&reading, &list));
    list.num_invalid = reading.num_invalid;
    if (psi->agreement->mode == LB_PSI_COUNT && list.num < (size_t)psi->agreement->k)
        return fail(&reading, LB_PSI_TOO_FEW, "the list has fewer people than are told");
    *out = list;
    return LB_OK;
}

void lb_ctl_psi_list_commit(const struct lb_ctl_psi_list *list, const uint8_t salt[32],
                            uint8_t out[LB_PSI_COMMITMENT_BYTES])
{
    const struct lb_span parts[] = {lb_span_str("lianban psi list v1"), lb_span_of(salt, 32),
                                    list->joined};
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), out);
}
