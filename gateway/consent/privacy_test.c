#include "gateway/consent/fixture.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/inspect.h"

/* What the office writes down: never an identity, and of each decision just what proves it. */

/* The text, its hex, and its base64 in all three alignments. */
static void assert_absent(struct fixture *fx, const char *text)
{
    char hex[256];
    struct lb_span bytes = lb_span_str(text);
    assert_false(fx_holds(fx, bytes));
    lb_hex_encode(bytes, hex);
    assert_false(fx_holds(fx, lb_span_str(hex)));
    for (size_t shift = 0; shift < 3 && bytes.len >= 9; shift++) {
        const char *moved = lb_arena_printf(fx->arena, "%.*s%s", (int)shift, "xx", text);
        const char *encoded = lb_b64_encode(fx->arena, lb_span_str(moved));
        size_t skip = shift == 0 ? 0 : 4;
        size_t len = strlen(encoded);
        assert_true(len > skip + 8);
        assert_false(fx_holds(fx, lb_span_of(encoded + skip, len - skip - 4)));
    }
}

static void assert_nobody(struct fixture *fx)
{
    assert_absent(fx, fx->adult);
    assert_absent(fx, fx->child);
    assert_absent(fx, FX_ADULT_NAME);
    assert_absent(fx, FX_CHILD_NAME);
}

static void test_bytes(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Guardian guardian;
    Lianban__V1__GetGrantResponse *got = NULL;
    struct lb_span token;
    uint64_t seq = 0;
    const Lianban__V1__GrantRequest adult = fx_request(fx);
    const Lianban__V1__GrantRequest child = fx_child_request(fx, &guardian);
    char *first = fx_file(fx, &adult), *second = fx_file(fx, &child), *third = fx_file(fx, &adult);
    assert_true(fx_holds(fx, lb_span_str("2027-000123"))); /* the search finds what is there */
    assert_nobody(fx);                                     /* while all are pending */
    char *grant = fx_agree(fx, first);
    (void)fx_agree(fx, second);
    Lianban__V1__ConfirmRequest refusal = fx_confirm(fx, third);
    Lianban__V1__ConfirmResponse *response = NULL;
    refusal.agreed = false;
    assert_ok(lb_consent_confirm(fx->consent, FX_DESK, &refusal, fx->arena, &response));
    assert_nobody(fx);
    assert_ok(fx_fetch(fx, FX_WINDOW, first, &got));
    struct lb_span tail = lb_span_of(got->sd_jwt + strlen(got->sd_jwt) - 64, 64);
    assert_true(fx_holds(fx, tail));
    assert_false(fx_holds(fx, lb_span_of(got->subject_salt.data, 16)));
    assert_ok(fx_revoke(fx, FX_DESK, grant, fx->adult, &seq, &token));
    assert_nobody(fx);
    fx_stop(fx);
    assert_nobody(fx);
    assert_false(fx_holds(fx, tail)); /* withdrawn: the copy is wiped */
    fx_start(fx);
}

/* --- consent records --- */

static struct lb_json *read_record(struct fixture *fx, const char *sql)
{
    struct lb_json *json = NULL;
    fx_stop(fx);
    const char *text = fx_text(fx, sql);
    fx_start(fx);
    assert_ok(lb_json_parse(lb_span_str(text), &json));
    return json;
}

static void assert_text(const struct lb_json *object, const char *key, const char *want)
{
    struct lb_span text;
    assert_ok(lb_json_get_str(object, key, &text));
    assert_true(want == NULL ? text.len > 0 : lb_span_is(text, want));
}

static void pseudonym_hex(struct fixture *fx, const char *id_no, char out[65])
{
    uint8_t mac[32];
    lb_hmac_sha256(lb_span_of(fx->pseudonym_key, 32), lb_span_str(id_no), mac);
    lb_hex_encode(lb_span_of(mac, 32), out);
}

static void assert_event(const struct lb_json *record, const char *state, int64_t validity,
                         const char *entity)
{
    const struct lb_json *event = NULL;
    int64_t number = 0;
    assert_ok(lb_json_get_object(record, "event", &event));
    assert_text(event, "event_state", state);
    assert_text(event, "event_type", NULL);
    assert_text(event, "entity_id", entity);
    assert_text(event, "recorded_by", FX_DESK);
    assert_ok(lb_json_get_int(event, "event_time", &number));
    assert_int_equal(number, FX_NOW);
    assert_ok(lb_json_get_int(event, "validity_duration", &number));
    assert_int_equal(number, validity);
}

