#include <string.h>

#include "gateway/window/fixture.h"
#include "gateway/window/inside.h"

/* Which households are taken, and which are refused before anything is kept. */

struct household {
    Lianban__V1__Member members[16];
    Lianban__V1__Member *list[16];
    Lianban__V1__OpenCaseRequest request;
};

static void add(struct household *household, const char *role, const char *id_no, const char *name)
{
    Lianban__V1__Member *member = &household->members[household->request.n_members];
    lianban__v1__member__init(member);
    member->role = (char *)(uintptr_t)role;
    member->id_no = (char *)(uintptr_t)id_no;
    member->name = (char *)(uintptr_t)name;
    household->list[household->request.n_members++] = member;
}

/* An applicant, a second adult and a child, all right. */
static void start(struct fixture *fx, struct household *household)
{
    memset(household, 0, sizeof(*household));
    lianban__v1__open_case_request__init(&household->request);
    household->request.form = (char *)(uintptr_t) "test-aid";
    household->request.members = household->list;
    household->request.operator_badge = (char *)(uintptr_t) "B-1";
    household->request.operator_unit = (char *)(uintptr_t) "unit";
    add(household, "applicant", fx_id(fx, "19800101", 1), "张三");
    add(household, "member", fx_id(fx, "19810101", 2), "李四");
    add(household, "child", fx_id(fx, "20150101", 3), "张小宝");
}

static void expect(struct fixture *fx, struct household *household, enum lb_code code)
{
    lb_status status = LB_OK;
    (void)fx_open_request(fx, &household->request, &status);
    assert_code(status, code);
}

static void taken(void **state)
{
    struct fixture *fx = *state;
    struct household household;
    start(fx, &household);
    expect(fx, &household, LB_CODE_OK);
    household.request.n_members = 1;
    expect(fx, &household, LB_CODE_OK);
    /* a lower-case check character is normalised */
    for (int i = 0; i < 200; i++) {
        char *id = (char *)(uintptr_t)fx_id(fx, "19800101", i);
        if (id[17] != 'X')
            continue;
        id[17] = 'x';
        household.members[0].id_no = id;
    }
    assert_int_equal(household.members[0].id_no[17], 'x');
    expect(fx, &household, LB_CODE_OK);
    /* names of minorities, and 64 code points */
    household.members[0].name = (char *)(uintptr_t) "买买提·吐尔逊";
    expect(fx, &household, LB_CODE_OK);
    char name[64 * 3 + 1] = "";
    for (size_t i = 0; i < 64; i++)
        memcpy(name + 3 * i, "张", 4);
    household.members[0].name = name;
    expect(fx, &household, LB_CODE_OK);
}

static void roles(void **state)
{
    struct fixture *fx = *state;
    struct household household;
    start(fx, &household);
    household.request.n_members = 0;
    expect(fx, &household, LB_MALFORMED);
    start(fx, &household);
    household.members[0].role = (char *)(uintptr_t) "member"; /* no applicant */
    expect(fx, &household, LB_MALFORMED);
    start(fx, &household);
    household.members[1].role = (char *)(uintptr_t) "applicant"; /* two */
    expect(fx, &household, LB_MALFORMED);
    start(fx, &household);
    household.list[0] = &household.members[1]; /* not first */
    household.list[1] = &household.members[0];
    expect(fx, &household, LB_MALFORMED);
    start(fx, &household);
    household.members[1].role = (char *)(uintptr_t) "uncle";
    expect(fx, &household, LB_MALFORMED);
    household.members[1].role = (char *)(uintptr_t) "";
    expect(fx, &household, LB_MALFORMED);
    start(fx, &household);
    for (int i = 10; i < 13; i++) /* four members, three are allowed */
        add(&household, "member", fx_id(fx, "19900101", i), "王五");
    expect(fx, &household, LB_MALFORMED);
    start(fx, &household);
    for (int i = 10; i < 20; i++)
        add(&household, "child", fx_id(fx, "20160101", i), "张小小");
    expect(fx, &household, LB_MALFORMED); /* thirteen */
    start(fx, &household);
    household.request.form = (char *)(uintptr_t) "other-form";
    expect(fx, &household, LB_FORM_UNKNOWN);
}

