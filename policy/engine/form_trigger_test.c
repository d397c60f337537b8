/* A trigger can do nothing but signal: each way to make it do more is refused when it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"

static const char TRIGGER[] =
    "form: find-help\n"
    "version: 2\n"
    "title: {zh: 主动发现, en: Finding}\n"
    "purpose: find-help\n"
    "lead: tax\n"
    "law: [SAL40]\n"
    "rules: test-rules\n"
    "grant_days: 365\n"
    "roles:\n"
    "  applicant: {min: 1, max: 1, minor: false}\n"
    "  member: {min: 0, max: 3, minor: false}\n"
    "sections:\n"
    "  tax: {basis: consent, answer_bytes: 512, uses: 2}\n"
    "  public-security: {basis: separate_consent, answer_bytes: 512, uses: 2}\n"
    "facts:\n"
    "  - fact: earned\n"
    "    department: tax\n"
    "    view: tax.income\n"
    "    field: income\n"
    "    operator: SUM(12)\n"
    "    roles: [applicant, member]\n"
    "    label: {zh: 收入, en: Income}\n"
    "  - fact: known\n"
    "    department: public-security\n"
    "    view: public-security.person\n"
    "    field: area\n"
    "    operator: EXISTS\n"
    "    roles: [applicant, member]\n"
    "    label: {zh: 登记, en: Registered}\n"
    "household:\n"
    "  - {name: income, each: earned, fold: sum}\n"
    "  - {name: all_known, each: known, fold: all}\n"
    "conditions:\n"
    "  - condition: poor\n"
    "    test: income < std_line * 12 * n AND all_known\n"
    "    text: {zh: 收入低, en: Income is low}\n"
    "    source: SAL 20\n"
    "classes:\n"
    "  - class: CANDIDATE\n"
    "    when: poor\n"
    "    text: {zh: 可能符合, en: May be entitled}\n"
    "otherwise: {class: NONE, text: {zh: 无, en: None}}\n"
    "parts:\n"
    "  - part: reach-out\n"
    "    department: civil-affairs\n"
    "    title: {zh: 上门告知, en: Reaching out}\n"
    "    law: [SAL40]\n"
    "    classes: [CANDIDATE]\n"
    "    roles: [applicant]\n"
    "    days: 5\n"
    "    escalate: {zh: 区民政局, en: district civil affairs}\n"
    "trigger: {source: tax, every_days: 30}\n"
    "notice:\n"
    "  why: {zh: 甲, en: A}\n"
    "  keep: {zh: 乙, en: B}\n"
    "  withdraw: {zh: 丙, en: C}\n"
    "  refuse: {zh: 丁, en: D}\n";

struct world {
    struct lb_arena *arena;
    struct lb_rules *rules;
};

static int set_up(void **state)
{
    static struct world world;
    world.arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    world.rules = lb_form_fixture_rules("");
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

static void reads_a_trigger(void **state)
{
    const struct world *world = *state;
    struct lb_form_compiled *trigger = lb_form_fixture_load(TRIGGER, world->rules);
    struct lb_form_compiled *form = lb_form_fixture_load(lb_form_fixture_text(), world->rules);
    assert_string_equal(lb_form_of(trigger)->trigger.source, "tax");
    assert_int_equal(lb_form_of(trigger)->trigger.every_days, 30);
    assert_int_equal(lb_form_of(form)->trigger.every_days, 0);
    lb_form_free(form);
    lb_form_free(trigger);
}

/* Whoever has no rule set reads it as strictly: brokers, consent offices. */
static void refuse(const struct world *world, const char *old, const char *with, const char *says)
{
    char *text = lb_form_fixture_replace(world->arena, TRIGGER, old, with);
    const struct lb_rules *rules[] = {world->rules, NULL};
    for (size_t i = 0; i < 2; i++) {
        struct lb_form_compiled *form = NULL;
        struct lb_diag diag = {{0}};
        lb_status status =
            lb_form_load_text(lb_span_str(text), "test.yaml", rules[i], &diag, &form);
        if (lb_status_code(status) != LB_CONFIG_INVALID)
            fail_msg("not refused: %s", with);
        if (strstr(diag.text, says) == NULL)
            fail_msg("expected \"%s\", got %s", says, diag.text);
    }
}

static void refuses_whatever_does_more(void **state)
{
    static const struct {
        const char *old, *with, *says;
    } table[] = {
        /* who may run it, and how often */
        {"source: tax,", "source: health,", "asked nothing"},
        {"source: tax, ", "", "source"},
        {"every_days: 30", "every_days: 6", "every_days"},
        {"every_days: 30", "every_days: 367", "every_days"},
        {"every_days: 30}", "every_days: 30, adverse: true}", "adverse"},
        {"purpose: find-help", "purpose: oversight", "purpose of its own"},
        /* without being asked, or about others */
        {"tax: {basis: consent,", "tax: {basis: mandate, law: [SAL41],", "by consent"},
        {"{basis: separate_consent,", "{basis: emergency, law: [SAL50],", "by consent"},
        {"member: {min: 0, max: 3, minor: false}", "member: {min: 0, max: 3, outside: true}",
         "one living household"},
        {"member: {min: 0, max: 3, minor: false}", "member: {min: 0, max: 3, deceased: true}",
         "one living household"},
        /* values that would leave */
        {"operator: EXISTS", "operator: COUNT(2)", "yes or no"},
        {"operator: EXISTS", "operator: ADDR_LEVEL(6)", "yes or no"},
        {"operator: EXISTS", "operator: ADDR_LEVEL(6)\n    show: true", "yes or no"},
        {"operator: SUM(12)", "operator: ROUND(100,floor)", "yes or no"},
        {"operator: SUM(12)", "operator: SUM(12)\n    show: true", "nobody looks"},
        /* anything but a signal */
        {"  - class: CANDIDATE\n",
         "  - class: STOP\n    when: poor\n    text: {zh: 停, en: Stop}\n  - class: CANDIDATE\n",
         "one class"},
        {"otherwise: {class: NONE", "otherwise: {class: STOP", "NONE"},
        {"    classes: [CANDIDATE]\n", "    classes: [CANDIDATE, NONE]\n", "CANDIDATE alone"},
        {"    classes: [CANDIDATE]\n", "    classes: [NONE]\n", "CANDIDATE alone"},
        {"    classes: [CANDIDATE]\n", "    emergency: true\n", "no emergency"},
        {"    roles: [applicant]\n", "    roles: [applicant, member]\n", "whom to reach"},
        {"trigger: {", "decision: {hear: {needed: false}}\ntrigger: {", "leave `decision` out"},
        {"parts:\n",
         "amounts:\n  - amount: due\n    value: income\n    unit: cents\n    classes: [CANDIDATE]\n"
         "    text: {zh: 甲, en: A}\nparts:\n",
         "leave `amounts` out"},
        {"trigger: {",
         "  - part: other\n    department: tax\n    title: {zh: 甲, en: A}\n    law: [SAL40]\n"
         "    classes: [CANDIDATE]\n    roles: [applicant]\n    days: 5\n"
         "    escalate: {zh: 甲, en: A}\ntrigger: {",
         "one part"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        refuse(*state, table[i].old, table[i].with, table[i].says);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_trigger),
        cmocka_unit_test(refuses_whatever_does_more),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
