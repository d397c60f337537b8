#include "gateway/ctl/fixture.h"

#include <string.h>

#include "gateway/ctl/command.h"
#include "gateway/wire/pb.h"

/* The commands about what departments get of a case. */

#define TEXT(literal_) ((char *)(uintptr_t)(literal_))

static void set_parts(struct test_cli *cli)
{
    Lianban__V1__CaseParts reply = LIANBAN__V1__CASE_PARTS__INIT;
    Lianban__V1__CasePart part = LIANBAN__V1__CASE_PART__INIT;
    Lianban__V1__CasePart *parts[] = {&part};
    Lianban__V1__PartWord word = LIANBAN__V1__PART_WORD__INIT;
    Lianban__V1__PartWord *words[] = {&word};
    part.part = TEXT("recognition");
    part.department = TEXT("civil-affairs");
    part.title_en = TEXT("Recognition");
    part.state = TEXT("SUPPLEMENT_WANTED");
    part.due = TEXT("2027-01-22");
    part.due_provisional = true;
    part.until = TEXT("2027-01-20");
    part.words = words;
    part.n_words = 1;
    word.number = 1;
    word.kind = TEXT("SUPPLEMENT_WANTED");
    word.text_en = TEXT("the \033[2J booklet");
    reply.parts = parts;
    reply.n_parts = 1;
    test_agent_says(cli, &reply);
}

static void *asked(struct test_cli *cli, struct lb_arena *arena,
                   const ProtobufCMessageDescriptor *kind)
{
    void *message = NULL;
    assert_ok(lb_pb_unpack(kind, lb_span_of(cli->agent_request, cli->agent_request_len), arena,
                           &message));
    return message;
}

static void parts_are_handed_over(void **state)
{
    struct test_cli *cli = *state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    set_parts(cli);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "submit", "--case", "c-1",
                         "--emergency"),
                     LB_CTL_OK);
    assert_string_equal(cli->agent_method, "Submit");
    const Lianban__V1__SubmitCaseRequest *request =
        asked(cli, arena, &lianban__v1__submit_case_request__descriptor);
    assert_string_equal(request->case_id, "c-1");
    assert_true(request->emergency);
    assert_non_null(strstr(cli->out, "supplement wanted"));
    assert_non_null(strstr(cli->out, "2027-01-22?")); /* nobody knows that year yet */
    assert_null(strstr(cli->out, "\033[2J"));
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "withdraw", "--case", "c-1", "--json"),
                     LB_CTL_OK);
    assert_string_equal(cli->agent_method, "Withdraw");
    assert_non_null(strstr(cli->out, "\"due_provisional\": true"));
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "submit"), LB_CTL_USAGE);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "submit", "--case", "c-1", "--part",
                         "x"),
                     LB_CTL_USAGE);
}

static void supplements_come_from_a_file(void **state)
{
    struct test_cli *cli = *state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    char text[600];
    (void)snprintf(text, sizeof(text), "{note: 补交, papers: [{title: 户口簿, file: \"%s\"}]}\n",
                   test_file(cli, "scan.pdf", "abc"));
    set_parts(cli);
    test_feed(cli, text);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "supplement", "--case", "c-1",
                         "--part", "recognition", "--file", "-"),
                     LB_CTL_OK);
    const Lianban__V1__SupplementRequest *request =
        asked(cli, arena, &lianban__v1__supplement_request__descriptor);
    assert_string_equal(request->note, "补交");
    assert_int_equal(request->n_papers, 1);
    assert_int_equal(request->papers[0]->sha256.data[0], 0xba); /* of "abc" */
    static const char *const wrong[] = {
        "{papers: [{title: a}]}\n", "{papers: [{title: a, sha256: ab}]}\n", "{more: x}\n",
        "{papers: [{title: a, file: f, sha256: \"00\"}]}\n", "[]\n"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        test_feed(cli, wrong[i]);
        assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "supplement", "--case", "c-1",
                             "--part", "recognition", "--file", "-"),
                         LB_CTL_FAILED);
    }
}

static void what_is_late_is_listed(void **state)
{
    struct test_cli *cli = *state;
    Lianban__V1__ListOverdueResponse late = LIANBAN__V1__LIST_OVERDUE_RESPONSE__INIT;
    Lianban__V1__OverduePart one = LIANBAN__V1__OVERDUE_PART__INIT;
    Lianban__V1__OverduePart *list[] = {&one};
    Lianban__V1__CasePart part = LIANBAN__V1__CASE_PART__INIT;
    part.part = TEXT("recognition");
    part.state = TEXT("ACCEPTED");
    part.due = TEXT("2027-01-22");
    part.overdue = TEXT("OVERDUE");
    part.escalate_en = TEXT("the bureau");
    one.case_id = TEXT("c-1");
    one.part = &part;
    late.parts = list;
    late.n_parts = 1;
    test_agent_says(cli, &late);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "overdue"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "overdue 2027-01-22"));
    assert_non_null(strstr(cli->out, "the bureau"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parts_are_handed_over, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(supplements_come_from_a_file, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(what_is_late_is_listed, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
