#include "gateway/window/fixture.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/x509.h"
#include "gateway/json/json.h"

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
    "  member: {min: 0, max: 3, minor: false}\n"
    "  child: {min: 0, max: 3, minor: true}\n"
    "sections:\n"
    "  public-security: {basis: consent, law: [SAL40], answer_bytes: 1024, uses: 4}\n"
    "  tax: {basis: mandate, law: [SAL41], answer_bytes: 1024, uses: 4}\n"
    "  disabled-federation: {basis: separate_consent, law: [SAL40], answer_bytes: 512, uses: 4}\n"
    "facts:\n"
    "  - fact: same_person\n"
    "    department: public-security\n"
    "    view: public-security.person\n"
    "    field: name\n"
    "    operator: EQ\n"
    "    roles: [applicant, member, child]\n"
    "    claim: name\n"
    "    show: true\n"
    "    saves: {zh: 身份证复印件, en: copy of the identity card}\n"
    "    label: {zh: 姓名, en: Name}\n"
    "  - fact: same_household\n"
    "    department: public-security\n"
    "    view: public-security.household\n"
    "    field: members\n"
    "    operator: EQ\n"
    "    roles: [applicant]\n"
    "    otherwise: true\n"
    "    claim: household\n"
    "    saves: {zh: 户口簿, en: household register}\n"
    "    label: {zh: 户内成员, en: Household members}\n"
    "  - fact: region\n"
    "    department: public-security\n"
    "    view: public-security.person\n"
    "    field: region\n"
    "    operator: ADDR_LEVEL(6)\n"
    "    roles: [applicant]\n"
    "    otherwise: unknown\n"
    "    show: true\n"
    "    label: {zh: 户籍地, en: Registered area}\n"
    "  - fact: wage12\n"
    "    department: tax\n"
    "    view: tax.income\n"
    "    field: income\n"
    "    operator: SUM(12)\n"
    "    roles: [applicant, member]\n"
    "    otherwise: 0\n"
    "    show: false\n"
    "    saves: {zh: 收入证明, en: income certificate}\n"
    "    label: {zh: 近12个月工资, en: Wages of the last 12 months}\n"
    "  - fact: firms\n"
    "    department: tax\n"
    "    view: tax.business\n"
    "    field: firm\n"
    "    operator: COUNT(2)\n"
    "    roles: [applicant, member]\n"
    "    otherwise: 0\n"
    "    show: true\n"
    "    label: {zh: 名下企业, en: Firms owned}\n"
    "  - fact: severe\n"
    "    department: disabled-federation\n"
    "    view: disabled-federation.card\n"
    "    field: level\n"
    "    operator: IN(disability.severe)\n"
    "    roles: [applicant, member, child]\n"
    "    show: false\n"
    "    label: {zh: 重度残疾, en: Severe disability}\n"
    "household:\n"
    "  - {name: income, each: wage12, fold: sum}\n"
    "  - {name: all_named, each: same_person, fold: all}\n"
    "  - {name: any_severe, each: severe, fold: any}\n"
    "  - {name: declared, each: same_household, fold: applicant}\n"
    "  - {name: home, each: region, fold: applicant}\n"
    "  - {name: num_firms, each: firms, fold: sum}\n"
    "conditions:\n"
    "  - condition: identified\n"
    "    test: all_named AND declared\n"
    "    text: {zh: 身份一致, en: Identity matches}\n"
    "    source: PIPL 14\n"
    "  - condition: poor\n"
    "    test: income < std_line * 12 * n\n"
    "    text: {zh: 收入低于标准, en: Income below the line}\n"
    "    source: SAL 20\n"
    "  - condition: hard\n"
    "    test: any_severe\n"
    "    text: {zh: 有重度残疾成员, en: A member is severely disabled}\n"
    "    source: SAL 22\n"
    "  - condition: plain\n"
    "    test: num_firms = 0\n"
    "    text: {zh: 名下无企业, en: No firm}\n"
    "    source: SAL 23\n"
    "  - condition: local\n"
    "    test: home = '110101'\n"
    "    text: {zh: 本地户籍, en: Registered here}\n"
    "    source: SAL 24\n"
    "classes:\n"
    "  - class: FULL\n"
    "    when: identified AND poor AND plain AND hard\n"
    "    text: {zh: 全额, en: full}\n"
    "  - class: PART\n"
    "    when: identified AND poor AND plain AND local\n"
    "    text: {zh: 部分, en: partial}\n"
    "otherwise: {class: NONE, text: {zh: 不符合, en: none}}\n";

