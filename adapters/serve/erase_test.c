#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "adapters/serve/fixture.h"
#include "gateway/evidence/inspect.h"

/* The end of what is kept about a person: two officers, a basis, the time of keeping over. */

#define LI "spiffe://test.gov/officer/tax/li"
#define WU "spiffe://test.gov/officer/tax/wu"

static enum lb_code erase(struct fixture *fx, const char *by, const char *id_no, const char *basis,
                          bool approve, struct lb_serve_ack *out_ack)
{
    Lianban__V1__EraseSubjectRequest request = LIANBAN__V1__ERASE_SUBJECT_REQUEST__INIT;
    request.id_no = (char *)(uintptr_t)id_no;
    request.basis = (char *)(uintptr_t)basis;
    request.reason = (char *)(uintptr_t)"年度清理";
    request.approve = approve;
    return lb_status_code(lb_serve_erase(fx->serve, by, &request, fx->arena, out_ack));
}

/* Reads once about the honest ask's person and returns the entry's index. */
static uint64_t read_once(struct fixture *fx, const char **out_person)
{
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    fx_ask_honest(fx, &ask);
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
    *out_person = ask.id_no;
    return answer.index;
}

static enum lb_code open_detail(struct fixture *fx, uint64_t index)
{
    struct lb_log_reader *reader = NULL;
    struct lb_diag diag = {""};
    struct lb_span detail = LB_SPAN_EMPTY;
    assert_ok(lb_log_reader_open(fed_path(&fx->fed, "state"), &diag, &reader));
    enum lb_code code = lb_status_code(
        lb_log_reader_detail(reader, index, &fx->officer, fx->arena, &detail));
    lb_log_reader_close(reader);
    return code;
}

static void two_officers_erase(void **state)
{
    struct fixture *fx = *state;
    struct lb_serve_ack ack;
    const char *person = NULL;
    uint64_t index = read_once(fx, &person);
    assert_code(erase(fx, LI, person, "retention_over", false, &ack), LB_CODE_OK);
    assert_string_equal(fx_leaf(fx, ack.index).code, "ERASURE_ASKED");
    assert_int_equal(fx_leaf(fx, ack.index).type, LB_LEAF_ADMIN);
    assert_code(open_detail(fx, index), LB_CODE_OK);
    fx_restart(fx);
    assert_code(erase(fx, WU, person, "retention_over", true, &ack), LB_CODE_OK);
    assert_string_equal(fx_leaf(fx, ack.index).code, "ERASED");
    assert_int_equal(fx_leaf(fx, ack.index).type, LB_LEAF_ERASURE);
    assert_true(fx_leaf(fx, ack.index).count >= 1);
    assert_code(open_detail(fx, index), LB_ABSENT);
    /* One request is one erasure. */
    assert_code(erase(fx, WU, person, "retention_over", true, &ack), LB_ERASURE_NOT_ASKED);
}

/* Nobody erases alone, nor what another asked for on another basis or about somebody else; and a
 * refused erasure destroys nothing. */
static void one_officer_erases_nothing(void **state)
{
    struct fixture *fx = *state;
    struct lb_serve_ack ack;
    const char *person = NULL;
    uint64_t index = read_once(fx, &person);
    assert_code(erase(fx, LI, person, "court_order", true, &ack), LB_ERASURE_NOT_ASKED);
    assert_code(erase(fx, LI, person, "court_order", false, &ack), LB_CODE_OK);
    assert_code(erase(fx, LI, person, "court_order", true, &ack), LB_ERASURE_NOT_ASKED);
    assert_code(erase(fx, WU, person, "unlawful", true, &ack), LB_ERASURE_NOT_ASKED);
    assert_code(erase(fx, WU, FX_CHILD, "court_order", true, &ack), LB_ERASURE_NOT_ASKED);
    assert_code(open_detail(fx, index), LB_CODE_OK);
    /* The second to ask takes the first one's place and does not approve by that. */
    assert_code(erase(fx, WU, person, "court_order", false, &ack), LB_CODE_OK);
    assert_code(erase(fx, WU, person, "court_order", true, &ack), LB_ERASURE_NOT_ASKED);
    assert_code(open_detail(fx, index), LB_CODE_OK);
    assert_code(erase(fx, LI, person, "court_order", true, &ack), LB_CODE_OK);
    assert_code(open_detail(fx, index), LB_ABSENT);
}

