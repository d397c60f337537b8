#include "gateway/base/hex.h"
#include "gateway/consent/inside.h"
#include "gateway/json/json.h"
#include "gateway/token/status_list.h"

/*
 * The consent record: one JSON document per decision with the mandatory fields of ISO/IEC TS 27560.
 * The office's proof that it asked and was answered (PIPL 69), kept for three years after the
 * consent's end. The principal is a pseudonym; the evidence log proves that the record is the one
 * of the day, through the form, notice and grant it names.
 */
#define SCHEMA "ISO/IEC TS 27560:2023; lianban-consent-record/1"

static void set_hex32(struct lb_json *object, const char *key, const uint8_t bytes[32])
{
    char text[65];
    lb_hex_encode(lb_span_of(bytes, 32), text);
    lb_json_set_cstr(object, key, text);
}

static const char *in_language(const struct lb_consent_decision *decision,
                               const struct lb_form_text *text)
{
    return strcmp(decision->language, "zh") == 0 ? text->zh : text->en;
}

/* --- who --- */

static struct lb_json *party(const struct lb_consent_decision *decision, const char *organization,
                             const struct lb_node *node, const char *type)
{
    struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "party_id", organization);
    lb_json_set_cstr(json, "party_name",
                     lb_directory_name(decision->directory, organization, decision->language));
    lb_json_set_cstr(json, "party_address", node == NULL ? "" : node->endpoint);
    lb_json_set_cstr(json, "party_contact", node == NULL ? organization : node->spiffe);
    lb_json_set_cstr(json, "party_type", type);
    return json;
}

/* Says whether the section's department is asked anything for the role under consent. */
static bool is_asked(const struct lb_consent_decision *decision,
                     size_t section)
{
    size_t role = lb_form_role_index(decision->form, decision->row.role);
    for (size_t i = 0; i < decision->form->num_facts; i++) {
        const struct lb_form_fact *fact = &decision->form->facts[i];
        if (fact->section == section &&
            lb_consent_grants(decision->form, fact, role, &decision->choice))
            return true;
    }
    return false;
}

static void add_parties(const struct lb_consent_decision *decision, struct lb_json *record)
{
    const char *requester = decision->requester->organization;
    const char *office = decision->consent->options.organization;
    const struct lb_node *server =
        lb_directory_node(decision->directory, decision->consent->options.self);
    struct lb_json *parties = lb_json_array();
    struct lb_json *controllers = lb_json_array();
    lb_json_append(parties, party(decision, requester, decision->requester, "requester"));
    lb_json_append_str(controllers, lb_span_str(requester));
    lb_json_append(parties, party(decision, office, server, "consent office"));
    for (size_t i = 0; i < decision->form->num_sections; i++) {
        const struct lb_form_section *section = &decision->form->sections[i];
        if (!is_asked(decision, i))
            continue;
        const struct lb_node *adapter =
            lb_consent_adapter_of(decision->directory, section->department);
        lb_json_append(parties, party(decision, section->department, adapter, "provider"));
        lb_json_append_str(controllers, lb_span_str(section->department));
    }
    /* The provider keeps its own register and the requester its case; nobody else stores
     * anything. */
    lb_json_set(record, "storage_locations", lb_json_copy(controllers));
    lb_json_set(record, "pii_controllers", controllers);
    lb_json_set(record, "parties", parties);
    lb_json_set(record, "recipient_third_parties", lb_json_array());
}

/* --- what --- */

static struct lb_json *information(const struct lb_consent_decision *decision)
{
    const struct lb_form *form = decision->form;
    size_t role = lb_form_role_index(form, decision->row.role);
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < form->num_facts; i++) {
        const struct lb_form_fact *fact = &form->facts[i];
        if (!lb_consent_grants(form, fact, role, &decision->choice))
            continue;
        enum lb_basis basis = decision->choice.emergency
                                  ? LB_BASIS_EMERGENCY
                                  : lb_form_basis(form, fact->section, role);
        struct lb_json *item = lb_json_object();
        lb_json_set_cstr(item, "pii_type", fact->view);
        lb_json_set_cstr(item, "pii_attribute_id", fact->field);
        lb_json_set_cstr(item, "processing_method", lb_op_format(&fact->call, decision->arena));
        lb_json_set_cstr(item, "source", fact->department);
        lb_json_set_cstr(item, "lawful_basis", lb_basis_name(basis));
        lb_json_set_bool(item, "pii_optional", fact->optional);
        lb_json_append(list, item);
    }
    return list;
}

