#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/calendar.h"
#include "adapters/serve/fixture.h"
#include "adapters/serve/job.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

#define DAY_S 86400

static void ask_account(struct fixture *fx, struct fx_ask *ask)
{
    static const struct lb_section_field fields[] = {
        {"person", "PSEUDO"}, {"number", "TOKEN(30)"}, {"bank", "OMIT"}};
    static const struct lb_section_view views[] = {{FX_ACCOUNT, 1, 3, fields}};
    static const struct fx_want also[] = {{"number", "TOKEN", "30", NULL}};
    fx_ask_honest(fx, ask);
    ask->section.views = views;
    ask->section.answer_bytes = 2048;
    ask->views[0] = FX_ACCOUNT;
    ask->field = "person";
    ask->operator_name = "PSEUDO";
    ask->arg = NULL;
    ask->more = also;
    ask->num_more = 1;
}

/* Reads pseudonym and token of an honest ask, each time under a new grant. */
static void read_account(struct fixture *fx, const char **out_pseudo, const char **out_token)
{
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    ask_account(fx, &ask);
    /* In one case the same question has one answer for a day. */
    ask.section.case_id = lb_arena_printf(fx->arena, "c-%02x%02x%02x%02x", ask.rid[0], ask.rid[1],
                                          ask.rid[2], ask.rid[3]);
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
    Lianban__V1__SealedAnswer *opened = fx_open(fx, &built, &answer);
    assert_int_equal(opened->n_facts, 2);
    assert_int_equal(opened->facts[0]->kind, LIANBAN__V1__FACT__KIND__TEXT);
    assert_int_equal(opened->facts[1]->kind, LIANBAN__V1__FACT__KIND__TEXT);
    *out_pseudo = opened->facts[0]->text;
    *out_token = opened->facts[1]->text;
}

static void put16(uint8_t *info, size_t *len, const char *text)
{
    size_t num = strlen(text);
    info[(*len)++] = (uint8_t)(num >> 8);
    info[(*len)++] = (uint8_t)num;
    memcpy(info + *len, text, num);
    *len += num;
}

/* By the bytes of docs/OPERATORS.md, from a row that has the number in its older form. */
static void a_pseudonym_is_as_documented(void **state)
{
    struct fixture *fx = *state;
    const char *pseudo = NULL, *again = NULL, *token = NULL;
    char today[LB_DATE_BYTES];
    uint8_t info[256], key[32], digest[32];
    size_t len = 0;
    read_account(fx, &pseudo, &token);
    read_account(fx, &again, &token);
    assert_string_equal(pseudo, again);
    lb_calendar_today(lb_clock_system(), today);
    today[4] = '\0';
    put16(info, &len, "lianban pseudonym key v1");
    put16(info, &len, "tax");
    put16(info, &len, "street-office");
    put16(info, &len, "social-assistance");
    put16(info, &len, today);
    lb_hkdf_expand(fx->secrets.pseudo, lb_span_of(info, len), key, sizeof(key));
    lb_hmac_sha256(lb_span_of(key, 32),
                   lb_span_of("lianban pseudonym v1\0" FX_ADULT, 21 + 18), digest);
    assert_string_equal(pseudo, lb_b64url_encode(fx->arena, lb_span_of(digest, 16)));
}

static void derive(struct fixture *fx, const char *requester, const char *purpose,
                   const char *today, uint8_t out[32])
{
    struct lb_read_job job = {.serve = fx->serve, .arena = fx->arena, .requester_org = requester};
    const struct lb_read_want want = {.call = {.op = LB_OP_PSEUDO}};
    struct lb_serve_op_keys keys = {0};
    job.section.purpose = purpose;
    assert_ok(lb_serve_op_keys(&job, &want, today, &keys));
    assert_ptr_equal(keys.secrets.pseudo_key, keys.pseudo_key);
    memcpy(out, keys.pseudo_key, 32);
}

static void no_two_requesters_purposes_or_years_share_a_name(void **state)
{
    struct fixture *fx = *state;
    static const char *const asks[][3] = {
        {"street-office", "social-assistance", "2026-01-01"},
        {"other-office", "social-assistance", "2026-01-01"},
        {"street-office", "study", "2026-01-01"},
        {"street-office", "social-assistance", "2025-12-31"},
        {"street-officesocial", "-assistance", "2026-01-01"},
    };
    uint8_t keys[5][32], same[32];
    for (size_t i = 0; i < 5; i++) {
        derive(fx, asks[i][0], asks[i][1], asks[i][2], keys[i]);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(keys[i], keys[j], 32);
    }
    derive(fx, "street-office", "social-assistance", "2026-12-31", same);
    assert_memory_equal(same, keys[0], 32);
}

static enum lb_code open_for(struct fixture *fx, const struct lb_op_token_use *use,
                             const char *token, int64_t later_s)
{
    struct lb_span value = LB_SPAN_EMPTY;
    struct lb_op_secrets secrets = {
        .token_key = fx->secrets.token,
        .now_unix_s = lb_clock_unix_s(lb_clock_system()) + later_s,
    };
    assert_ok(lb_op_token_bind(use, fx->arena, &secrets.token_bind));
    lb_status status = lb_op_token_open(lb_span_str(token), &secrets, fx->arena, &value);
    if (status == LB_OK)
        assert_true(lb_span_is(value, FX_ACCOUNT_NUMBER));
    return lb_status_code(status);
}

