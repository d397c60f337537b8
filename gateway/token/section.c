#include "gateway/token/section.h"

#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/token/claims.h"

static bool is_method(const char *method)
{
    static const char *const known[] = {"document", "face", "paper2", "none"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(method, known[i]) == 0)
            return true;
    }
    return false;
}

static bool is_name(const char *text)
{
    return lb_text_ok(text, LB_MAX_NAME_BYTES);
}

/* One field may be asked under several operators, but not twice under the same. */
static bool fields_ok(const struct lb_section_view *view)
{
    for (size_t i = 0; i < view->num_fields; i++) {
        const struct lb_section_field *field = &view->fields[i];
        if (!is_name(field->name) || !lb_text_ok(field->operator_text, LB_MAX_VALUE_BYTES))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(field->name, view->fields[j].name) == 0 &&
                strcmp(field->operator_text, view->fields[j].operator_text) == 0)
                return false;
        }
    }
    return view->num_fields > 0;
}

static bool views_ok(const struct lb_section *section)
{
    if (section->num_views == 0 || section->num_views > LB_MAX_VIEWS_PER_SECTION)
        return false;
    size_t num_fields = 0;
    for (size_t i = 0; i < section->num_views; i++) {
        const struct lb_section_view *view = &section->views[i];
        num_fields += view->num_fields;
        if (num_fields > LB_MAX_FIELDS_PER_SECTION)
            return false;
        if (!is_name(view->id) || view->version == 0 || !fields_ok(view))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(view->id, section->views[j].id) == 0)
                return false;
        }
    }
    return true;
}

static bool agent_ok(const struct lb_section *section)
{
    if (section->agent == NULL)
        return true;
    if (!is_name(section->agent) || section->agent_until < 1 ||
        section->agent_until > LB_CLAIM_MAX_TIME || section->num_agent_views == 0 ||
        section->num_agent_views > LB_MAX_VIEWS_PER_SECTION)
        return false;
    for (size_t i = 0; i < section->num_agent_views; i++) {
        if (!is_name(section->agent_views[i]))
            return false;
    }
    return true;
}

static bool givers_ok(const struct lb_section *section)
{
    int num = (section->guardian != NULL) + (section->agent != NULL) + (section->relative != NULL);
    if (num > 1 || !agent_ok(section))
        return false;
    if (section->guardian != NULL && !is_name(section->guardian))
        return false;
    return section->relative == NULL || (is_name(section->relative) && section->interest != NULL &&
                                         is_name(section->interest));
}

static bool laws_ok(const struct lb_section *section)
{
    if (section->num_laws > LB_MAX_CLAIM_VALUES)
        return false;
    for (size_t i = 0; i < section->num_laws; i++) {
        if (!lb_text_ok(section->laws[i], LB_MAX_VALUE_BYTES))
            return false;
    }
    return true;
}

lb_status lb_section_check(const struct lb_section *section)
{
    LB_ENSURE(section->case_id != NULL && section->case_id[0] != 0, LB_NO_CASE,
              "section has no case");
    LB_ENSURE(is_name(section->provider) && is_name(section->form) && is_name(section->purpose) &&
                  is_name(section->case_id) && is_name(section->basis) && is_name(section->role),
              LB_SECTION_INVALID, "a name is empty or too long");
    LB_ENSURE(lb_text_ok(section->audience, LB_MAX_SPIFFE_BYTES - 1), LB_SECTION_INVALID,
              "audience is empty or too long");
    LB_ENSURE(is_name(section->operator_hash), LB_SECTION_INVALID, "operator is missing");
    LB_ENSURE(section->approver == NULL || is_name(section->approver), LB_SECTION_INVALID,
              "approver is empty or too long");
    LB_ENSURE(givers_ok(section), LB_SECTION_INVALID, "who agreed for the subject is off");
    LB_ENSURE(section->method != NULL && is_method(section->method), LB_SECTION_INVALID,
              "method is unknown");
    LB_ENSURE(section->level >= 1 && section->level <= 4, LB_SECTION_INVALID, "no such level");
    LB_ENSURE(section->max_uses >= 1 && section->max_uses <= LB_MAX_USES, LB_SECTION_INVALID,
              "uses are out of range");
    LB_ENSURE(section->event_days >= 0 && section->event_days <= LB_EVENT_MAX_DAYS,
              LB_SECTION_INVALID, "an event's interval is out of range");
    LB_ENSURE(section->answer_bytes >= 1 && section->answer_bytes <= LB_MAX_ANSWER_BYTES,
              LB_SECTION_INVALID, "answer size is out of range");
    LB_ENSURE(section->form_version >= 1, LB_SECTION_INVALID, "form has no version");
    LB_ENSURE(laws_ok(section), LB_SECTION_INVALID, "laws are too many or too long");
    LB_ENSURE(views_ok(section), LB_SECTION_INVALID, "views or fields are off");
    return LB_OK;
}

