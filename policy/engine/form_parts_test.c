/* Parts in forms: what is read of them, and every mistake that they may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"
#include "policy/engine/form_text.h"

static const char PARTS[] =
    "parts:\n"
    "  - part: grant\n"
    "    department: civil-affairs\n"
    "    title: {zh: 救助审核, en: Decision on aid}\n"
    "    law: [SAL42]\n"
    "    classes: [FULL, PART]\n"
    "    roles: [applicant, child]\n"
    "    facts: [region]\n"
    "    days: 30\n"
    "    escalate: {zh: 区民政局, en: district civil affairs}\n"
    "  - part: no-grant\n"
    "    department: tax\n"
    "    title: {zh: 告知, en: Note}\n"
    "    law: [SAL43, SAL41]\n"
    "    classes: [NONE]\n"
    "    roles: [applicant]\n"
    "    days: 250\n"
    "    escalate: {zh: 税务局, en: tax office}\n"
    "  - part: first-aid\n"
    "    department: civil-affairs\n"
    "    title: {zh: 先行救助, en: Aid first}\n"
    "    law: [SAL50]\n"
    "    roles: [applicant]\n"
    "    days: 10\n"
    "    emergency: true\n"
    "    escalate: {zh: 街道办, en: street office}\n"
    "notice:\n";

struct world {
    struct lb_arena *arena;
    struct lb_rules *rules;
    const char *text;
};

static int set_up(void **state)
{
    static struct world world;
    world.arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    world.rules = lb_form_fixture_rules("");
    world.text = lb_form_fixture_replace(world.arena, lb_form_fixture_text(), "notice:\n", PARTS);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    lb_rules_free(world->rules);
    lb_arena_free(world->arena);
    return 0;
}

static void reads_parts(void **state)
{
    struct world *world = *state;
    struct lb_form_compiled *compiled = lb_form_fixture_load(world->text, world->rules);
    const struct lb_form *form = lb_form_of(compiled);
    assert_int_equal(form->num_parts, 3);
    const struct lb_form_part *grant = &form->parts[lb_form_part_index(form, "grant")];
    assert_string_equal(grant->department, "civil-affairs");
    assert_string_equal(grant->title.en, "Decision on aid");
    assert_string_equal(grant->escalate.zh, "区民政局");
    assert_int_equal(grant->num_laws, 1);
    assert_int_equal(grant->days, 30);
    assert_int_equal(grant->roles, 5);
    assert_int_equal(grant->num_facts, 1);
    assert_string_equal(form->facts[grant->facts[0]].name, "region");
    assert_true(lb_form_hands_over(grant, lb_form_class_index(form, "FULL")));
    assert_true(lb_form_hands_over(grant, lb_form_class_index(form, "PART")));
    assert_false(lb_form_hands_over(grant, lb_form_class_index(form, "NONE")));
    assert_false(lb_form_hands_over(grant, SIZE_MAX));
    const struct lb_form_part *none = &form->parts[1], *first = &form->parts[2];
    assert_true(lb_form_hands_over(none, lb_form_class_index(form, "NONE")));
    assert_int_equal(none->num_facts, 0);
    assert_true(first->emergency && !none->emergency);
    for (size_t i = 0; i <= form->num_classes; i++)
        assert_false(lb_form_hands_over(first, i));
    assert_int_equal(lb_form_part_index(form, "other"), SIZE_MAX);
    assert_int_equal(lb_form_class_index(form, "MANUAL"), SIZE_MAX);
    lb_form_free(compiled);
}

/* Who gets what is told before anybody agrees; a form without parts says nothing of it. */
static void notice_names_who_gets_what(void **state)
{
    struct world *world = *state;
    const struct lb_notice_options options = {"街道", "zh", LB_NOTICE_PLAIN};
    const struct lb_notice_options english = {"Street", "en", LB_NOTICE_PLAIN};
    struct lb_form_compiled *compiled = lb_form_fixture_load(world->text, NULL);
    struct lb_span text;
    assert_null(lb_form_notice_text(lb_form_of(compiled), &options, world->arena, &text));
    assert_non_null(strstr((const char *)text.ptr,
                           "   - 民政部门，救助审核；依据《社会救助法》第42条；随附身份信息，包括"
                           "申请人、未成年子女；随附核对结果，包括户籍地\n"));
    assert_null(lb_form_notice_text(lb_form_of(compiled), &english, world->arena, &text));
    assert_non_null(strstr((const char *)text.ptr,
                           "   - Civil affairs, Decision on aid; law: Social Assistance Law art. "
                           "42; with the identity of the applicant, children under age; with what "
                           "was found of Registered area\n"));
    lb_form_free(compiled);
}

/* As in form_refuse_test.c. */
struct refusal {
    const char *old, *with, *at, *part;
};

static int line_of(const char *text, const char *at)
{
    const char *place = strstr(text, at);
    if (place == NULL || strstr(place + 1, at) != NULL)
        fail_msg("\"%s\" must stand in the changed text once", at);
    int line = 1;
    for (const char *p = text; p < place; p++)
        line += *p == '\n' ? 1 : 0;
    return line;
}

static void check(const struct world *world, const struct refusal *refusal)
{
    char *text = lb_form_fixture_replace(world->arena, world->text, refusal->old, refusal->with);
    char *place = lb_arena_printf(world->arena, "test.yaml:%d:", line_of(text, refusal->at));
    struct lb_form_compiled *form = NULL;
    struct lb_diag diag = {{0}};
    lb_status status =
        lb_form_load_text(lb_span_str(text), "test.yaml", world->rules, &diag, &form);
    if (lb_status_code(status) != LB_CONFIG_INVALID)
        fail_msg("not refused: %s", refusal->with);
    if (strncmp(diag.text, place, strlen(place)) != 0 || strstr(diag.text, refusal->part) == NULL)
        fail_msg("expected %s \"%s\", got %s", place, refusal->part, diag.text);
}