static void a_token_opens_for_its_use_alone(void **state)
{
    struct fixture *fx = *state;
    const struct lb_op_token_use use = {"tax", "street-office", "social-assistance", FX_ACCOUNT,
                                           "number"};
    const struct lb_op_token_use others[] = {
        {"health", "street-office", "social-assistance", FX_ACCOUNT, "number"},
        {"tax", "other-office", "social-assistance", FX_ACCOUNT, "number"},
        {"tax", "street-office", "study", FX_ACCOUNT, "number"},
        {"tax", "street-office", "social-assistance", "tax.accoun", "tnumber"},
        {"tax", "street-office", "social-assistance", FX_ACCOUNT, "bank"},
    };
    const char *pseudo = NULL, *token = NULL, *second = NULL;
    read_account(fx, &pseudo, &token);
    read_account(fx, &pseudo, &second);
    assert_string_not_equal(token, second);
    assert_int_equal(open_for(fx, &use, token, 0), LB_CODE_OK);
    assert_int_equal(open_for(fx, &use, second, 30 * DAY_S - 60), LB_CODE_OK);
    assert_int_equal(open_for(fx, &use, token, 30 * DAY_S + 60), LB_TOKEN_EXPIRED);
    assert_int_equal(open_for(fx, &use, "AAAA", 0), LB_MALFORMED);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(open_for(fx, &others[i], token, 0), LB_SEAL_BROKEN);
}

static bool describes(struct fixture *fx, const char *field)
{
    Lianban__V1__DescribeResponse *response = NULL;
    assert_ok(lb_serve_describe(fx->serve, fx->arena, &response));
    for (size_t v = 0; v < response->n_views; v++)
        for (size_t f = 0; f < response->views[v]->n_fields; f++)
            if (strcmp(response->views[v]->view, FX_ACCOUNT) == 0 &&
                strcmp(response->views[v]->fields[f]->field, field) == 0)
                return true;
    return false;
}

static void what_is_left_out_is_neither_told_nor_named(void **state)
{
    struct fixture *fx = *state;
    static const char *const calls[] = {"OMIT", "PASS", "PSEUDO"};
    assert_true(describes(fx, "number"));
    assert_false(describes(fx, "bank"));
    for (size_t i = 0; i < 3; i++) {
        struct fx_ask ask;
        struct fx_built built;
        struct lb_serve_answer answer;
        ask_account(fx, &ask);
        ask.field = "bank";
        ask.operator_name = calls[i];
        fx_build(fx, &ask, &built);
        assert_code(fx_send(fx, &built, &answer), LB_OPERATOR_TOO_WEAK);
        assert_int_equal(answer.sealed.len, 0);
    }
}

static enum lb_code load(struct fixture *fx, const char *folder, bool create,
                         struct lb_serve_secrets *out)
{
    struct lb_diag diag = {""};
    lb_status status = lb_serve_secrets_load(folder, create, fx->arena, &diag, out);
    assert_true((status == LB_OK) == (diag.text[0] == '\0'));
    return lb_status_code(status);
}

static void keys_are_made_once_and_kept_close(void **state)
{
    struct fixture *fx = *state;
    const char *folder = fed_path(&fx->fed, "state");
    const char *path = fed_path(&fx->fed, "state/token.key");
    struct lb_serve_secrets secrets;
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(load(fx, folder, true, &secrets), LB_CODE_OK);
    assert_memory_equal(&secrets, &fx->secrets, sizeof(secrets));
    assert_memory_not_equal(secrets.pseudo, secrets.token, 32);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(load(fx, folder, true, &secrets), LB_FILE_FAILED);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(load(fx, folder, false, &secrets), LB_FILE_FAILED);
    static const char *const wrong[] = {"", "00", "\n", "not hex at all"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        fed_write(&fx->fed, "state/token.key", lb_span_str(wrong[i]));
        assert_int_equal(load(fx, folder, true, &secrets), LB_FILE_FAILED);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(load(fx, folder, true, &secrets), LB_CODE_OK);
    assert_memory_equal(secrets.pseudo, fx->secrets.pseudo, 32);
    assert_memory_not_equal(secrets.token, fx->secrets.token, 32);
}

static int setup(void **state)
{
    static struct fixture fx;
    fx_setup(&fx);
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    fx_teardown(*state);
    return 0;
}

#define WITH_SERVE(test_) cmocka_unit_test_setup_teardown(test_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVE(a_pseudonym_is_as_documented),
        WITH_SERVE(no_two_requesters_purposes_or_years_share_a_name),
        WITH_SERVE(a_token_opens_for_its_use_alone),
        WITH_SERVE(what_is_left_out_is_neither_told_nor_named),
        WITH_SERVE(keys_are_made_once_and_kept_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
