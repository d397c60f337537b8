#include "gateway/ctl/doctor.h"
#include "gateway/ctl/doctor_fixture.h"

#include <stdlib.h>
#include <string.h>

/* Whose clock is off. */

static void test_clock_off_by_an_hour(void **state)
{
    struct ward *ward = *state;
    const int64_t hour_ms = 3600 * 1000;
    for (int sign = -1; sign <= 1; sign += 2) {
        ward->broker.unix_ms = FX_NOW * 1000 + sign * hour_ms;
        assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
        ward_expect(ward, "clock", "bad", "own-network");
        assert_non_null(strstr(ward->out, sign < 0 ? "+3600000 ms" : "-3600000 ms"));
    }
    ward->broker.unix_ms = FX_NOW * 1000 + 5000;
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_FAILED);
    ward_expect(ward, "clock", "warn", "own-network");
    ward->broker.told = false; /* an older version */
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "clock", "warn", "own-network");
    fx_advance(&ward->fx, -3600); /* the own clock was set back behind the log */
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "evidence", "bad", "own-operations");
}

static void judge_clocks(struct ward *ward, size_t num, const int64_t *offsets_ms,
                         struct lb_doctor *out)
{
    static struct lb_ctl_env env;
    *out = (struct lb_doctor){.env = &env, .arena = ward->fx.arena, .num_clocks = num};
    lb_ctl_sheet_init(&out->sheet, &env, ward->fx.arena, NULL, 0);
    memcpy(out->offsets_ms, offsets_ms, num * sizeof(*offsets_ms));
    lb_doctor_judge_clocks(out);
}

/* With two peers this clock decides between them; a peer whose clock is off is named. */
static void test_whose_clock_is_off(void **state)
{
    enum { HOUR_MS = 3600000 };
    static const struct {
        size_t num;
        int64_t offsets_ms[3];
        size_t good, bad;
    } cases[] = {
        {1, {HOUR_MS}, 0, 1},           {1, {0}, 1, 0},
        {2, {0, HOUR_MS}, 1, 1},        {2, {-HOUR_MS, 0}, 1, 1},
        {2, {HOUR_MS, HOUR_MS}, 0, 1},  {2, {HOUR_MS, -HOUR_MS}, 1, 2},
        {3, {0, HOUR_MS, 0}, 1, 1},     {3, {HOUR_MS, HOUR_MS, 0}, 0, 2},
    };
    struct lb_doctor *doctor = malloc(sizeof(*doctor));
    assert_non_null(doctor);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        judge_clocks(*state, cases[i].num, cases[i].offsets_ms, doctor);
        assert_int_equal(doctor->num[LB_DOCTOR_OK], cases[i].good);
        assert_int_equal(doctor->num[LB_DOCTOR_BAD], cases[i].bad);
        assert_int_equal(doctor->num[LB_DOCTOR_WARN], 0);
    }
    free(doctor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WARD_TEST(test_clock_off_by_an_hour),
        WARD_TEST(test_whose_clock_is_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