/* The fields that ISO/IEC TS 27560 does not let a record lack. */
static void assert_complete(const struct lb_json *record)
{
    static const char *const texts[] = {"schema_version", "record_id",        "pii_principal_id",
                                        "language",       "purpose",          "retention_period",
                                        "jurisdiction",   "withdrawal_method"};
    static const char *const lists[] = {"pii_information", "pii_controllers", "storage_locations",
                                        "recipient_third_parties", "parties"};
    const struct lb_json *found = NULL;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_text(record, texts[i], NULL);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        assert_ok(lb_json_get_array(record, lists[i], &found));
    assert_ok(lb_json_get_object(record, "privacy_notice", &found));
    assert_ok(lb_json_get_array(record, "pii_information", &found));
    for (size_t i = 0; i < lb_json_len(found); i++)
        assert_text(lb_json_at(found, i), "pii_type", NULL);
    assert_ok(lb_json_get_array(record, "parties", &found));
    assert_true(lb_json_len(found) >= 3);
    for (size_t i = 0; i < lb_json_len(found); i++) {
        struct lb_span address;
        assert_text(lb_json_at(found, i), "party_id", NULL);
        assert_text(lb_json_at(found, i), "party_name", NULL);
        assert_text(lb_json_at(found, i), "party_contact", NULL);
        assert_text(lb_json_at(found, i), "party_type", NULL);
        assert_ok(lb_json_get_str(lb_json_at(found, i), "party_address", &address));
    }
}

static void test_records(void **state)
{
    struct fixture *fx = *state;
    char adult[65], child[65];
    uint64_t seq = 0;
    struct lb_span token;
    Lianban__V1__Guardian guardian;
    const struct lb_json *list = NULL;
    pseudonym_hex(fx, fx->adult, adult);
    pseudonym_hex(fx, fx->child, child);
    const Lianban__V1__GrantRequest request = fx_child_request(fx, &guardian);
    char *grant = fx_agree(fx, fx_file(fx, &request));
    struct lb_json *record = read_record(fx, "SELECT record FROM consent_record");
    assert_complete(record);
    assert_text(record, "pii_principal_id", child);
    assert_text(record, "grant", grant);
    assert_text(record, "language", "zh");
    assert_event(record, "given", 30 * 86400, adult);
    assert_ok(lb_json_get_array(record, "pii_information", &list));
    assert_int_equal(lb_json_len(list), 2);
    assert_text(lb_json_at(list, 1), "processing_method", "ADDR_LEVEL(6)");
    lb_json_free(record);

    assert_ok(fx_revoke(fx, FX_DESK, grant, fx->child, &seq, &token));
    record = read_record(fx, "SELECT record FROM consent_record ORDER BY rowid DESC LIMIT 1");
    assert_complete(record);
    assert_text(record, "grant", grant);
    assert_event(record, "withdrawn", 0, child);
    lb_json_free(record);
}

static void test_record_of_refusal(void **state)
{
    struct fixture *fx = *state;
    char adult[65];
    pseudonym_hex(fx, fx->adult, adult);
    const Lianban__V1__GrantRequest request = fx_request(fx);
    Lianban__V1__ConfirmRequest refusal = fx_confirm(fx, fx_file(fx, &request));
    Lianban__V1__ConfirmResponse *response = NULL;
    struct lb_span text;
    refusal.agreed = false;
    assert_ok(lb_consent_confirm(fx->consent, FX_DESK, &refusal, fx->arena, &response));
    struct lb_json *record = read_record(fx, "SELECT record FROM consent_record");
    assert_complete(record);
    assert_event(record, "refused", 0, adult);
    assert_code(lb_json_get_str(record, "grant", &text), LB_ABSENT);
    lb_json_free(record);
}

/* Records outlive the consent by three years, and then they go. */
static void test_records_end(void **state)
{
    struct fixture *fx = *state;
    struct lb_span token;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    (void)fx_agree(fx, fx_file(fx, &request));
    fx_advance(fx, (30 + 3 * 366) * 86400 - 61);
    assert_ok(lb_consent_status_list(fx->consent, fx->arena, &token));
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM consent_record"), 1);
    fx_start(fx);
    fx_advance(fx, 61);
    assert_ok(lb_consent_status_list(fx->consent, fx->arena, &token));
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM consent_record"), 0);
    fx_start(fx);
}

