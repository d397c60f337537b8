#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/consent/fixture.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/x509.h"

/* The federation's directory and form. */

static const char FORM[] =
    "form: test-aid\n"
    "version: 3\n"
    "title: {zh: 测试救助, en: Test aid}\n"
    "purpose: test-aid\n"
    "lead: civil-affairs\n"
    "law: [SAL40, SAL41]\n"
    "rules: test-rules\n"
    "grant_days: 30\n"
    "roles:\n"
    "  applicant: {min: 1, max: 1, minor: false}\n"
    "  child: {min: 0, max: 3, minor: true}\n"
    "  payer: {min: 0, max: 3, minor: false}\n"
    "  supporter: {min: 0, max: 2, outside: true}\n"
    "  late: {min: 0, max: 1, deceased: true}\n"
    "sections:\n"
    "  public-security: {basis: consent, law: [SAL40], answer_bytes: 512, uses: 2}\n"
    "  tax: {basis: mandate, law: [SAL41], answer_bytes: 1024, uses: 4}\n"
    "  disabled-federation: {basis: separate_consent, answer_bytes: 256, uses: 100}\n"
    "facts:\n"
    "  - fact: same_person\n"
    "    department: public-security\n"
    "    view: public-security.person\n"
    "    field: name\n"
    "    operator: EQ\n"
    "    roles: [applicant, child, late]\n"
    "    otherwise: true\n"
    "    claim: name\n"
    "    label: {zh: 姓名, en: Name}\n"
    "  - fact: same_household\n"
    "    department: public-security\n"
    "    view: public-security.household\n"
    "    field: members\n"
    "    operator: EQ\n"
    "    roles: [applicant]\n"
    "    otherwise: true\n"
    "    claim: household\n"
    "    label: {zh: 户内成员, en: Household members}\n"
    "  - fact: region\n"
    "    department: public-security\n"
    "    view: public-security.person\n"
    "    field: region\n"
    "    operator: ADDR_LEVEL(6)\n"
    "    roles: [applicant, child]\n"
    "    otherwise: unknown\n"
    "    show: true\n"
    "    optional: true\n"
    "    label: {zh: 户籍地, en: Registered area}\n"
    "  - fact: wage12\n"
    "    department: tax\n"
    "    view: tax.income\n"
    "    field: income\n"
    "    operator: SUM(12)\n"
    "    roles: [applicant, payer, supporter]\n"
    "    otherwise: 0\n"
    "    label: {zh: 近12个月工资, en: Wages of the last 12 months}\n"
    "  - fact: severe\n"
    "    department: disabled-federation\n"
    "    view: disabled-federation.card\n"
    "    field: level\n"
    "    operator: IN(disability.severe)\n"
    "    roles: [applicant]\n"
    "    otherwise: false\n"
    "    label: {zh: 重度残疾, en: Severe disability}\n"
    "household:\n"
    "  - {name: income, each: wage12, fold: sum}\n"
    "conditions:\n"
    "  - condition: poor\n"
    "    test: income < 1\n"
    "    text: {zh: 收入低于标准, en: Income below the line}\n"
    "    source: SAL 20\n"
    "classes:\n"
    "  - class: FULL\n"
    "    when: poor\n"
    "    text: {zh: 全额, en: full}\n"
    "otherwise: {class: NONE, text: {zh: 不符合, en: none}}\n"
    "notice:\n"
    "  why: {zh: 用于审核您的申请。, en: To decide on your application.}\n"
    "  keep: {zh: 案件结束后删除。, en: Deleted when the case is closed.}\n"
    "  withdraw: {zh: 在任何同意点均可撤回。, en: At any consent desk.}\n"
    "  refuse: {zh: 可以改为提交纸质材料。, en: You may bring papers instead.}\n";

const char *fx_form_text(void)
{
    return FORM;
}

static const char *vkey_of(struct fixture *fx, const char *name, const struct lb_sign_key *key)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_note_verifier verifier = {0};
    (void)lb_sign_key_public(key, raw);
    assert_ok(lb_note_verifier_init(name, raw, &verifier));
    const char *vkey = lb_note_verifier_format(&verifier, fx->arena);
    lb_note_verifier_cleanup(&verifier);
    assert_non_null(vkey);
    return vkey;
}

static struct lb_json *seal_to_json(struct fixture *fx, const char *spiffe, uint8_t first,
                                    int64_t not_after)
{
    const struct lb_seal_key_entry entry = {.id = lb_arena_printf(fx->arena, "k%d", first),
                                            .public_key = {first},
                                            .not_after = not_after};
    struct lb_span signature;
    assert_ok(lb_seal_key_sign(spiffe, &entry, fx->window_key, fx->arena, &signature));
    struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "id", entry.id);
    lb_json_set_cstr(json, "key", lb_b64url_encode(fx->arena, lb_span_of(entry.public_key, 32)));
    lb_json_set_int(json, "not_after", not_after);
    lb_json_set_str(json, "signature", signature);
    return json;
}

/* A window's keys begin with the byte `first` (current) and first + 1 (past its time). All logs
 * have one key. */