static const char REST_OF_FORM[] =
    "amounts:\n"
    "  - amount: gap\n"
    "    value: std_line * 12 * n - income\n"
    "    unit: cents\n"
    "    classes: [FULL]\n"
    "    text: {zh: 差额, en: The gap}\n"
    "parts:\n"
    "  - part: register\n"
    "    department: public-security\n"
    "    title: {zh: 登记, en: Registration}\n"
    "    law: [SAL42]\n"
    "    classes: [FULL, PART]\n"
    "    roles: [applicant, child]\n"
    "    facts: [same_person, region]\n"
    "    days: 5\n"
    "    escalate: {zh: 科长, en: section head}\n"
    "  - part: relief\n"
    "    department: tax\n"
    "    title: {zh: 减免, en: Relief}\n"
    "    law: [SAL42]\n"
    "    classes: [FULL]\n"
    "    roles: [applicant]\n"
    "    facts: [firms]\n"
    "    days: 10\n"
    "    escalate: {zh: 局长, en: director}\n"
    "  - part: first-aid\n"
    "    department: disabled-federation\n"
    "    title: {zh: 先行救助, en: Aid first}\n"
    "    law: [SAL50]\n"
    "    roles: [applicant]\n"
    "    days: 10\n"
    "    emergency: true\n"
    "    escalate: {zh: 街道, en: street office}\n"
    "notice:\n"
    "  why: {zh: 用于审核您的申请。, en: To decide on your application.}\n"
    "  keep: {zh: 案件结束后删除。, en: Deleted when the case is closed.}\n"
    "  withdraw: {zh: 在任何同意点均可撤回。, en: At any consent desk.}\n"
    "  refuse: {zh: 您可以自行提交证明。, en: You may bring the documents yourself.}\n";

static const char RULES[] =
    "rules: test-rules\n"
    "version: 7\n"
    "in_force: 2026-07-01\n"
    "title: {zh: 测试规则, en: Test rules}\n"
    "thresholds:\n"
    "  std.line: {value: 100000, unit: cents, source: \"test\"}\n"
    "sets:\n"
    "  disability.severe: {codes: [\"11\", \"12\"], source: \"test\"}\n";

const char *fx_form_text(void)
{
    static char text[sizeof(FORM) + sizeof(REST_OF_FORM)];
    (void)snprintf(text, sizeof(text), "%s%s", FORM, REST_OF_FORM);
    return text;
}

/* Wages become a share, and finance adds its payments; the slot has the household value's name. */
const char *fx_share_form_text(struct fixture *fx)
{
    static const char *const swaps[][2] = {
        {"  disabled-federation: {basis",
         "  finance: {basis: mandate, law: [SAL41], answer_bytes: 1024, uses: 4}\n"
         "  disabled-federation: {basis"},
        {"    operator: SUM(12)\n    roles: [applicant, member]\n    otherwise: 0\n",
         "    operator: SHARE(12)\n    roles: [applicant, member]\n"},
        {"household:\n  - {name: income, each: wage12, fold: sum}\n",
         "  - fact: paid12\n"
         "    department: finance\n"
         "    view: finance.payout\n"
         "    field: paid\n"
         "    operator: SHARE(12)\n"
         "    roles: [applicant, member]\n"
         "    label: {zh: 财政转移, en: Transfers}\n"
         "shares:\n"
         "  - {slot: income, facts: [wage12, paid12]}\n"
         "household:\n"},
    };
    const char *text = fx_form_text();
    for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++) {
        const char *at = strstr(text, swaps[i][0]);
        assert_non_null(at);
        text = lb_arena_printf(fx->arena, "%.*s%s%s", (int)(at - text), text, swaps[i][1],
                               at + strlen(swaps[i][0]));
        assert_non_null(text);
    }
    return text;
}

/* The tax office is asked only when nothing else settles the case. */
const char *fx_late_form_text(struct fixture *fx)
{
    static const char section[] =
        "  tax: {basis: mandate, law: [SAL41], answer_bytes: 1024, uses: 4";
    const char *form = fx_form_text();
    const char *at = strstr(form, section);
    assert_non_null(at);
    const char *text = lb_arena_printf(fx->arena, "%.*s%s, late: true%s", (int)(at - form), form,
                                       section, at + strlen(section));
    assert_non_null(text);
    return text;
}