static void the_law_keeps_what_it_wants_kept(void **state)
{
    struct fixture *fx = *state;
    struct lb_serve_ack ack;
    const char *person = NULL;
    uint64_t index = read_once(fx, &person);
    fx->keep_details_s = 3600;
    fx_restart(fx);
    static const char *const bases[] = {"retention_over", "asked_by_subject", "unlawful"};
    for (size_t i = 0; i < 3; i++) {
        assert_code(erase(fx, LI, person, bases[i], false, &ack), LB_RETENTION_RUNS);
        assert_code(erase(fx, WU, person, bases[i], true, &ack), LB_RETENTION_RUNS);
    }
    assert_code(open_detail(fx, index), LB_CODE_OK);
    assert_code(erase(fx, LI, person, "court_order", false, &ack), LB_CODE_OK);
    assert_code(erase(fx, WU, person, "court_order", true, &ack), LB_CODE_OK);
    assert_code(open_detail(fx, index), LB_ABSENT);
    fx->keep_details_s = 0;
    fx_restart(fx);
}

/* An officer looks somebody up: an entry about the person, and no access to the person's data. */
static void review(struct fixture *fx, const char *id_no)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    uint8_t names[LB_SERVE_MAX_NAMES][32];
    assert_non_null(entry);
    assert_true(lb_serve_names(fx->serve, id_no, names) >= 1);
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_REVIEW, .code = "WHO_SAW", .count = 1};
    entry->detail = lb_span_str("{\"query\":\"who-saw\"}");
    entry->has_subject = true;
    memcpy(entry->subject, names[0], sizeof(entry->subject));
    assert_ok(lb_log_append_wait(fx->log, entry));
    free(entry);
}

/* The time of keeping runs from the last access, not from the last officer who looked. */
static void a_review_keeps_nobody_longer(void **state)
{
    struct fixture *fx = *state;
    struct lb_serve_ack ack;
    const char *person = NULL;
    fx->keep_details_s = 3600;
    fx_restart(fx);
    review(fx, FX_CHILD);
    assert_code(erase(fx, LI, FX_CHILD, "asked_by_subject", false, &ack), LB_CODE_OK);
    assert_code(erase(fx, WU, FX_CHILD, "asked_by_subject", true, &ack), LB_CODE_OK);
    assert_true(fx_leaf(fx, ack.index).count >= 1);
    (void)read_once(fx, &person);
    review(fx, person);
    assert_code(erase(fx, LI, person, "asked_by_subject", false, &ack), LB_RETENTION_RUNS);
    fx->keep_details_s = 0;
    fx_restart(fx);
}

static void nonsense_is_refused(void **state)
{
    struct fixture *fx = *state;
    struct lb_serve_ack ack;
    const char *person = NULL;
    (void)read_once(fx, &person);
    assert_code(erase(fx, LI, "1", "court_order", false, &ack), LB_ID_INVALID);
    assert_code(erase(fx, LI, person, "", false, &ack), LB_MALFORMED);
    assert_code(erase(fx, LI, person, "because", false, &ack), LB_MALFORMED);
    Lianban__V1__EraseSubjectRequest request = LIANBAN__V1__ERASE_SUBJECT_REQUEST__INIT;
    request.id_no = (char *)(uintptr_t)person;
    request.basis = (char *)(uintptr_t)"court_order";
    static const char *const bad[] = {"", "a\nb", "\xff"};
    for (size_t i = 0; i < 3; i++) {
        request.reason = (char *)(uintptr_t)bad[i];
        assert_code(lb_status_code(lb_serve_erase(fx->serve, LI, &request, fx->arena, &ack)),
                    LB_MALFORMED);
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_officers_erase),
        cmocka_unit_test(one_officer_erases_nothing),
        cmocka_unit_test(the_law_keeps_what_it_wants_kept),
        cmocka_unit_test(a_review_keeps_nobody_longer),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