static void add_node(struct fixture *fx, struct lb_json *nodes, const char *spiffe, uint8_t first)
{
    struct lb_json *json = lb_json_object();
    struct lb_json *seals = lb_json_array();
    lb_json_set_cstr(json, "spiffe", spiffe);
    lb_json_set_cstr(json, "endpoint", "");
    bool keeps_log = first != 0 || strstr(spiffe, "/adapter/") != NULL;
    lb_json_set_cstr(json, "log",
                     keeps_log ? vkey_of(fx, lb_spiffe_log_origin(spiffe), fx->window_key) : "");
    if (first != 0) {
        int64_t now = fx->clock.now_unix_ms / 1000;
        lb_json_append(seals, seal_to_json(fx, spiffe, first, now + 86400 * 7));
        lb_json_append(seals, seal_to_json(fx, spiffe, (uint8_t)(first + 1), FX_NOW - 1));
    }
    lb_json_set(json, "seal", seals);
    lb_json_append(nodes, json);
}

static struct lb_json *nodes_of(struct fixture *fx)
{
    struct lb_json *nodes = lb_json_array();
    add_node(fx, nodes, FX_WINDOW, 10);
    add_node(fx, nodes, FX_OTHER_WINDOW, 20);
    add_node(fx, nodes, FX_OWN_WINDOW, 30);
    add_node(fx, nodes, FX_SOURCE_WINDOW, 40);
    add_node(fx, nodes, FX_SERVER, 0);
    add_node(fx, nodes, FX_DESK, 0);
    add_node(fx, nodes, FX_DESK_3, 0);
    add_node(fx, nodes, FX_OTHER_DESK, 0);
    add_node(fx, nodes, "spiffe://example.gov/adapter/public-security/two", 0);
    add_node(fx, nodes, FX_ADAPTER, 0);
    add_node(fx, nodes, "spiffe://example.gov/adapter/disabled-federation", 0);
    add_node(fx, nodes, "spiffe://example.gov/adapter/tax", 0);
    return nodes;
}

static struct lb_json *organizations_of(void)
{
    struct lb_json *list = lb_json_array();
    struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "id", "street-office");
    lb_json_set_cstr(json, "zh", "街道办事处");
    lb_json_set_cstr(json, "en", "Street office");
    lb_json_append(list, json);
    return list;
}

static struct lb_json *issuer_of(struct fixture *fx, const char *kid, const char *kind)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    bool is_consent = strcmp(kind, "consent") == 0;
    assert_int_equal(lb_sign_key_public(is_consent ? fx->issuer_key : fx->officer_key, raw), 64);
    struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "organization", "hall");
    lb_json_set_cstr(json, "kid", kid);
    lb_json_set_cstr(json, "x", lb_b64url_encode(fx->arena, lb_span_of(raw, 32)));
    lb_json_set_cstr(json, "y", lb_b64url_encode(fx->arena, lb_span_of(raw + 32, 32)));
    struct lb_json *kinds = lb_json_array();
    lb_json_append_str(kinds, lb_span_str(kind));
    lb_json_set(json, "kinds", kinds);
    lb_json_set_cstr(json, "status", is_consent ? FX_LIST : "");
    return json;
}

static struct lb_json *issuers_of(struct fixture *fx)
{
    struct lb_json *list = lb_json_array();
    lb_json_append(list, issuer_of(fx, "h1", "consent"));
    if (fx->has_officers)
        lb_json_append(list, issuer_of(fx, "o1", "operator"));
    return list;
}

static void add_view(struct lb_json *views, const char *id, int64_t version)
{
    static const char hash[] = "00000000000000000000000000000000000000000000000000000000000000ff";
    struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "id", id);
    lb_json_set_int(json, "version", version);
    lb_json_set_cstr(json, "sha256", hash);
    lb_json_append(views, json);
}

static struct lb_json *views_of(void)
{
    struct lb_json *views = lb_json_array();
    add_view(views, "public-security.person", 2);
    add_view(views, "public-security.person", 7);
    add_view(views, "public-security.household", 1);
    add_view(views, "disabled-federation.card", 5);
    add_view(views, "tax.income", 1);
    return views;
}

struct lb_json *fx_directory(struct fixture *fx)
{
    uint8_t pin[32];
    char hex[65];
    struct lb_span ca;
    assert_ok(lb_file_read(fx->ca_path, LB_MAX_PEM_BYTES, fx->arena, &ca));
    assert_ok(lb_x509_ca_pin(ca, pin));
    lb_hex_encode(lb_span_of(pin, 32), hex);
    struct lb_json *root = lb_json_object();
    lb_json_set_cstr(root, "type", "lianban-directory/v1");
    lb_json_set_cstr(root, "federation", "example.gov");
    lb_json_set_int(root, "version", ++fx->directory_version);
    lb_json_set_int(root, "issued", fx->clock.now_unix_ms / 1000 - 10);
    lb_json_set_int(root, "expires", FX_NOW + 86400 * 365);
    struct lb_json *pins = lb_json_array();
    lb_json_append_str(pins, lb_span_str(hex));
    lb_json_set(root, "ca_pins", pins);
    lb_json_set(root, "organizations", organizations_of());
    lb_json_set(root, "nodes", nodes_of(fx));
    lb_json_set(root, "issuers", issuers_of(fx));
    lb_json_set(root, "forms", lb_json_array());
    lb_json_set(root, "rules", lb_json_array());
    lb_json_set(root, "views", views_of());
    return root;
}

