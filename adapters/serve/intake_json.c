#include "adapters/serve/intake_json.h"

#include "gateway/base/hex.h"
#include "gateway/wire/pb.h"

/* At most a hash. */
#define MAX_HEX_BYTES 32

static const char *name_of(const ProtobufCEnumDescriptor *kind, int value)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(kind, value);
    return known == NULL ? "unknown" : known->name;
}

const char *lb_intake_kind_name(Lianban__V1__Part__Kind kind)
{
    switch (kind) {
    case LIANBAN__V1__PART__KIND__SUBMISSION:
        return "submission";
    case LIANBAN__V1__PART__KIND__SUPPLEMENT:
        return "supplement";
    case LIANBAN__V1__PART__KIND__CORRECTION:
        return "correction";
    case LIANBAN__V1__PART__KIND__WITHDRAWAL:
        return "withdrawal";
    case LIANBAN__V1__PART__KIND__CORRECTION_REQUEST:
        return "correction_request";
    case LIANBAN__V1__PART__KIND__SIGNAL:
        return "signal";
    default:
        return "unknown";
    }
}

static void set_hex(struct lb_json *json, const char *key, struct lb_span bytes)
{
    char text[2 * MAX_HEX_BYTES + 1] = "";
    if (bytes.len > 0 && bytes.len <= MAX_HEX_BYTES)
        lb_hex_encode(bytes, text);
    lb_json_set_cstr(json, key, text);
}

static struct lb_json *people_of(const Lianban__V1__Part *part)
{
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < part->n_people; i++) {
        struct lb_json *person = lb_json_object();
        lb_json_set_cstr(person, "role", part->people[i]->role);
        lb_json_set_cstr(person, "relation", part->people[i]->relation);
        lb_json_set_cstr(person, "id_no", part->people[i]->id_no);
        lb_json_set_cstr(person, "name", part->people[i]->name);
        lb_json_append(list, person);
    }
    return list;
}

static struct lb_json *facts_of(const Lianban__V1__Part *part)
{
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < part->n_facts; i++) {
        const Lianban__V1__PartFact *from = part->facts[i];
        struct lb_json *fact = lb_json_object();
        lb_json_set_cstr(fact, "fact", from->fact);
        lb_json_set_int(fact, "person", from->person);
        lb_json_set_cstr(fact, "department", from->department);
        lb_json_set_cstr(fact, "shown", from->shown);
        lb_json_set_cstr(fact, "state",
                         name_of(&lianban__v1__fact__state__descriptor, (int)from->state));
        lb_json_set_cstr(fact, "as_of", from->as_of);
        set_hex(fact, "txn", lb_pb_span(from->txn));
        lb_json_set_cstr(fact, "grade", from->grade);
        lb_json_append(list, fact);
    }
    return list;
}

static struct lb_json *papers_of(const Lianban__V1__Part *part)
{
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < part->n_papers; i++) {
        struct lb_json *paper = lb_json_object();
        lb_json_set_cstr(paper, "title", part->papers[i]->title);
        set_hex(paper, "sha256", lb_pb_span(part->papers[i]->sha256));
        lb_json_append(list, paper);
    }
    return list;
}

static void add_part(struct lb_json *json, const Lianban__V1__Part *part)
{
    lb_json_set_cstr(json, "case", part->case_id);
    lb_json_set_cstr(json, "form", part->form);
    lb_json_set_int(json, "form_version", part->form_version);
    lb_json_set_cstr(json, "part", part->part);
    lb_json_set_cstr(json, "class", part->class_id);
    lb_json_set_int(json, "thresholds_version", part->thresholds_version);
    lb_json_set_cstr(json, "decided_class", part->decided_class);
    lb_json_set_cstr(json, "decided_reason", part->decided_reason);
    lb_json_set(json, "people", people_of(part));
    lb_json_set(json, "facts", facts_of(part));
    lb_json_set_cstr(json, "note", part->note);
    lb_json_set(json, "papers", papers_of(part));
    lb_json_set_cstr(json, "due", part->due);
    lb_json_set_bool(json, "emergency", part->emergency);
}

struct lb_json *lb_intake_json(const struct lb_intake_row *row,
                               const Lianban__V1__SealedParcel *parcel)
{
    struct lb_json *json = lb_json_object();
    lb_json_set_int(json, "number", row->n);
    set_hex(json, "parcel", lb_span_of(row->name, sizeof(row->name)));
    lb_json_set_cstr(json, "requester", row->sender);
    lb_json_set_cstr(json, "kind", lb_intake_kind_name(row->kind));
    lb_json_set_int(json, "about", row->about);
    lb_json_set_cstr(json, "state", lb_intake_state_name(row->state));
    lb_json_set_bool(json, "waiting", row->acked_unix_s == 0);
    lb_json_set_int(json, "made_unix_s", parcel->made_unix_s);
    lb_json_set_int(json, "came_unix_s", row->came_unix_s);
    add_part(json, parcel->part);
    return json;
}

struct lb_json *lb_intake_json_word(const struct lb_intake_word *row, const Lianban__V1__Word *word)
{
    struct lb_json *json = lb_json_object();
    lb_json_set_int(json, "number", row->number);
    lb_json_set_cstr(json, "kind", name_of(&lianban__v1__word__kind__descriptor, (int)row->kind));
    lb_json_set_int(json, "said_unix_s", row->said_unix_s);
    lb_json_set_cstr(json, "end", row->code);
    if (word == NULL)
        return json;
    lb_json_set_cstr(json, "reference", word->reference);
    if (word->outcome != LIANBAN__V1__WORD__OUTCOME__OUTCOME_UNSPECIFIED)
        lb_json_set_cstr(json, "outcome",
                         name_of(&lianban__v1__word__outcome__descriptor, (int)word->outcome));
    if (word->forwarded_to[0] != 0)
        lb_json_set_cstr(json, "forwarded_to", word->forwarded_to);
    lb_json_set_cstr(json, "text_zh", word->text_zh);
    lb_json_set_cstr(json, "text_en", word->text_en);
    lb_json_set_cstr(json, "law", word->law);
    lb_json_set_cstr(json, "until", word->until);
    return json;
}
