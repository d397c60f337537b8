#include "gateway/consent/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/link.h"
#include "gateway/token/status_list.h"
#include "gateway/wire/pb.h"

/* Who has stopped: only an adapter's own signed log says so, whatever a broker reports. And what a
 * desk may do with a grant: withdraw it for good, suspend and resume it. */

enum lie {
    HONEST,
    NO_PROOF,
    NO_LOG,
    OTHER_KEY,      /* a log the broker made up */
    OTHER_TOKEN,
    OTHER_EVENT,
    A_READ,
    OTHER_PLACE,
    NUM_LIES
};

struct played {
    struct lb_log *log;
    struct lb_sign_key *key;
};

static void open_log(struct fixture *fx, struct played *played, bool forged)
{
    static int number;
    struct lb_diag diag = {""};
    const char *folder = lb_arena_printf(fx->arena, "%s/adapter-%d", fx->folder, number++);
    assert_ok(lb_file_mkdirs(folder));
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &played->key));
    const struct lb_log_options options = {
        .folder = folder,
        .origin = lb_spiffe_log_origin(FX_ADAPTER),
        .key = forged ? played->key : fx->window_key,
        .clock = lb_clock_system(),
        .create = true,
    };
    assert_ok(lb_log_open(&options, &diag, &played->log));
}

static void close_log(struct played *played)
{
    lb_log_close(played->log);
    lb_sign_key_free(played->key);
}

/* What a broker reports of the one adapter that keeps a log. */
static Lianban__V1__RelayStatusResponse *report(struct fixture *fx, struct lb_log *log,
                                                struct lb_span token, enum lie lie)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    Lianban__V1__RelayStatusResponse *told = lb_arena_alloc(fx->arena, sizeof(*told));
    Lianban__V1__StatusReceipt *receipt = lb_arena_alloc(fx->arena, sizeof(*receipt));
    uint64_t shown = 0, size = 0;
    entry->leaf = (struct lb_leaf){.type = lie == A_READ ? LB_LEAF_READ : LB_LEAF_ADMIN,
                                   .count = 1};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s",
                   lie == OTHER_EVENT ? "STARTED" : "STATUS_LIST");
    lb_sha256(token, entry->leaf.request_hash);
    entry->leaf.request_hash[31] ^= lie == OTHER_TOKEN ? 1 : 0;
    assert_ok(lb_log_append_wait(log, entry));
    lianban__v1__relay_status_response__init(told);
    lianban__v1__status_receipt__init(receipt);
    receipt->adapter = (char *)(uintptr_t)FX_ADAPTER;
    receipt->code = (char *)(uintptr_t)"OK";
    receipt->millis = 40;
    assert_ok(lb_link_show(log, &shown, fx->arena, &receipt->log, &size));
    assert_ok(lb_link_prove(log, entry->index, lb_span_of(entry->leaf_bytes, entry->leaf_len),
                            size, fx->arena, &receipt->entry));
    if (lie == NO_PROOF)
        receipt->entry = NULL;
    if (lie == NO_LOG)
        receipt->log = NULL;
    if (lie == OTHER_PLACE)
        receipt->entry->index++;
    told->receipts = lb_arena_array(fx->arena, 1, sizeof(told->receipts[0]));
    told->receipts[told->n_receipts++] = receipt;
    free(entry);
    return told;
}

static const Lianban__V1__RevokeReceipt *of_adapter(const Lianban__V1__RevokeResponse *answer)
{
    for (size_t i = 0; i < answer->n_receipts; i++) {
        if (strcmp(answer->receipts[i]->adapter, FX_ADAPTER) == 0)
            return answer->receipts[i];
    }
    fail_msg("the adapter is missing");
    return NULL;
}

static size_t num_stopped(const Lianban__V1__RevokeResponse *answer)
{
    size_t num = 0;
    for (size_t i = 0; i < answer->n_receipts; i++)
        num += strcmp(answer->receipts[i]->code, "OK") == 0 ? 1 : 0;
    return num;
}

/* Withdraws a new grant and takes a broker's report of it. */
static void push(struct fixture *fx, struct lb_log *log, enum lie lie,
                 struct lb_consent_push *out_push, Lianban__V1__RevokeResponse *out_answer)
{
    const Lianban__V1__GrantRequest request = fx_request(fx);
    char *id = fx_agree(fx, fx_file(fx, &request));
    assert_ok(fx_change(fx, id, LIANBAN__V1__REVOKE_REQUEST__ACTION__WITHDRAW, out_push));
    lianban__v1__revoke_response__init(out_answer);
    assert_ok(lb_consent_receipts(fx->consent, fx->arena, out_answer));
    assert_int_equal(out_answer->n_receipts, 4); /* all adapters, whatever a broker leaves out */
    assert_int_equal(num_stopped(out_answer), 0);
    assert_ok(lb_consent_take_receipts(fx->consent, out_push,
                                       report(fx, log, out_push->token, lie), out_answer));
    assert_ok(lb_consent_keep_receipts(fx->consent, out_push, out_answer, fx->arena));
}

