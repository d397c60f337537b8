#include "gateway/ctl/household.h"

#include <time.h>

#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/config/yaml.h"
#include "gateway/ctl/say.h"
#include "policy/engine/idno.h"

#define MAX_HOUSEHOLD_FILE_BYTES (64 * 1024)

static lb_status read_text(const struct lb_yaml_node *map, const char *key, struct lb_arena *arena,
                           struct lb_diag *diag, const char **out)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_need_text(map, key, diag, &text));
    size_t len = strlen(text);
    if (len == 0 || len > LB_MAX_VALUE_BYTES)
        return lb_yaml_fail(lb_yaml_get(map, key), diag, "`%s` is empty or too long; correct it",
                            key);
    *out = lb_arena_str(arena, lb_span_str(text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status read_id_no(const struct lb_yaml_node *map, struct lb_arena *arena,
                            struct lb_diag *diag, const char **out)
{
    const char *text = NULL;
    char number[19];
    LB_TRY(read_text(map, "id_no", arena, diag, &text));
    if (lb_idno_normalise(lb_span_str(text), number) != LB_OK)
        return lb_yaml_fail(lb_yaml_get(map, "id_no"), diag,
                            "`id_no` is no valid identity number (18 characters, right date and"
                            " check character); compare it with the document");
    *out = lb_arena_str(arena, lb_span_of(number, 18));
    lb_wipe(number, sizeof(number));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* --- who agrees for them --- */

/* The last second of a day, here. */
static lb_status read_until(const struct lb_yaml_node *map, struct lb_arena *arena,
                            struct lb_diag *diag, int64_t *out)
{
    const char *text = NULL;
    struct tm day = {.tm_isdst = -1};
    LB_TRY(read_text(map, "until", arena, diag, &text));
    const char *end = strptime(text, "%Y-%m-%d", &day);
    if (end == NULL || *end != '\0' || strlen(text) != 10)
        return lb_yaml_fail(lb_yaml_get(map, "until"), diag,
                            "`until` is the last day of the authorisation, as 2026-12-31");
    day.tm_hour = 23;
    day.tm_min = 59;
    day.tm_sec = 59;
    *out = (int64_t)mktime(&day);
    return LB_OK;
}

static lb_status read_paper(const struct lb_yaml_node *map, struct lb_arena *arena,
                            struct lb_diag *diag, ProtobufCBinaryData *out)
{
    const char *text = NULL;
    uint8_t *hash = lb_arena_alloc(arena, 32);
    LB_ENSURE(hash != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(read_text(map, "paper_sha256", arena, diag, &text));
    if (lb_hex_decode(lb_span_str(text), hash, 32) != LB_OK)
        return lb_yaml_fail(lb_yaml_get(map, "paper_sha256"), diag,
                            "`paper_sha256` is the SHA-256 of the authorisation, 64 hex digits");
    *out = (ProtobufCBinaryData){32, hash};
    return LB_OK;
}

static lb_status read_departments(const struct lb_yaml_node *map, struct lb_arena *arena,
                                  struct lb_diag *diag, Lianban__V1__Representative *other)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(map, "departments", diag, &list));
    size_t num = lb_yaml_kind_of(list) == LB_YAML_LIST ? lb_yaml_len(list) : 0;
    if (num == 0 || num > LB_MAX_NAME_BYTES)
        return lb_yaml_fail(list, diag, "`departments` is a list of what the paper is for");
    other->departments = lb_arena_array(arena, num, sizeof(other->departments[0]));
    LB_ENSURE(other->departments != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        const char *text = NULL;
        LB_TRY(lb_yaml_text(lb_yaml_item(list, i), diag, &text));
        other->departments[i] = lb_arena_str(arena, lb_span_str(text));
        LB_ENSURE(other->departments[i] != NULL, LB_NO_MEMORY, "arena is full");
    }
    other->n_departments = num;
    return LB_OK;
}

static lb_status read_own(const struct lb_yaml_node *map, const char *kind,
                          struct lb_arena *arena, struct lb_diag *diag,
                          Lianban__V1__Representative *other)
{
    static const char *const agent[] = {"as",           "id_no", "name",        "relation",
                                        "paper_sha256", "until", "departments", NULL};
    static const char *const relative[] = {"as", "id_no", "name", "relation", "interest", NULL};
    static const char *const guardian[] = {"as", "id_no", "name", "relation", NULL};
    if (strcmp(kind, "guardian") == 0)
        return lb_yaml_only(map, guardian, diag);
    if (strcmp(kind, "relative") == 0) {
        LB_TRY(lb_yaml_only(map, relative, diag));
        return read_text(map, "interest", arena, diag, (const char **)&other->interest);
    }
    if (strcmp(kind, "agent") != 0)
        return lb_yaml_fail(lb_yaml_get(map, "as"), diag,
                            "nobody agrees as that; write guardian, agent or relative");
    LB_TRY(lb_yaml_only(map, agent, diag));
    LB_TRY(read_paper(map, arena, diag, &other->document_sha256));
    LB_TRY(read_until(map, arena, diag, &other->until));
    return read_departments(map, arena, diag, other);
}

static lb_status read_other(const struct lb_yaml_node *map, struct lb_arena *arena,
                            struct lb_diag *diag, Lianban__V1__Representative **out)
{
    const char *kind = NULL;
    Lianban__V1__Representative *other = lb_arena_alloc(arena, sizeof(*other));
    LB_ENSURE(other != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__representative__init(other);
    if (lb_yaml_kind_of(map) != LB_YAML_MAP)
        return lb_yaml_fail(map, diag, "`agrees` says as whom, id_no, name and relation");
    LB_TRY(read_text(map, "as", arena, diag, &kind));
    LB_TRY(read_id_no(map, arena, diag, (const char **)&other->id_no));
    LB_TRY(read_text(map, "name", arena, diag, (const char **)&other->name));
    LB_TRY(read_text(map, "relation", arena, diag, (const char **)&other->relation));
    LB_TRY(read_own(map, kind, arena, diag, other));
    other->kind = (char *)(uintptr_t)kind;
    *out = other;
    return LB_OK;
}

/* --- the household --- */

static lb_status read_person(const struct lb_yaml_node *node, struct lb_arena *arena,
                             struct lb_diag *diag, struct lb_ctl_person *out)
{
    static const char *const keys[] = {"role", "id_no", "name", "relation", "agrees", NULL};
    const struct lb_yaml_node *agrees = lb_yaml_get(node, "agrees");
    LB_TRY(lb_yaml_only(node, keys, diag));
    LB_TRY(read_text(node, "role", arena, diag, &out->role));
    LB_TRY(read_id_no(node, arena, diag, &out->id_no));
    LB_TRY(read_text(node, "name", arena, diag, &out->name));
    out->relation = "";
    out->agrees = NULL;
    if (agrees != NULL)
        LB_TRY(read_other(agrees, arena, diag, &out->agrees));
    if (lb_yaml_get(node, "relation") == NULL)
        return LB_OK;
    return read_text(node, "relation", arena, diag, &out->relation);
}

/* Both come from the same sheet of paper; nobody else sees how long this takes. */
static bool is_listed(const struct lb_ctl_household *household, const char *id_no)
{
    for (size_t i = 0; i < household->num; i++)
        if (strcmp(household->people[i].id_no, id_no) == 0)
            return true;
    return false;
}

static lb_status read_members(const struct lb_yaml_node *root, struct lb_arena *arena,
                              struct lb_diag *diag, struct lb_ctl_household *out)
{
    static const char *const keys[] = {"members", NULL};
    const struct lb_yaml_node *members = NULL;
    LB_TRY(lb_yaml_only(root, keys, diag));
    LB_TRY(lb_yaml_need(root, "members", diag, &members));
    size_t num = lb_yaml_kind_of(members) == LB_YAML_LIST ? lb_yaml_len(members) : 0;
    if (num == 0 || num > LB_MAX_HOUSEHOLD)
        return lb_yaml_fail(members, diag, "`members` is a list of 1 to %d people",
                            LB_MAX_HOUSEHOLD);
    for (size_t i = 0; i < num; i++) {
        const struct lb_yaml_node *node = lb_yaml_item(members, i);
        struct lb_ctl_person person;
        LB_TRY(read_person(node, arena, diag, &person));
        if (is_listed(out, person.id_no))
            return lb_yaml_fail(node, diag, "the same person is listed twice; remove one");
        out->people[out->num++] = person;
    }
    return LB_OK;
}

lb_status lb_ctl_household_load(const struct lb_ctl_env *env, const char *path,
                                struct lb_arena *arena, struct lb_diag *diag,
                                struct lb_ctl_household *out)
{
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    struct lb_ctl_household household = {.num = 0};
    struct lb_span text = LB_SPAN_EMPTY;
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    LB_TRY(lb_ctl_read(env, path, MAX_HOUSEHOLD_FILE_BYTES, arena, diag, &text));
    LB_TRY(lb_yaml_load_text(text, name, diag, &yaml));
    LB_TRY(read_members(lb_yaml_root(yaml), arena, diag, &household));
    *out = household;
    return LB_OK;
}
