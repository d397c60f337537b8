#include "gateway/ctl/fixture.h"

#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/command.h"

#define RULES                                                                                      \
    "rules: small\nversion: 2\nin_force: 2026-07-01\ntitle: {zh: 小, en: Small}\n"                  \
    "thresholds:\n  age.adult: {value: 18, unit: years, source: \"Civil Code 17\"}\n"
#define VIEW                                                                                       \
    "view: police.person\nversion: 1\ntitle: {zh: 人口, en: Person}\n"                             \
    "query: SELECT birth FROM person WHERE id_no = :id_no\nrows: one\ntimeout_ms: 1000\n"          \
    "fields:\n  adult:\n    column: birth\n    type: date\n    class: G3\n    rules:\n"           \
    "      - purpose: aid\n        operators: [AGE_GE(age.adult)]\n"                             \
    "        requesters: [office]\n"                                                              \
    "        bases: [consent]\n        issuers: [hall]\n        min_level: 2\n"
#define FORM_WITH(test_, classes_)                                                                 \
    "form: aid\nversion: 3\ntitle: {zh: 救助, en: Aid}\npurpose: aid\nlead: office\n"               \
    "law: [L1]\nrules: small\ngrant_days: 30\n"                                                    \
    "roles:\n  applicant: {min: 1, max: 1, minor: false}\n"                                        \
    "sections:\n  police: {basis: consent, law: [L1], answer_bytes: 1024, uses: 4}\n"              \
    "facts:\n  - {fact: adult, department: police, view: police.person, field: adult,\n"           \
    "     operator: AGE_GE(age.adult), roles: [applicant], show: true,\n"                          \
    "     label: {zh: 成年, en: Of age}}\n"                                                         \
    "household:\n  - {name: all_adult, each: adult, fold: all}\n"                                  \
    "conditions:\n  - {condition: grown, test: " test_ ", text: {zh: 均成年, en: All of age},\n"    \
    "     source: L1}\n"                                                                           \
    "classes:\n  - {class: YES, when: grown, text: {zh: 可以, en: Yes}}\n" classes_                 \
    "otherwise: {class: NONE, text: {zh: 否, en: No}}\n"                                            \
    "notice:\n  why: {zh: 因, en: why}\n  keep: {zh: 存, en: keep}\n"                                \
    "  withdraw: {zh: 撤, en: withdraw}\n  refuse: {zh: 拒, en: refuse}\n"

#define FORM_OF(classes_) FORM_WITH("all_adult", classes_)
#define FORM FORM_OF("")
#define FORM_REVERSED FORM_WITH("NOT all_adult", "")
#define FORM_UNREACHED                                                                             \
    FORM_OF("  - {class: NEVER, when: grown AND grown, text: {zh: 不会, en: Never}}\n")

struct paths {
    char rules[400], view[400], form[400];
};

static struct paths make(struct test_cli *cli, const char *rules, const char *view,
                         const char *form)
{
    struct paths paths;
    (void)snprintf(paths.rules, sizeof(paths.rules), "%s", test_file(cli, "rules.yaml", rules));
    (void)snprintf(paths.view, sizeof(paths.view), "%s", test_file(cli, "view.yaml", view));
    (void)snprintf(paths.form, sizeof(paths.form), "%s", test_file(cli, "form.yaml", form));
    return paths;
}

static void hash_of(const char *content, char out[65])
{
    uint8_t digest[LB_SHA256_BYTES];
    lb_sha256(lb_span_str(content), digest);
    lb_hex_encode(lb_span_of(digest, sizeof(digest)), out);
}

static void succeeds(struct test_cli *cli, int exit_code)
{
    if (exit_code != LB_CTL_OK)
        print_error("%s\n", cli->err);
    assert_int_equal(exit_code, LB_CTL_OK);
}

static void explains_views(void **state)
{
    struct test_cli *cli = *state;
    struct paths paths = make(cli, RULES, VIEW, FORM);
    char sha256[65];
    hash_of(VIEW, sha256);
    succeeds(cli, RUN(cli, lb_ctl_view_command, "view", "check", "--rules", paths.rules,
                      paths.view));
    assert_non_null(strstr(cli->out, sha256));
    assert_non_null(strstr(cli->out, "police.person adult G3 purpose=aid"));
    succeeds(cli, RUN(cli, lb_ctl_view_command, "view", "check", "--rules", paths.rules, "--table",
                      paths.view));
    assert_null(strstr(cli->out, sha256));
    assert_non_null(strstr(cli->out, "level=2"));
    succeeds(cli, RUN(cli, lb_ctl_view_command, "view", "check", "--rules", paths.rules, "--json",
                      paths.view));
    struct lb_json *json = test_json(cli);
    const struct lb_json *views = NULL;
    struct lb_span text = LB_SPAN_EMPTY;
    assert_ok(lb_json_get_array(json, "views", &views));
    assert_ok(lb_json_get_str(lb_json_at(views, 0), "sha256", &text));
    assert_true(lb_span_is(text, sha256));
    assert_ok(lb_json_get_str(lb_json_at(views, 0), "id", &text));
    assert_true(lb_span_is(text, "police.person"));
    lb_json_free(json);
}