const char *fx_rules_text(void)
{
    return RULES;
}

const char *fx_path(struct fixture *fx, const char *name)
{
    const char *path = lb_arena_printf(fx->arena, "%s/%s", fx->folder, name);
    assert_non_null(path);
    return path;
}

const char *fx_id(struct fixture *fx, const char *birth, int sequence)
{
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    char *id = lb_arena_printf(fx->arena, "991101%s%03d?", birth, sequence);
    int sum = 0;
    assert_non_null(id);
    for (size_t i = 0; i < 17; i++)
        sum += (id[i] - '0') * weights[i];
    id[17] = "10X98765432"[sum % 11];
    return id;
}

/* --- the directory --- */

static const char *vkey_of(struct fixture *fx, const char *name, const struct lb_sign_key *key)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    assert_int_equal(lb_sign_key_public(key, raw), 32);
    struct lb_note_verifier verifier = {0};
    assert_ok(lb_note_verifier_init(name, raw, &verifier));
    const char *vkey = lb_note_verifier_format(&verifier, fx->arena);
    lb_note_verifier_cleanup(&verifier);
    assert_non_null(vkey);
    return vkey;
}

static struct lb_json *node_json(struct fixture *fx, const char *spiffe,
                                 const struct lb_sign_key *log_key,
                                 const struct lb_x25519_key *seal_key)
{
    struct lb_json *node = lb_json_object(), *seals = lb_json_array();
    lb_json_set_cstr(node, "spiffe", spiffe);
    lb_json_set_cstr(node, "endpoint", "");
    lb_json_set_cstr(node, "log", vkey_of(fx, lb_spiffe_log_origin(spiffe), log_key));
    if (seal_key != NULL) {
        struct lb_seal_key_entry entry = {.id = "s1", .not_after = FX_NOW + 7 * 86400};
        struct lb_span signature;
        struct lb_json *seal = lb_json_object();
        memcpy(entry.public_key, seal_key->public_key, 32);
        assert_ok(lb_seal_key_sign(spiffe, &entry, log_key, fx->arena, &signature));
        lb_json_set_cstr(seal, "id", entry.id);
        lb_json_set_cstr(seal, "key",
                         lb_b64url_encode(fx->arena, lb_span_of(entry.public_key, 32)));
        lb_json_set_int(seal, "not_after", entry.not_after);
        lb_json_set_str(seal, "signature", signature);
        lb_json_append(seals, seal);
    }
    lb_json_set(node, "seal", seals);
    return node;
}

static struct lb_json *issuer_json(struct fixture *fx, const char *organization, const char *kid,
                                   const struct lb_sign_key *key, const char *kinds)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_json *issuer = lb_json_object(), *list = lb_json_array();
    assert_int_equal(lb_sign_key_public(key, raw), 64);
    lb_json_set_cstr(issuer, "organization", organization);
    lb_json_set_cstr(issuer, "kid", kid);
    lb_json_set_cstr(issuer, "x", lb_b64url_encode(fx->arena, lb_span_of(raw, 32)));
    lb_json_set_cstr(issuer, "y", lb_b64url_encode(fx->arena, lb_span_of(raw + 32, 32)));
    if (strcmp(kinds, "consent") == 0) {
        lb_json_append_str(list, lb_span_str("consent"));
    } else {
        lb_json_append_str(list, lb_span_str("mandate"));
        lb_json_append_str(list, lb_span_str("operator"));
    }
    lb_json_set(issuer, "kinds", list);
    lb_json_set_cstr(issuer, "status", "https://hall.example/status");
    return issuer;
}

static struct lb_json *listed_json(const char *id, int version, const uint8_t *sha256)
{
    static const uint8_t zeros[32];
    char hex[65];
    struct lb_json *item = lb_json_object();
    lb_hex_encode(lb_span_of(sha256 == NULL ? zeros : sha256, 32), hex);
    lb_json_set_cstr(item, "id", id);
    lb_json_set_int(item, "version", version);
    lb_json_set_cstr(item, "sha256", hex);
    return item;
}