/* --- evidence --- */

/* The newest entry with that code, as the office's officer reads it. */
static struct lb_json *read_entry(struct fixture *fx, const char *code, struct lb_leaf *out_leaf)
{
    struct lb_log_reader *reader = NULL;
    struct lb_json *json = NULL;
    struct lb_span detail;
    struct lb_hash hash;
    uint64_t size = 0;
    fx_stop(fx);
    assert_ok(lb_log_reader_open(fx->log_folder, &fx->diag, &reader));
    assert_ok(lb_log_reader_size(reader, &size));
    do {
        assert_true(size > 0);
        size--;
        assert_ok(lb_log_reader_leaf(reader, size, fx->arena, out_leaf, &hash));
    } while (strcmp(out_leaf->code, code) != 0);
    assert_ok(lb_log_reader_detail(reader, size, &fx->officer, fx->arena, &detail));
    assert_ok(lb_json_parse(detail, &json));
    assert_null(memmem(detail.ptr, detail.len, fx->adult, 18));
    lb_log_reader_close(reader);
    fx_start(fx);
    return json;
}

static void test_evidence(void **state)
{
    struct fixture *fx = *state;
    struct lb_leaf leaf;
    char adult[65], txn[33];
    uint64_t seq = 0;
    struct lb_span token;
    uint8_t digest[32];
    pseudonym_hex(fx, fx->adult, adult);
    const Lianban__V1__GrantRequest request = fx_request(fx);
    char *id = fx_file(fx, &request);
    char *grant = fx_agree(fx, id);
    struct lb_json *detail = read_entry(fx, "GRANTED", &leaf);
    assert_int_equal(leaf.type, LB_LEAF_CONSENT);
    lb_hex_encode(lb_span_of(leaf.txn, 16), txn);
    assert_string_equal(txn, id + 2);
    assert_memory_equal(leaf.policy_hash, lb_form_of(fx->form)->sha256, 32);
    assert_text(detail, "actor", FX_DESK);
    assert_text(detail, "grant", grant);
    assert_text(detail, "requester", "street-office");
    assert_text(detail, "form", "test-aid");
    assert_text(detail, "case", "2027-000123");
    assert_text(detail, "method", "face");
    assert_text(detail, "subject", adult);
    assert_text(detail, "notice", NULL);
    lb_json_free(detail);

    Lianban__V1__GetGrantResponse *got = NULL;
    assert_ok(fx_fetch(fx, FX_WINDOW, id, &got)); /* the leaf names the very grant that went out */
    lb_sha256(lb_span_of(got->sd_jwt, strcspn(got->sd_jwt, "~")), digest);
    assert_memory_equal(leaf.answer_hash, digest, 32);

    assert_ok(fx_revoke(fx, FX_DESK, grant, fx->adult, &seq, &token));
    lb_json_free(read_entry(fx, "REVOKED", &leaf));
    lb_sha256(token, digest);
    assert_memory_equal(leaf.answer_hash, digest, 32);
}

/* Details are under the subject's own key: once that is destroyed nobody reads them again. */
static void test_erasure(void **state)
{
    struct fixture *fx = *state;
    struct lb_log_entry *entry = lb_arena_alloc(fx->arena, sizeof(*entry));
    struct lb_log_reader *reader = NULL;
    struct lb_span detail;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    (void)fx_agree(fx, fx_file(fx, &request));
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ERASURE, .code = "ERASED", .count = 1};
    entry->has_subject = true;
    lb_hmac_sha256(lb_span_of(fx->pseudonym_key, 32), lb_span_str(fx->adult), entry->subject);
    assert_ok(lb_log_append_wait(fx->log, entry));
    assert_int_equal(entry->index, 1);
    fx_stop(fx);
    assert_ok(lb_log_reader_open(fx->log_folder, &fx->diag, &reader));
    assert_code(lb_log_reader_detail(reader, 0, &fx->officer, fx->arena, &detail), LB_ABSENT);
    lb_log_reader_close(reader);
    fx_start(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_records, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_record_of_refusal, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_records_end, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_evidence, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_erasure, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