static void tells_every_mistake(void **state)
{
    struct test_cli *cli = *state;
    struct paths paths = make(cli, RULES, VIEW, FORM);
    char bad[400], worse[400];
    (void)snprintf(bad, sizeof(bad), "%s", test_file(cli, "bad.yaml", "view: a.b\nsecret: 1\n"));
    (void)snprintf(worse, sizeof(worse), "%s", test_file(cli, "worse.yaml", "view: [\n"));
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "check", "--rules", paths.rules, bad,
                         paths.view, worse, paths.view, "--json"),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "bad.yaml:2"));
    assert_non_null(strstr(cli->err, "worse.yaml"));
    assert_non_null(strstr(cli->err, "in another file as well"));
    struct lb_json *json = test_json(cli);
    const struct lb_json *views = NULL, *mistakes = NULL;
    assert_ok(lb_json_get_array(json, "views", &views));
    assert_ok(lb_json_get_array(json, "mistakes", &mistakes));
    assert_int_equal(lb_json_len(views), 1);
    assert_int_equal(lb_json_len(mistakes), 3);
    lb_json_free(json);
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "check", "--rules", bad, paths.view),
                     LB_CTL_FAILED);
}

static void summarizes_forms(void **state)
{
    struct test_cli *cli = *state;
    struct paths paths = make(cli, RULES, VIEW, FORM);
    char sha256[65];
    hash_of(FORM, sha256);
    succeeds(cli, RUN(cli, lb_ctl_form_command, "form", "check", paths.form, "--rules",
                      paths.rules));
    assert_non_null(strstr(cli->out, sha256));
    assert_non_null(strstr(cli->out, "AGE_GE(age.adult)"));
    assert_non_null(strstr(cli->out, "All of age"));
    assert_non_null(strstr(cli->out, "YES Yes, NONE No"));
    succeeds(cli, RUN(cli, lb_ctl_form_command, "form", "check", paths.form, "--rules",
                      paths.rules, "--json"));
    struct lb_json *json = test_json(cli);
    const struct lb_json *forms = NULL;
    struct lb_span text = LB_SPAN_EMPTY;
    int64_t version = 0;
    assert_ok(lb_json_get_array(json, "forms", &forms));
    assert_int_equal(lb_json_len(forms), 1);
    assert_ok(lb_json_get_str(lb_json_at(forms, 0), "sha256", &text));
    assert_true(lb_span_is(text, sha256));
    assert_ok(lb_json_get_int(lb_json_at(forms, 0), "version", &version));
    assert_int_equal(version, 3);
    lb_json_free(json);
    paths = make(cli, RULES, VIEW, "form: aid\nversion: x\n");
    assert_int_equal(RUN(cli, lb_ctl_form_command, "form", "check", paths.form, "--rules",
                         paths.rules),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "form.yaml"));
    assert_int_equal(RUN(cli, lb_ctl_form_command, "form", "check", paths.form), LB_CTL_USAGE);
}

/* Against the department's views, from a folder or a file; what is wrong is told of each form. */
static void checks_forms_against_views(void **state)
{
    struct test_cli *cli = *state;
    struct paths paths = make(cli, RULES, VIEW, FORM);
    char other[400];
    succeeds(cli, RUN(cli, lb_ctl_form_command, "form", "check", paths.form, "--rules",
                      paths.rules, "--views", paths.view));
    assert_null(strstr(cli->out, "views not checked"));
    succeeds(cli, RUN(cli, lb_ctl_form_command, "form", "check", paths.form, "--rules",
                      paths.rules));
    assert_non_null(strstr(cli->out, "views not checked"));
    (void)snprintf(other, sizeof(other), "%s", test_file(cli, "other.yaml", FORM_UNREACHED));
    assert_int_equal(RUN(cli, lb_ctl_form_command, "form", "check", paths.form, other, "--rules",
                         paths.rules, "--views", paths.view, "--json"),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "other.yaml:24: class `NEVER` can never win"));
    assert_non_null(strstr(cli->out, "\"mistake\""));
    assert_int_equal(RUN(cli, lb_ctl_form_command, "form", "check", paths.form, "--rules",
                         paths.rules, "--views", "/nowhere"),
                     LB_CTL_FAILED);
}