/* --- writing --- */

static struct lb_json *view_to_json(const struct lb_section_view *view)
{
    struct lb_json *object = lb_json_object();
    lb_json_set_cstr(object, "view", view->id);
    lb_json_set_int(object, "version", view->version);
    struct lb_json *fields = lb_json_array();
    for (size_t i = 0; i < view->num_fields; i++) {
        struct lb_json *field = lb_json_object();
        lb_json_set_cstr(field, "field", view->fields[i].name);
        lb_json_set_cstr(field, "op", view->fields[i].operator_text);
        lb_json_append(fields, field);
    }
    lb_json_set(object, "fields", fields);
    return object;
}

static void set_hex32(struct lb_json *object, const char *key, const uint8_t bytes[32])
{
    char text[65];
    lb_hex_encode(lb_span_of(bytes, 32), text);
    lb_json_set_cstr(object, key, text);
}

static struct lb_json *agent_to_json(const struct lb_section *section)
{
    struct lb_json *object = lb_json_object();
    struct lb_json *scope = lb_json_array();
    lb_json_set_cstr(object, "relation", section->agent);
    lb_json_set_int(object, "until", section->agent_until);
    set_hex32(object, "document", section->agent_document);
    for (size_t i = 0; i < section->num_agent_views; i++)
        lb_json_append_str(scope, lb_span_str(section->agent_views[i]));
    lb_json_set(object, "scope", scope);
    return object;
}

static void set_giver(struct lb_json *object, const struct lb_section *section)
{
    if (section->guardian != NULL)
        lb_json_set_cstr(object, "guardian", section->guardian);
    if (section->agent != NULL)
        lb_json_set(object, "agent", agent_to_json(section));
    if (section->relative == NULL)
        return;
    struct lb_json *relative = lb_json_object();
    lb_json_set_cstr(relative, "relation", section->relative);
    lb_json_set_cstr(relative, "interest", section->interest);
    lb_json_set(object, "relative", relative);
}

static void set_event(struct lb_json *object, const struct lb_section *section)
{
    if (section->event_days == 0)
        return;
    struct lb_json *event = lb_json_object();
    lb_json_set_int(event, "every_days", section->event_days);
    lb_json_set(object, "event", event);
}

static void set_proof(struct lb_json *object, const struct lb_section *section)
{
    lb_json_set_cstr(object, "act", section->operator_hash);
    if (section->approver != NULL)
        lb_json_set_cstr(object, "approver", section->approver);
    set_giver(object, section);
    set_hex32(object, "notice", section->notice_sha256);
    lb_json_set_cstr(object, "method", section->method);
    lb_json_set_int(object, "level", section->level);
    lb_json_set_int(object, "uses", section->max_uses);
    lb_json_set_int(object, "answer_bytes", section->answer_bytes);
}