/* Lists are copied without the items whose member has the value. */
static void drop(struct lb_json *directory, const char *list, const char *key, const char *value)
{
    const struct lb_json *old = NULL;
    struct lb_json *kept = lb_json_array();
    assert_ok(lb_json_get_array(directory, list, &old));
    for (size_t i = 0; i < lb_json_len(old); i++) {
        struct lb_span text;
        assert_ok(lb_json_get_str(lb_json_at(old, i), key, &text));
        if (!lb_span_is(text, value))
            lb_json_append(kept, lb_json_copy(lb_json_at(old, i)));
    }
    assert_true(lb_json_len(kept) < lb_json_len(old));
    lb_json_set(directory, list, kept);
}

void fx_drop_node(struct lb_json *directory, const char *spiffe)
{
    drop(directory, "nodes", "spiffe", spiffe);
}

void fx_drop_view(struct lb_json *directory, const char *id)
{
    drop(directory, "views", "id", id);
}

void fx_publish(struct fixture *fx, struct lb_json *directory)
{
    struct lb_span text;
    struct lb_span note;
    assert_ok(lb_json_dump(directory, LB_JSON_PRETTY, fx->arena, &text));
    lb_json_free(directory);
    const char *line = lb_arena_printf(fx->arena, "%s\n", (const char *)text.ptr);
    assert_non_null(line);
    assert_ok(lb_note_sign(lb_span_str(line), false, "example.gov/directory", fx->directory_key,
                           fx->arena, &note));
    assert_ok(lb_file_write(fx->directory_path, note, 0600));
    if (fx->trust == NULL)
        return;
    lb_trust_reload(fx->trust);
    struct lb_directory *now = lb_trust_directory(fx->trust);
    assert_int_equal(now->version, fx->directory_version);
    lb_directory_unref(now);
}

/* --- people and decisions --- */

static char *text_of(struct fixture *fx, const char *text)
{
    char *copy = lb_arena_str(fx->arena, lb_span_str(text));
    assert_non_null(copy);
    return copy;
}

static void other_person(struct fixture *fx, Lianban__V1__Representative *out, const char *kind,
                         const char *relation)
{
    lianban__v1__representative__init(out);
    out->kind = text_of(fx, kind);
    out->id_no = text_of(fx, fx->other_adult);
    out->name = text_of(fx, FX_ADULT_NAME);
    out->relation = text_of(fx, relation);
}

void fx_agent(struct fixture *fx, Lianban__V1__Representative *agent)
{
    uint8_t *hash = lb_arena_alloc(fx->arena, 32);
    char **departments = lb_arena_array(fx->arena, 1, sizeof(*departments));
    other_person(fx, agent, "agent", "village-helper");
    memset(hash, 0xA6, 32);
    departments[0] = text_of(fx, "public-security");
    agent->document_sha256 = (ProtobufCBinaryData){32, hash};
    agent->until = FX_NOW + 7 * 86400;
    agent->departments = departments;
    agent->n_departments = 1;
}

void fx_relative(struct fixture *fx, Lianban__V1__Representative *relative)
{
    other_person(fx, relative, "relative", "child");
    relative->interest = text_of(fx, "inheritance");
}

lb_status fx_decide(struct fixture *fx, const char *desk,
                    const Lianban__V1__ConfirmRequest *confirm,
                    Lianban__V1__ConfirmResponse **out)
{
    Lianban__V1__ConfirmResponse *response = NULL;
    lb_status status = lb_consent_confirm(fx->consent, desk, confirm, fx->arena, &response);
    assert_true((status == LB_OK) == (response != NULL));
    if (out != NULL)
        *out = response;
    return status;
}

lb_status fx_fetch(struct fixture *fx, const char *caller, char *request_id,
                   Lianban__V1__GetGrantResponse **out)
{
    Lianban__V1__GetGrantRequest request = LIANBAN__V1__GET_GRANT_REQUEST__INIT;
    request.request_id = request_id;
    return lb_consent_grant(fx->consent, caller, &request, fx->arena, out);
}

void fx_open(struct fixture *fx, char *request_id, struct fx_opened *out)
{
    Lianban__V1__GetGrantResponse *got = NULL;
    struct lb_span jwt, *disclosures = NULL;
    memset(out, 0, sizeof(*out));
    assert_ok(fx_fetch(fx, FX_WINDOW, request_id, &got));
    assert_ok(lb_sd_jwt_split(lb_span_str(got->sd_jwt), fx->arena, &jwt, &disclosures, &out->num));
    assert_ok(lb_grant_verify(jwt, fx->issuer_public, fx->arena, &out->grant));
    assert_true(out->num <= 4);
    for (size_t i = 0; i < out->num; i++)
        assert_ok(lb_section_open(&out->grant, disclosures[i], fx->arena, &out->sections[i]));
}
