#include "gateway/base/limits.h"
#include "gateway/trust/directory.h"

#define SCHEME "spiffe://"
#define SCHEME_LEN (sizeof(SCHEME) - 1)
#define MAX_PARTS 4
#define RECOVERED "~r"
#define RECOVERED_LEN (sizeof(RECOVERED) - 1)

static const char *const kind_names[LB_NUM_NODE_KINDS] = {
    [LB_NODE_BROKER] = "broker",   [LB_NODE_ADAPTER] = "adapter", [LB_NODE_WINDOW] = "window",
    [LB_NODE_CONSENT] = "consent", [LB_NODE_OFFICER] = "officer", [LB_NODE_AUDITOR] = "auditor",
};

const char *lb_node_kind_name(enum lb_node_kind kind)
{
    return kind_names[kind];
}

static lb_status find_kind(struct lb_span name, enum lb_node_kind *out_kind)
{
    for (int i = 0; i < LB_NUM_NODE_KINDS; i++) {
        if (lb_span_is(name, kind_names[i])) {
            *out_kind = (enum lb_node_kind)i;
            return LB_OK;
        }
    }
    LB_FAIL(LB_MALFORMED, "unknown kind of node");
}

/* "." and ".." are paths, not names (SPIFFE-ID section 2.2). */
static bool is_part(struct lb_span part)
{
    if (part.len == 0 || part.len > LB_MAX_NAME_BYTES)
        return false;
    if (lb_span_is(part, ".") || lb_span_is(part, ".."))
        return false;
    for (size_t i = 0; i < part.len; i++) {
        uint8_t c = part.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
        if (!ok)
            return false;
    }
    return true;
}

static lb_status split(const char *path, struct lb_span parts[MAX_PARTS], size_t *out_num)
{
    size_t num = 0;
    for (;;) {
        size_t len = strcspn(path, "/");
        LB_ENSURE(num < MAX_PARTS && is_part(lb_span_of(path, len)), LB_MALFORMED,
                  "part of a SPIFFE id is off");
        parts[num++] = lb_span_of(path, len);
        if (path[len] == 0)
            break;
        path += len + 1;
    }
    LB_ENSURE(num >= 3, LB_MALFORMED, "SPIFFE id is too short");
    *out_num = num;
    return LB_OK;
}

lb_status lb_spiffe_parse(const char *spiffe, struct lb_arena *arena, const char **out_federation,
                          enum lb_node_kind *out_kind, const char **out_organization)
{
    LB_ENSURE(strnlen(spiffe, LB_MAX_SPIFFE_BYTES) < LB_MAX_SPIFFE_BYTES, LB_MALFORMED,
              "SPIFFE id is too long");
    LB_ENSURE(strncmp(spiffe, SCHEME, SCHEME_LEN) == 0, LB_MALFORMED, "not a SPIFFE id");
    struct lb_span parts[MAX_PARTS];
    size_t num = 0;
    enum lb_node_kind kind = LB_NODE_BROKER;
    LB_TRY(split(spiffe + SCHEME_LEN, parts, &num));
    LB_TRY(find_kind(parts[1], &kind));
    const char *federation = lb_arena_str(arena, parts[0]);
    const char *organization = lb_arena_str(arena, parts[2]);
    LB_ENSURE(federation != NULL && organization != NULL, LB_NO_MEMORY, "arena is full");
    *out_federation = federation;
    *out_kind = kind;
    *out_organization = organization;
    return LB_OK;
}

const char *lb_spiffe_log_origin(const char *spiffe)
{
    return strncmp(spiffe, SCHEME, SCHEME_LEN) == 0 ? spiffe + SCHEME_LEN : spiffe;
}

int lb_spiffe_log_number(const char *spiffe, const char *origin)
{
    const char *first = lb_spiffe_log_origin(spiffe);
    size_t len = strlen(first);
    if (strncmp(origin, first, len) != 0)
        return -1;
    const char *rest = origin + len;
    if (rest[0] == 0)
        return 0;
    if (strncmp(rest, RECOVERED, RECOVERED_LEN) != 0 || rest[RECOVERED_LEN] == '0')
        return -1;
    int number = 0;
    for (rest += RECOVERED_LEN; *rest >= '0' && *rest <= '9' && number <= LB_MAX_RECOVERIES; rest++)
        number = number * 10 + (*rest - '0');
    return *rest == 0 && number >= 1 && number <= LB_MAX_RECOVERIES ? number : -1;
}

const char *lb_spiffe_log_named(const char *spiffe, int number, struct lb_arena *arena)
{
    const char *first = lb_spiffe_log_origin(spiffe);
    return number == 0 ? lb_arena_str(arena, lb_span_str(first))
                       : lb_arena_printf(arena, "%s" RECOVERED "%d", first, number);
}

const char *lb_spiffe_of_log(const char *origin, struct lb_arena *arena)
{
    const char *tail = strstr(origin, RECOVERED);
    size_t len = tail == NULL ? strlen(origin) : (size_t)(tail - origin);
    const char *spiffe = lb_arena_printf(arena, SCHEME "%.*s", (int)len, origin);
    return spiffe == NULL || lb_spiffe_log_number(spiffe, origin) >= 0
               ? spiffe
               : lb_arena_printf(arena, SCHEME "%s", origin);
}