static void stopped_is_proved(void **state)
{
    struct fixture *fx = *state;
    struct played played;
    struct lb_consent_push first, second;
    Lianban__V1__RevokeResponse answer;
    open_log(fx, &played, false);
    push(fx, played.log, HONEST, &first, &answer);
    assert_int_equal(num_stopped(&answer), 1);
    assert_string_equal(of_adapter(&answer)->code, "OK");
    assert_int_equal(of_adapter(&answer)->entry, 0);
    assert_true(of_adapter(&answer)->at_unix_ms > 0);
    /* The same once more is no news; the next change of a grant is. */
    assert_ok(lb_consent_keep_receipts(fx->consent, &first, &answer, fx->arena));
    push(fx, played.log, HONEST, &second, &answer);
    /* A newer list of ours says all that an older one did; a foreign one says nothing. */
    lianban__v1__revoke_response__init(&answer);
    assert_ok(lb_consent_receipts(fx->consent, fx->arena, &answer));
    assert_ok(lb_consent_take_receipts(fx->consent, &first,
                                       report(fx, played.log, second.token, HONEST), &answer));
    assert_int_equal(num_stopped(&answer), 1);
    lianban__v1__revoke_response__init(&answer);
    assert_ok(lb_consent_receipts(fx->consent, fx->arena, &answer));
    assert_ok(lb_consent_take_receipts(fx->consent, &second,
                                       report(fx, played.log, first.token, HONEST), &answer));
    assert_int_equal(num_stopped(&answer), 0);
    assert_int_equal(fx_entries(fx, "ACKNOWLEDGED"), 2);
    close_log(&played);
}

static void a_broker_can_invent_nothing(void **state)
{
    struct fixture *fx = *state;
    struct lb_consent_push sent;
    Lianban__V1__RevokeResponse answer;
    for (enum lie lie = NO_PROOF; lie < NUM_LIES; lie++) {
        struct played played;
        open_log(fx, &played, lie == OTHER_KEY);
        push(fx, played.log, lie, &sent, &answer);
        assert_int_equal(num_stopped(&answer), 0);
        assert_string_equal(of_adapter(&answer)->code, "RECEIPT_INVALID");
        assert_int_equal(of_adapter(&answer)->at_unix_ms, 0);
        close_log(&played);
    }
    assert_int_equal(fx_entries(fx, "ACKNOWLEDGED"), 0);
}

/* One adapter's proof in another's name, adapters nobody listed, codes nobody knows. */
static void nor_mix_up_or_make_up_adapters(void **state)
{
    struct fixture *fx = *state;
    struct played played;
    struct lb_consent_push sent;
    Lianban__V1__RevokeResponse answer;
    open_log(fx, &played, false);
    push(fx, played.log, NO_PROOF, &sent, &answer);
    Lianban__V1__RelayStatusResponse *told = report(fx, played.log, sent.token, HONEST);
    static const char *const others[] = {"spiffe://example.gov/adapter/public-security/two",
                                         "spiffe://example.gov/adapter/nobody", "", FX_SERVER};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        told->receipts[0]->adapter = (char *)(uintptr_t)others[i];
        assert_ok(lb_consent_take_receipts(fx->consent, &sent, told, &answer));
        assert_int_equal(answer.n_receipts, 4);
        assert_int_equal(num_stopped(&answer), 0);
    }
    static const char *const codes[] = {"NOBODY_KNOWS", "", "STORE_FAILED"};
    told->receipts[0]->adapter = (char *)(uintptr_t)FX_ADAPTER;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        told->receipts[0]->code = (char *)(uintptr_t)codes[i];
        assert_ok(lb_consent_take_receipts(fx->consent, &sent, told, &answer));
        assert_string_equal(of_adapter(&answer)->code, "INTERNAL");
    }
    close_log(&played);
}

/* --- what a desk may do --- */

static enum lb_code state_in(struct fixture *fx, struct lb_span token, const char *grant_id)
{
    struct lb_status_list *list = NULL;
    fx_stop(fx);
    int64_t index = fx_count(fx, lb_arena_printf(
        fx->arena, "SELECT status_index FROM grants WHERE id = '%s'", grant_id));
    fx_start(fx);
    assert_ok(lb_status_list_open(token, fx->issuer_public, &list));
    lb_status status =
        lb_status_list_check(list, (uint64_t)index, fx->clock.now_unix_ms / 1000);
    lb_status_list_unref(list);
    return lb_status_code(status);
}