static void set_members(struct fixture *fx, struct lb_json *root)
{
    struct lb_json *nodes = lb_json_array(), *issuers = lb_json_array();
    lb_json_set(root, "organizations", lb_json_array());
    lb_json_append(nodes, node_json(fx, FX_WINDOW, fx->window_key, &fx->seal_key));
    lb_json_append(nodes, node_json(fx, FX_BROKER, fx->broker_key, NULL));
    lb_json_append(nodes, node_json(fx, FX_SECOND, fx->second_key, NULL));
    for (size_t i = 0; i < FX_ADAPTERS; i++)
        lb_json_append(nodes, node_json(fx, fx->adapters[i].spiffe, fx->adapters[i].log_key,
                                        &fx->adapters[i].seal_key));
    lb_json_set(root, "nodes", nodes);
    lb_json_append(issuers, issuer_json(fx, "hall", FX_OFFICE_KID, fx->office_key, "consent"));
    lb_json_append(issuers, issuer_json(fx, "street-office", FX_STREET_KID, fx->street_key, ""));
    lb_json_set(root, "issuers", issuers);
}

static void set_lists(struct fixture *fx, struct lb_json *root)
{
    static const char *const views[] = {"public-security.person", "public-security.household",
                                        "tax.income", "tax.business", "disabled-federation.card",
                                        "finance.payout"};
    const struct lb_form *form = lb_form_of(fx->form);
    struct lb_json *forms = lb_json_array(), *rules = lb_json_array(), *list = lb_json_array();
    lb_json_append(forms, listed_json(form->id, (int)form->version, form->sha256));
    lb_json_append(rules, listed_json("test-rules", 7, lb_rules_sha256(fx->rules)));
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        lb_json_append(list, listed_json(views[i], 1, NULL));
        lb_json_append(list, listed_json(views[i], 2, NULL));
    }
    lb_json_set(root, "forms", forms);
    lb_json_set(root, "rules", rules);
    lb_json_set(root, "views", list);
}

static void write_directory(struct fixture *fx, struct lb_span ca_pem)
{
    uint8_t pin[32];
    char hex[65];
    struct lb_json *root = lb_json_object(), *pins = lb_json_array();
    assert_ok(lb_x509_ca_pin(ca_pem, pin));
    lb_hex_encode(lb_span_of(pin, 32), hex);
    lb_json_set_cstr(root, "type", "lianban-directory/v1");
    lb_json_set_cstr(root, "federation", "example.gov");
    lb_json_set_int(root, "version", 1);
    lb_json_set_int(root, "issued", FX_NOW - 10);
    lb_json_set_int(root, "expires", FX_NOW + 365 * 86400);
    lb_json_append_str(pins, lb_span_str(hex));
    lb_json_set(root, "ca_pins", pins);
    set_members(fx, root);
    set_lists(fx, root);
    struct lb_span text, note;
    assert_ok(lb_json_dump(root, LB_JSON_PRETTY, fx->arena, &text));
    lb_json_free(root);
    const char *line = lb_arena_printf(fx->arena, "%.*s\n", (int)text.len, (const char *)text.ptr);
    assert_ok(lb_note_sign(lb_span_str(line), false, "example.gov/directory", fx->directory_key,
                           fx->arena, &note));
    assert_ok(lb_file_write(fx_path(fx, "directory"), note, 0600));
}

void fx_make_trust(struct fixture *fx)
{
    const struct lb_ca_name name = {.organization = "Test", .common_name = "Test CA"};
    struct lb_span ca_pem, ca_key;
    assert_ok(lb_ca_create(&name, FX_NOW - 100, 3650, fx->arena, &ca_pem, &ca_key));
    assert_ok(lb_file_write(fx_path(fx, "ca.pem"), ca_pem, 0600));
    write_directory(fx, ca_pem);
    const char *vkey = vkey_of(fx, "example.gov/directory", fx->directory_key);
    const struct lb_trust_options options = {
        .directory_path = fx_path(fx, "directory"),
        .directory_vkeys = &vkey,
        .num_directory_vkeys = 1,
        .ca_path = fx_path(fx, "ca.pem"),
        .crl_path = fx_path(fx, "crl.pem"),
        .state_folder = fx_path(fx, "state"),
        .clock = &fx->clock.clock,
    };
    if (lb_trust_new(&options, &fx->diag, &fx->trust) != LB_OK)
        fail_msg("%s", fx->diag.text);
}