/* The form on paper, as text and as a page; needs no rule set. */
static void prints_the_paper(void **state)
{
    struct test_cli *cli = *state;
    struct paths paths = make(cli, RULES, VIEW, FORM);
    succeeds(cli, RUN(cli, lb_ctl_form_command, "form", "print", paths.form, "--requester-name",
                      "Office"));
    assert_non_null(strstr(cli->out, "Who asks: Office"));
    assert_non_null(strstr(cli->out, "Of age"));
    assert_non_null(strstr(cli->out, "Signatures"));
    succeeds(cli, RUN(cli, lb_ctl_form_command, "form", "print", paths.form, "--requester-name",
                      "街道", "--language", "zh", "--html"));
    assert_non_null(strstr(cli->out, "<!DOCTYPE html>"));
    assert_non_null(strstr(cli->out, "签名"));
    succeeds(cli, RUN(cli, lb_ctl_form_command, "form", "print", paths.form, "--requester-name",
                      "Office", "--json"));
    lb_json_free(test_json(cli));
    assert_int_equal(RUN(cli, lb_ctl_form_command, "form", "print", paths.form), LB_CTL_USAGE);
}

/* A table that was kept, against the form as it is and as it was changed. */
static void holds_tables_against_each_other(void **state)
{
    struct test_cli *cli = *state;
    struct paths paths = make(cli, RULES, VIEW, FORM);
    char kept[400];
    succeeds(cli, RUN(cli, lb_ctl_form_command, "form", "table", paths.form, "--rules",
                      paths.rules));
    assert_non_null(strstr(cli->out, "YES 1 applicant adult false -> NONE\n"));
    (void)snprintf(kept, sizeof(kept), "%s", test_file(cli, "kept.txt", cli->out));
    succeeds(cli, RUN(cli, lb_ctl_form_command, "form", "table", paths.form, "--rules",
                      paths.rules, "--against", kept));
    assert_string_equal(cli->out, "");
    (void)snprintf(paths.form, sizeof(paths.form), "%s",
                   test_file(cli, "changed.yaml", FORM_REVERSED));
    assert_int_equal(RUN(cli, lb_ctl_form_command, "form", "table", paths.form, "--rules",
                         paths.rules, "--against", kept),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "- YES 1 applicant adult false -> NONE\n"));
    assert_non_null(strstr(cli->out, "+ YES 1 applicant adult false -> YES\n"));
    assert_int_equal(RUN(cli, lb_ctl_form_command, "form", "table", paths.form, "--rules",
                         paths.rules, "--against", "/nowhere"),
                     LB_CTL_FAILED);
}

static void lists_rules(void **state)
{
    struct test_cli *cli = *state;
    struct paths paths = make(cli, RULES, VIEW, FORM);
    char sha256[65];
    hash_of(RULES, sha256);
    succeeds(cli, RUN(cli, lb_ctl_rules_command, "rules", "check", paths.rules));
    assert_non_null(strstr(cli->out, sha256));
    assert_non_null(strstr(cli->out, "Civil Code 17"));
    succeeds(cli, RUN(cli, lb_ctl_rules_command, "rules", "check", paths.rules, "--json"));
    lb_json_free(test_json(cli));
    assert_int_equal(RUN(cli, lb_ctl_rules_command, "rules", "check", paths.view), LB_CTL_FAILED);
    assert_int_equal(RUN(cli, lb_ctl_rules_command, "rules", "check"), LB_CTL_USAGE);
}

/* What is printed is what is hashed, in each shape. */
static void prints_the_notice(void **state)
{
    struct test_cli *cli = *state;
    static const char *const variants[] = {"plain", "large", "aloud"};
    struct paths paths = make(cli, RULES, VIEW, FORM);
    for (size_t i = 0; i < 3; i++) {
        char hex[65], text[4096];
        succeeds(cli, RUN(cli, lb_ctl_form_command, "form", "notice", paths.form,
                          "--requester-name", "Office", "--variant", variants[i]));
        (void)snprintf(text, sizeof(text), "%s", cli->out);
        hash_of(text, hex);
        succeeds(cli, RUN(cli, lb_ctl_form_command, "form", "notice", paths.form,
                          "--requester-name", "Office", "--variant", variants[i], "--json"));
        assert_non_null(strstr(cli->out, hex));
    }
    assert_int_equal(RUN(cli, lb_ctl_form_command, "form", "notice", paths.form,
                         "--requester-name", "Office", "--variant", "huge"),
                     LB_CTL_FAILED);
    assert_int_equal(RUN(cli, lb_ctl_form_command, "form", "notice", paths.form), LB_CTL_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(explains_views, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(tells_every_mistake, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(summarizes_forms, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(checks_forms_against_views, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(prints_the_paper, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(holds_tables_against_each_other, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(lists_rules, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(prints_the_notice, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