static void suspended_resumed_and_withdrawn(void **state)
{
    struct fixture *fx = *state;
    struct lb_consent_push sent;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    char *id = fx_agree(fx, fx_file(fx, &request));
    int64_t now = fx->clock.now_unix_ms / 1000;
    assert_ok(fx_change(fx, id, LIANBAN__V1__REVOKE_REQUEST__ACTION__RESUME, &sent)); /* is so */
    assert_int_equal(sent.stops_by, 0);
    assert_ok(fx_change(fx, id, LIANBAN__V1__REVOKE_REQUEST__ACTION__SUSPEND, &sent));
    assert_int_equal(sent.stops_by, now + 900);
    assert_int_equal(state_in(fx, sent.token, id), LB_GRANT_SUSPENDED);
    fx_advance(fx, 100);
    assert_ok(fx_change(fx, id, LIANBAN__V1__REVOKE_REQUEST__ACTION__SUSPEND, &sent)); /* again */
    assert_int_equal(sent.stops_by, now + 900);
    assert_ok(fx_change(fx, id, LIANBAN__V1__REVOKE_REQUEST__ACTION__RESUME, &sent));
    assert_int_equal(sent.stops_by, 0);
    assert_int_equal(state_in(fx, sent.token, id), LB_CODE_OK);
    assert_ok(fx_change(fx, id, LIANBAN__V1__REVOKE_REQUEST__ACTION__WITHDRAW, &sent));
    /* Whoever never hears of it has a list that was made until now. */
    assert_int_equal(sent.stops_by, now + 1000);
    assert_int_equal(state_in(fx, sent.token, id), LB_GRANT_REVOKED);
    assert_code(fx_change(fx, id, LIANBAN__V1__REVOKE_REQUEST__ACTION__RESUME, &sent),
                LB_GRANT_REVOKED);
    assert_code(fx_change(fx, id, LIANBAN__V1__REVOKE_REQUEST__ACTION__SUSPEND, &sent),
                LB_GRANT_REVOKED);
    assert_code(fx_change(fx, id, (Lianban__V1__RevokeRequest__Action)7, &sent), LB_MALFORMED);
    assert_int_equal(fx_entries(fx, "SUSPENDED"), 1);
    assert_int_equal(fx_entries(fx, "RESUMED"), 1);
    assert_int_equal(fx_entries(fx, "REVOKED"), 1);
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM consent_record"), 4);
    fx_start(fx);
}

static void a_grant_that_ends_sooner_bounds_it(void **state)
{
    struct fixture *fx = *state;
    struct lb_consent_push sent;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    char *id = fx_agree(fx, fx_file(fx, &request));
    int64_t now = fx->clock.now_unix_ms / 1000;
    fx_advance(fx, 30 * 86400 - 60);
    struct lb_span token;
    assert_ok(lb_consent_status_list(fx->consent, fx->arena, &token));
    assert_ok(fx_change(fx, id, LIANBAN__V1__REVOKE_REQUEST__ACTION__WITHDRAW, &sent));
    assert_int_equal(sent.stops_by, now + 30 * 86400);
}

/* The citizen's own key goes into the grant as the desk got it. */
static void the_citizens_key_is_named(void **state)
{
    struct fixture *fx = *state;
    static uint8_t commitment[33] = {5, 6, 7};
    const Lianban__V1__GrantRequest request = fx_request(fx);
    char *id = fx_file(fx, &request);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    Lianban__V1__ConfirmResponse *response = NULL;
    Lianban__V1__GetGrantResponse *got = NULL;
    struct lb_grant grant;
    struct lb_span jwt, *disclosures = NULL;
    size_t num = 0;
    confirm.subject_key = lb_pb_bytes(lb_span_of(commitment, 33));
    assert_code(lb_consent_confirm(fx->consent, FX_DESK, &confirm, fx->arena, &response),
                LB_MALFORMED);
    confirm.subject_key.len = 32;
    assert_ok(lb_consent_confirm(fx->consent, FX_DESK, &confirm, fx->arena, &response));
    assert_ok(fx_fetch(fx, FX_WINDOW, id, &got));
    assert_ok(lb_sd_jwt_split(lb_span_str(got->sd_jwt), fx->arena, &jwt, &disclosures, &num));
    assert_ok(lb_grant_verify(jwt, fx->issuer_public, fx->arena, &grant));
    assert_true(grant.has_subject_key);
    assert_memory_equal(grant.subject_key, commitment, 32);
}

#define CASE(test_) cmocka_unit_test_setup_teardown(test_, fx_setup, fx_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(stopped_is_proved),
        CASE(a_broker_can_invent_nothing),
        CASE(nor_mix_up_or_make_up_adapters),
        CASE(suspended_resumed_and_withdrawn),
        CASE(a_grant_that_ends_sooner_bounds_it),
        CASE(the_citizens_key_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