struct lb_json *lb_section_to_json(const struct lb_section *section, struct lb_arena *arena)
{
    struct lb_json *object = lb_json_object();
    lb_json_set_cstr(object, "provider", section->provider);
    lb_json_set_cstr(object, "aud", section->audience);
    lb_json_set_cstr(object, "form", section->form);
    lb_json_set_int(object, "form_version", section->form_version);
    set_hex32(object, "form_sha256", section->form_sha256);
    lb_json_set_cstr(object, "purpose", section->purpose);
    lb_json_set_cstr(object, "case", section->case_id);
    lb_json_set_cstr(object, "basis", section->basis);
    struct lb_json *laws = lb_json_array();
    for (size_t i = 0; i < section->num_laws; i++)
        lb_json_append_str(laws, lb_span_str(section->laws[i]));
    lb_json_set(object, "law", laws);
    lb_json_set_cstr(object, "role", section->role);
    set_event(object, section);
    set_proof(object, section);
    const char *subject = lb_b64url_encode(arena, lb_span_of(section->subject, 32));
    if (subject == NULL)
        lb_json_set(object, "sub", NULL);  /* marks the object: nothing is issued */
    else
        lb_json_set_cstr(object, "sub", subject);
    struct lb_json *views = lb_json_array();
    for (size_t i = 0; i < section->num_views; i++)
        lb_json_append(views, view_to_json(&section->views[i]));
    lb_json_set(object, "views", views);
    return object;
}

/* --- reading --- */

static lb_status read_field(const struct lb_json *json, struct lb_arena *arena,
                            struct lb_section_field *out_field)
{
    static const char *const keys[] = {"field", "op", NULL};
    struct lb_claims claims = lb_claims_of(json, keys, arena);
    out_field->name = lb_claims_text(&claims, "field");
    out_field->operator_text = lb_claims_text(&claims, "op");
    return claims.status;
}

static lb_status read_view(const struct lb_json *json, struct lb_arena *arena,
                           struct lb_section_view *out_view)
{
    static const char *const keys[] = {"view", "version", "fields", NULL};
    struct lb_claims claims = lb_claims_of(json, keys, arena);
    out_view->id = lb_claims_text(&claims, "view");
    out_view->version = (uint32_t)lb_claims_int(&claims, "version", 1, UINT32_MAX);
    const struct lb_json *list = lb_claims_array(&claims, "fields");
    LB_TRY(claims.status);
    size_t num = lb_json_len(list);
    LB_ENSURE(num <= LB_MAX_FIELDS_PER_SECTION, LB_SECTION_INVALID, "too many fields");
    struct lb_section_field *fields = lb_arena_array(arena, num, sizeof(*fields));
    LB_ENSURE(fields != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_field(lb_json_at(list, i), arena, &fields[i]));
    out_view->fields = fields;
    out_view->num_fields = num;
    return LB_OK;
}

static lb_status read_views(const struct lb_json *list, struct lb_arena *arena,
                            struct lb_section *out_section)
{
    size_t num = lb_json_len(list);
    LB_ENSURE(num <= LB_MAX_VIEWS_PER_SECTION, LB_SECTION_INVALID, "too many views");
    struct lb_section_view *views = lb_arena_array(arena, num, sizeof(*views));
    LB_ENSURE(views != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_view(lb_json_at(list, i), arena, &views[i]));
    out_section->views = views;
    out_section->num_views = num;
    return LB_OK;
}

static lb_status read_words(const struct lb_json *list, size_t max, struct lb_arena *arena,
                            const char *const **out_words, size_t *out_num)
{
    size_t num = lb_json_len(list);
    LB_ENSURE(num <= max, LB_SECTION_INVALID, "a list is too long");
    const char **words = lb_arena_array(arena, num, sizeof(*words));
    LB_ENSURE(words != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        words[i] = lb_text_copy(lb_json_at(list, i), arena);
        LB_ENSURE(words[i] != NULL, LB_SECTION_INVALID, "a list holds what is no text");
    }
    *out_words = words;
    *out_num = num;
    return LB_OK;
}

static lb_status read_agent(const struct lb_json *object, struct lb_arena *arena,
                            struct lb_section *section)
{
    static const char *const keys[] = {"relation", "until", "document", "scope", NULL};
    struct lb_claims claims = lb_claims_of(object, keys, arena);
    section->agent = lb_claims_text(&claims, "relation");
    section->agent_until = lb_claims_int(&claims, "until", 1, LB_CLAIM_MAX_TIME);
    lb_claims_hex32(&claims, "document", section->agent_document);
    const struct lb_json *scope = lb_claims_array(&claims, "scope");
    LB_TRY(claims.status);
    return read_words(scope, LB_MAX_VIEWS_PER_SECTION, arena, &section->agent_views,
                      &section->num_agent_views);
}