/* Departments and facts by their names: what the principal kept back. */
static struct lb_json *refused(const struct lb_consent_choice *choice)
{
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < choice->num_departments; i++)
        lb_json_append_str(list, lb_span_str(choice->departments[i]));
    for (size_t i = 0; i < choice->num_facts; i++)
        lb_json_append_str(list, lb_span_str(choice->facts[i]));
    return list;
}

static void add_purpose(const struct lb_consent_decision *decision, struct lb_json *record)
{
    const struct lb_form *form = decision->form;
    struct lb_json *notice = lb_json_object();
    set_hex32(notice, "sha256", decision->notice_sha256);
    lb_json_set_cstr(notice, "variant", lb_notice_variant_name(decision->variant));
    lb_json_set(record, "privacy_notice", notice);
    lb_json_set_cstr(record, "language", decision->language);
    lb_json_set_cstr(record, "jurisdiction", "CN");
    lb_json_set_cstr(record, "purpose", form->purpose);
    lb_json_set_cstr(record, "purpose_text", in_language(decision, &form->notice.why));
    lb_json_set_cstr(record, "retention_period", in_language(decision, &form->notice.keep));
    lb_json_set_cstr(record, "withdrawal_method", in_language(decision, &form->notice.withdraw));
    lb_json_set(record, "pii_information", information(decision));
    lb_json_set(record, "refused", refused(&decision->choice));
    struct lb_json *what = lb_json_object();
    lb_json_set_cstr(what, "id", form->id);
    lb_json_set_int(what, "version", form->version);
    set_hex32(what, "sha256", form->sha256);
    lb_json_set(record, "form", what);
    if (form->trigger.every_days > 0)
        lb_json_set_int(record, "every_days", form->trigger.every_days);
    lb_json_set_cstr(record, "case", decision->row.case_id);
    lb_json_set_cstr(record, "role", decision->row.role);
}

/* --- when --- */

struct event {
    const char *state;
    const char *type;
    const uint8_t *entity;  /* pseudonym of who decided; NULL when no principal did */
    const char *desk;
    int64_t at_unix_s;
    int64_t validity_s;
};

static struct lb_json *event_to_json(const struct event *event)
{
    struct lb_json *json = lb_json_object();
    lb_json_set_int(json, "event_time", event->at_unix_s);
    lb_json_set_int(json, "validity_duration", event->validity_s);
    if (event->entity != NULL)
        set_hex32(json, "entity_id", event->entity);
    else
        lb_json_set_cstr(json, "entity_id", event->desk);
    lb_json_set_cstr(json, "event_type", event->type);
    lb_json_set_cstr(json, "event_state", event->state);
    lb_json_set_cstr(json, "recorded_by", event->desk);
    return json;
}

static const uint8_t *entity_of(const struct lb_consent_decision *decision)
{
    const struct lb_consent_request_row *row = &decision->row;
    if (decision->choice.emergency)
        return NULL;
    return decision->giver == LB_GIVER_SELF ? row->subject : row->guardian;
}

static void set_circumstances(struct lb_json *json, const struct lb_consent_decision *decision)
{
    static const uint8_t zeros[32];
    const struct lb_consent_request_row *row = &decision->row;
    lb_json_set_cstr(json, "collection_method", decision->method);
    lb_json_set_int(json, "level", decision->level);
    lb_json_set_cstr(json, "officer", decision->officer.name);
    if (row->first_officer != NULL && strcmp(decision->method, "paper2") == 0)
        lb_json_set_cstr(json, "first_officer", row->first_officer);
    if (memcmp(decision->paper_sha256, zeros, sizeof(zeros)) != 0)
        set_hex32(json, "paper_sha256", decision->paper_sha256);
    if (decision->reason != NULL) {
        lb_json_set_cstr(json, "reason", decision->reason);
        return;
    }
    lb_json_set_cstr(json, "given_by", lb_giver_name(decision->giver));
    if (decision->giver != LB_GIVER_SELF)
        lb_json_set_cstr(json, "relation", row->relation);
    if (decision->giver == LB_GIVER_RELATIVE)
        lb_json_set_cstr(json, "interest", row->interest);
    if (decision->giver == LB_GIVER_AGENT)
        lb_json_set_int(json, "authorisation_ends", row->agent_until);
}