static void refuses_mistakes(void **state)
{
    static const struct refusal table[] = {
        {"  - part: grant\n", "  - part: Grant\n", "part: Grant", "Grant"},
        {"part: no-grant", "part: grant", "part: grant\n    department: tax", "twice"},
        {"  - part: grant\n", "  - part: grant\n    owner: x\n", "owner: x", "owner"},
        {"    department: tax\n    title: {zh: 告", "    title: {zh: 告", "part: no-grant",
         "department"},
        {"    title: {zh: 告知, en: Note}\n", "", "part: no-grant", "title"},
        {"    law: [SAL50]\n", "", "part: first-aid", "law"},
        {"classes: [FULL, PART]", "classes: []", "classes: []", ""},
        {"    classes: [FULL, PART]\n", "", "part: grant\n", "classes"},
        {"classes: [FULL, PART]", "classes: [FULL, MANUAL]", "[FULL, MANUAL]", "MANUAL"},
        {"classes: [FULL, PART]", "classes: [FULL, FULL]", "[FULL, FULL]", "twice"},
        {"classes: [FULL, PART]", "classes: [full]", "[full]", "no class"},
        {"    emergency: true\n", "    emergency: true\n    classes: [FULL]\n", "classes: [FULL]\n",
         "leave `classes` out"},
        {"    emergency: true\n", "", "part: first-aid", "classes"},
        {"    emergency: true\n", "    emergency: yes\n", "emergency: yes", ""},
        {"roles: [applicant, child]\n    facts", "roles: [child]\n    facts", "[child]\n    facts",
         "applicant"},
        {"roles: [applicant, child]\n    facts", "roles: [applicant, guest]\n    facts",
         "guest", "no role"},
        {"facts: [region]", "facts: []", "facts: []", ""},
        {"facts: [region]", "facts: [region, region]", "[region, region]", "twice"},
        {"facts: [region]", "facts: [income]", "[income]", "no fact"},
        {"facts: [region]", "facts: [wage12]", "[wage12]", "not shown"},
        {"    days: 30\n    escalate", "    escalate", "part: grant\n", "days"},
        {"    days: 30\n    escalate", "    days: 0\n    escalate", "days: 0", ""},
        {"days: 250", "days: 251", "days: 251", ""},
        {"    days: 10\n", "    days: 11\n", "days: 11", ""},
        {"    escalate: {zh: 税务局, en: tax office}\n", "", "part: no-grant", "escalate"},
        {"    escalate: {zh: 税务局, en: tax office}\n", "    escalate: {zh: 税务局}\n",
         "escalate: {zh: 税务局}", "en"},
        {"parts:\n", "parts: []\nnone:\n", "none:", "none"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        check(*state, &table[i]);
}

/* A fact goes along for nobody when none of the part's roles is asked it. */
static void refuses_a_fact_of_others(void **state)
{
    struct world *world = *state;
    struct world changed = *world;
    const struct refusal refusal = {"    facts: [region]\n", "    facts: [child_only]\n",
                                    "[child_only]", "none of the `roles`"};
    changed.text = lb_form_fixture_replace(
        world->arena, world->text, "household:\n",
        "  - fact: child_only\n"
        "    department: tax\n"
        "    view: tax.child\n"
        "    field: child\n"
        "    operator: COUNT(1)\n"
        "    roles: [member]\n"
        "    otherwise: 0\n"
        "    show: true\n"
        "    label: {zh: 甲, en: A}\n"
        "household:\n");
    check(&changed, &refusal);
}

/* A token is handed over unread: never shown, in no rule, and asked only if somebody gets it. */
static void a_token_goes_along_and_nowhere_else(void **state)
{
    static const char *const tail = "    label: {zh: 账户, en: Account}\nhousehold:\n";
    static const struct refusal table[] = {
        {"facts: [region]", "facts: [region] ", "fact: account", "no part hands over"},
        {"    show: false\n    label: {zh: 账户", "    show: true\n    label: {zh: 账户",
         "show: true\n    label: {zh: 账户", "never shown"},
        {"    show: false\n    label: {zh: 账户", "    grade: A\n    label: {zh: 账户", "grade: A",
         "nobody adds"},
        {"each: firms, fold: sum", "each: as_number(account = 'x'), fold: sum", "fact: account",
         "says nothing to a rule"},
    };
    struct world *world = *state;
    struct world changed = *world;
    char *fact = lb_arena_printf(
        world->arena,
        "  - fact: account\n    department: tax\n    view: tax.account\n    field: number\n"
        "    operator: TOKEN(30)\n    roles: [applicant]\n    otherwise: unknown\n"
        "    show: false\n%s", tail);
    changed.text = lb_form_fixture_replace(world->arena, world->text, "household:\n", fact);
    check(&changed, &table[0]); /* nobody is handed it */
    changed.text = lb_form_fixture_replace(world->arena, changed.text, "facts: [region]",
                                           "facts: [region, account]");
    lb_form_free(lb_form_fixture_load(changed.text, world->rules));
    for (size_t i = 1; i < sizeof(table) / sizeof(table[0]); i++)
        check(&changed, &table[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_parts),
        cmocka_unit_test(notice_names_who_gets_what),
        cmocka_unit_test(refuses_mistakes),
        cmocka_unit_test(refuses_a_fact_of_others),
        cmocka_unit_test(a_token_goes_along_and_nowhere_else),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