static void identities(void **state)
{
    struct fixture *fx = *state;
    struct household household;
    static const char *const wrong[] = {"", "99110119800101001", "9911011980010100100",
                                        "99110119801301001X", "991101198001010０"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        start(fx, &household);
        household.members[0].id_no = (char *)(uintptr_t)wrong[i];
        expect(fx, &household, LB_MALFORMED);
    }
    start(fx, &household);
    char *id = lb_arena_str(fx->arena, lb_span_str(household.members[0].id_no));
    id[17] = id[17] == '1' ? '2' : '1'; /* check digit */
    household.members[0].id_no = id;
    expect(fx, &household, LB_MALFORMED);
    start(fx, &household);
    household.members[1].id_no = household.members[0].id_no; /* one person twice */
    expect(fx, &household, LB_MALFORMED);
}

/* Of age is who has had the eighteenth birthday; the test's day is 2027-01-15. */
static void ages(void **state)
{
    struct fixture *fx = *state;
    struct household household;
    start(fx, &household);
    household.members[2].id_no = (char *)(uintptr_t)fx_id(fx, "20090116", 4);
    expect(fx, &household, LB_CODE_OK);
    household.members[2].id_no = (char *)(uintptr_t)fx_id(fx, "20090114", 4);
    expect(fx, &household, LB_MALFORMED);
    start(fx, &household);
    household.members[1].id_no = (char *)(uintptr_t)fx_id(fx, "20090114", 4);
    expect(fx, &household, LB_CODE_OK);
    household.members[1].id_no = (char *)(uintptr_t)fx_id(fx, "20090117", 4);
    expect(fx, &household, LB_MALFORMED);
    household.members[0].id_no = (char *)(uintptr_t)fx_id(fx, "20150101", 4);
    expect(fx, &household, LB_MALFORMED);
    start(fx, &household);
    household.members[2].id_no = (char *)(uintptr_t)fx_id(fx, "20280101", 4); /* not born yet */
    expect(fx, &household, LB_MALFORMED);
}

static void texts(void **state)
{
    struct fixture *fx = *state;
    struct household household;
    char longest[400];
    memset(longest, 'a', sizeof(longest));
    longest[65] = 0;
    static const char *const names[] = {"", "张\n三", "\x7f", "张\xff", "\xc0\xaf", "a\xc2\x85z"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        start(fx, &household);
        household.members[1].name = (char *)(uintptr_t)names[i];
        expect(fx, &household, LB_MALFORMED);
    }
    start(fx, &household);
    household.members[1].name = longest;
    expect(fx, &household, LB_MALFORMED);
    start(fx, &household);
    household.members[1].relation = longest;
    expect(fx, &household, LB_MALFORMED);
    char *const wrong[] = {(char *)(uintptr_t) "", longest, (char *)(uintptr_t) "a\tb"};
    for (size_t i = 0; i < 3; i++) {
        start(fx, &household);
        household.request.operator_badge = wrong[i];
        expect(fx, &household, LB_MALFORMED);
        start(fx, &household);
        household.request.operator_unit = wrong[i];
        expect(fx, &household, LB_MALFORMED);
    }
}

static void only_so_many(void **state)
{
    struct fixture *fx = *state;
    struct household household;
    lb_status status = LB_OK;
    start(fx, &household);
    household.request.n_members = 1;
    const char *first = fx_open_request(fx, &household.request, &status);
    assert_ok(status);
    size_t real = fx->window->num_cases;
    fx->window->num_cases = LB_WINDOW_MAX_CASES - 1; /* as if so many were open */
    expect(fx, &household, LB_CODE_OK);
    expect(fx, &household, LB_BUSY);
    assert_ok(lb_window_close_case(fx->window, first));
    expect(fx, &household, LB_CODE_OK);
    expect(fx, &household, LB_BUSY);
    fx->window->num_cases = real + 1;
    fx_restart(fx); /* what was refused was not kept either */
    assert_int_equal(fx->window->num_cases, real + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(taken, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(roles, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(identities, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(ages, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(texts, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(only_so_many, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
