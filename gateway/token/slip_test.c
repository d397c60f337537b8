#include "gateway/token/slip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint8_t zeros[LB_SLIP_SECRET_BYTES];
static const uint8_t counted[LB_SLIP_SECRET_BYTES] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB,
                                                      0xCD, 0xEF, 0x10, 0x32, 0x54, 0x76};

static bool is_code(const char *typed)
{
    char out[LB_SLIP_CODE_BYTES];
    lb_status status = lb_slip_normalise(lb_span_str(typed), out);
    if (status != LB_OK)
        assert_int_equal(status->code, LB_MALFORMED);
    return status == LB_OK;
}

static void writes_groups(void **state)
{
    char code[LB_SLIP_CODE_BYTES];
    (void)state;
    lb_slip_code(zeros, code);
    assert_int_equal(strlen(code), 24);
    assert_memory_equal(code, "0000-0000-0000-0000-00", 22);
    lb_slip_code(counted, code);
    assert_memory_equal(code, "04HM-ASW9-NF6Y-Y41J-AH", 22);
    assert_true(is_code(code));
}

static void takes_what_people_type(void **state)
{
    char code[LB_SLIP_CODE_BYTES], typed[64], out[LB_SLIP_CODE_BYTES];
    size_t at = 0;
    (void)state;
    lb_slip_code(counted, code);
    for (const char *c = code; *c != '\0'; c++) {
        if (*c == '-')
            continue;
        typed[at++] = *c == '0' ? 'o' : *c == '1' ? 'l' : *c >= 'A' ? (char)(*c + 32) : *c;
        typed[at++] = ' ';
    }
    typed[at] = '\0';
    assert_null(lb_slip_normalise(lb_span_str(typed), out));
    assert_string_equal(out, code);
}

/* Every single mistake must be found but for the one in a thousand that ten bits let through. */
static void finds_mistakes(void **state)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    char code[LB_SLIP_CODE_BYTES];
    size_t tried = 0, missed = 0;
    (void)state;
    lb_slip_code(counted, code);
    for (size_t i = 0; i < 24; i++) {
        char right = code[i];
        if (right == '-')
            continue;
        for (size_t k = 0; k < 32; k++) {
            code[i] = alphabet[k];
            if (code[i] == right)
                continue;
            tried++;
            missed += is_code(code);
        }
        code[i] = right;
    }
    assert_int_equal(tried, 620);
    assert_true(missed <= 3);
}

static void refuses_other_shapes(void **state)
{
    static const char *const bad[] = {
        "", "-", "0000", "0000-0000-0000-0000-0000-0", "0000-0000-0000-0000-000U",
        "0000-0000-0000-0000-00\n0", "' OR 1=1 --", "\xFF\xFF",
        "                                                                 ",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(is_code(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_groups),
        cmocka_unit_test(takes_what_people_type),
        cmocka_unit_test(finds_mistakes),
        cmocka_unit_test(refuses_other_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