static lb_status read_relative(const struct lb_json *object, struct lb_arena *arena,
                               struct lb_section *section)
{
    static const char *const keys[] = {"relation", "interest", NULL};
    struct lb_claims claims = lb_claims_of(object, keys, arena);
    section->relative = lb_claims_text(&claims, "relation");
    section->interest = lb_claims_text(&claims, "interest");
    return claims.status;
}

/* Absent from an ordinary section; there, it is whole. */
static lb_status read_event(const struct lb_json *object, struct lb_arena *arena,
                            struct lb_section *section)
{
    static const char *const keys[] = {"every_days", NULL};
    const struct lb_json *event = NULL;
    lb_status status = lb_json_get_object(object, "event", &event);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    struct lb_claims claims = lb_claims_of(event, keys, arena);
    section->event_days = lb_claims_int(&claims, "every_days", 1, LB_EVENT_MAX_DAYS);
    return claims.status;
}

/* Objects that may be absent. */
static lb_status read_giver(const struct lb_json *object, struct lb_arena *arena,
                            struct lb_section *section)
{
    const struct lb_json *agent = NULL, *relative = NULL;
    lb_status status = lb_json_get_object(object, "agent", &agent);
    if (lb_status_code(status) != LB_ABSENT) {
        LB_TRY(status);
        LB_TRY(read_agent(agent, arena, section));
    }
    status = lb_json_get_object(object, "relative", &relative);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    return read_relative(relative, arena, section);
}

static void read_what(struct lb_claims *claims, struct lb_section *section)
{
    section->provider = lb_claims_text(claims, "provider");
    section->audience = lb_claims_text(claims, "aud");
    section->form = lb_claims_text(claims, "form");
    section->form_version = (uint32_t)lb_claims_int(claims, "form_version", 1, UINT32_MAX);
    lb_claims_hex32(claims, "form_sha256", section->form_sha256);
    section->purpose = lb_claims_text(claims, "purpose");
    section->case_id = lb_claims_text_if(claims, "case");
    section->basis = lb_claims_text(claims, "basis");
    section->role = lb_claims_text(claims, "role");
    section->operator_hash = lb_claims_text(claims, "act");
    section->approver = lb_claims_text_if(claims, "approver");
    section->guardian = lb_claims_text_if(claims, "guardian");
    lb_claims_hex32(claims, "notice", section->notice_sha256);
    section->method = lb_claims_text(claims, "method");
    section->level = (int)lb_claims_int(claims, "level", 1, 4);
    section->max_uses = lb_claims_int(claims, "uses", 1, LB_MAX_USES);
    section->answer_bytes =
        (uint32_t)lb_claims_int(claims, "answer_bytes", 1, LB_MAX_ANSWER_BYTES);
    lb_claims_b64_32(claims, "sub", section->subject);
}

static lb_status read_section(const struct lb_json *object, struct lb_arena *arena,
                              struct lb_section *section)
{
    static const char *const keys[] = {"provider", "aud",   "form",   "form_version", "form_sha256",
                                       "purpose",  "case",  "basis",  "law",          "role",
                                       "act",      "guardian", "notice", "method",    "level",
                                       "uses",     "answer_bytes", "sub", "views",    "agent",
                                       "relative", "approver", "event", NULL};
    struct lb_claims claims = lb_claims_of(object, keys, arena);
    read_what(&claims, section);
    const struct lb_json *laws = lb_claims_array(&claims, "law");
    const struct lb_json *views = lb_claims_array(&claims, "views");
    LB_TRY(claims.status);
    LB_TRY(read_giver(object, arena, section));
    LB_TRY(read_event(object, arena, section));
    LB_TRY(read_words(laws, LB_MAX_CLAIM_VALUES, arena, &section->laws, &section->num_laws));
    return read_views(views, arena, section);
}

lb_status lb_section_from_json(const struct lb_json *object, struct lb_arena *arena,
                               struct lb_section *out_section)
{
    struct lb_section section = {0};
    LB_TRY(lb_token_fault(read_section(object, arena, &section),
                          LB_FAULT(LB_SECTION_INVALID, "section does not follow its format")));
    LB_TRY(lb_section_check(&section));
    *out_section = section;
    return LB_OK;
}