static struct lb_json *decision_to_json(const struct lb_consent_decision *decision)
{
    bool is_emergency = decision->choice.emergency;
    const struct event event = {
        .state = is_emergency ? "not asked" : decision->agreed ? "given" : "refused",
        .type = is_emergency ? "emergency" : "explicit",
        .entity = entity_of(decision),
        .desk = decision->officer.desk,
        .at_unix_s = decision->now_unix_s,
        .validity_s = decision->agreed ? decision->grant.exp - decision->now_unix_s : 0,
    };
    struct lb_json *json = event_to_json(&event);
    set_circumstances(json, decision);
    return json;
}

/* --- storing --- */

static lb_status store_record(struct lb_consent *consent, struct lb_json *record,
                              struct lb_consent_document *document, struct lb_arena *arena)
{
    char id[LB_CONSENT_ID_BYTES];
    LB_TRY(lb_consent_random_id('c', id));
    lb_json_set_cstr(record, "record_id", id);
    LB_TRY(lb_json_dump(record, LB_JSON_COMPACT, arena, &document->text));
    document->id = id;
    return lb_consent_document_add(consent->store, document);
}

lb_status lb_consent_record(const struct lb_consent_decision *decision)
{
    const struct lb_consent_request_row *row = &decision->row;
    int64_t end = decision->agreed ? decision->grant.exp : decision->now_unix_s;
    struct lb_consent_document document = {
        .request = row->id,
        .at_unix_s = decision->now_unix_s,
        .keep_until_unix_s = end + LB_CONSENT_RECORD_KEPT_S,
    };
    LB_DEFER(lb_json_freep) struct lb_json *record = lb_json_object();
    lb_json_set_cstr(record, "schema_version", SCHEMA);
    lb_json_set_cstr(record, "record_id", "");
    set_hex32(record, "pii_principal_id", row->subject);
    lb_json_set_cstr(record, "request", row->id);
    if (decision->agreed)
        lb_json_set_cstr(record, "grant", row->grant_id);
    add_purpose(decision, record);
    add_parties(decision, record);
    lb_json_set(record, "event", decision_to_json(decision));
    return store_record(decision->consent, record, &document, decision->arena);
}

lb_status lb_consent_record_json(struct lb_consent *consent, const char *request,
                                 struct lb_arena *arena, struct lb_json **out_record)
{
    struct lb_span text;
    lb_status status = lb_consent_document_first(consent->store, request, arena, &text);
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_STORE_FAILED, "a grant without its record");
    LB_TRY(status);
    return lb_json_parse(text, out_record);
}

/* What followed a decision: its record once more, with another event. */
static lb_status store_event(struct lb_consent *consent, struct lb_consent_document *document,
                             const struct event *event, struct lb_arena *arena)
{
    LB_DEFER(lb_json_freep) struct lb_json *record = NULL;
    LB_TRY(lb_consent_record_json(consent, document->request, arena, &record));
    lb_json_set(record, "event", event_to_json(event));
    return store_record(consent, record, document, arena);
}

static const char *change_name(int64_t state)
{
    switch (state) {
    case LB_STATE_VALID:
        return "resumed";
    case LB_STATE_SUSPENDED:
        return "suspended";
    default:
        return "withdrawn";
    }
}

lb_status lb_consent_record_change(struct lb_consent *consent,
                                   const struct lb_consent_grant_row *grant,
                                   const uint8_t by[32], const char *desk, int64_t now_unix_s,
                                   struct lb_arena *arena)
{
    struct lb_consent_document document = {
        .request = grant->request,
        .at_unix_s = now_unix_s,
        .keep_until_unix_s = grant->exp + LB_CONSENT_RECORD_KEPT_S,
    };
    const struct event event = {
        .state = change_name(grant->state),
        .type = "explicit",
        .entity = by,
        .desk = desk,
        .at_unix_s = now_unix_s,
    };
    return store_event(consent, &document, &event, arena);
}

lb_status lb_consent_record_supplement(struct lb_consent *consent,
                                       const struct lb_consent_emergency_row *emergency,
                                       const char *outcome, const char *desk, int64_t now_unix_s,
                                       struct lb_arena *arena)
{
    bool is_consented = strcmp(outcome, "consented") == 0;
    struct lb_consent_document document = {
        .request = emergency->request,
        .at_unix_s = now_unix_s,
        .keep_until_unix_s = now_unix_s + LB_CONSENT_RECORD_KEPT_S,
    };
    const struct event event = {
        .state = outcome,
        .type = "supplement",
        .entity = is_consented ? emergency->subject : NULL,
        .desk = desk,
        .at_unix_s = now_unix_s,
    };
    return store_event(consent, &document, &event, arena);
}
