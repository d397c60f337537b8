#include <string.h>

#include "gateway/ctl/intake.h"
#include "gateway/ctl/say.h"
#include "gateway/json/json.h"
#include "lianban/v1/intake.pb-c.h"

/* The words that answer a submission. What is told to the citizen comes from a file, never from the
 * command line, which others on the machine can read. */

#define MAX_TEXT_BYTES (16 * 1024)

/* One word of the command: which options it takes, and which it needs. */
struct answer {
    const char *command;
    const char *en, *zh;
    Lianban__V1__Word__Kind kind;
    const char *takes;  /* letters of the options: reference, law, until, outcome, text,
                           forwarded-to */
    const char *needs;
    const char *example;
};

struct answering {
    struct lb_ctl_desk desk;
    const struct answer *answer;
    int64_t number;
    const char *reference, *law, *until, *outcome, *text, *forwarded_to;
    bool ack;
};

static lb_status read_outcome(struct answering *answering, Lianban__V1__Word *word)
{
    static const char *const names[] = {"granted",   "refused", "partly",
                                        "corrected", "kept",    "forwarded"};
    if (answering->outcome == NULL)
        return LB_OK;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(answering->outcome, names[i]) == 0) {
            word->outcome = (Lianban__V1__Word__Outcome)(i + 1);
            return LB_OK;
        }
    }
    lb_diag_set(&answering->desk.diag, "--outcome is granted, refused or partly; of a correction "
                                       "request corrected, kept or forwarded");
    LB_FAIL(LB_MALFORMED, "unknown outcome");
}

static lb_status member(struct answering *answering, const struct lb_json *json, const char *key,
                        char **out)
{
    struct lb_span text = LB_SPAN_EMPTY;
    lb_status status = lb_json_get_str(json, key, &text);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    *out = lb_arena_str(answering->desk.arena, text);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "text is too long");
    return LB_OK;
}

static lb_status read_text(struct answering *answering, Lianban__V1__Word *word)
{
    static const char *const keys[] = {"zh", "en", NULL};
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    struct lb_ctl_desk *desk = &answering->desk;
    struct lb_span text = LB_SPAN_EMPTY;
    if (answering->text == NULL)
        return LB_OK;
    LB_TRY(lb_ctl_read(desk->env, answering->text, MAX_TEXT_BYTES, desk->arena, &desk->diag,
                       &text));
    lb_status status = lb_json_parse(text, &json);
    if (status == LB_OK)
        status = lb_json_only(json, keys);
    if (status == LB_OK)
        status = member(answering, json, "zh", &word->text_zh);
    if (status == LB_OK)
        status = member(answering, json, "en", &word->text_en);
    if (status != LB_OK)
        lb_diag_set(&desk->diag, "the text's file holds {\"zh\": \"...\", \"en\": \"...\"}, one"
                                 " line each, or one of them");
    return status;
}

static void set_text(char **field, const char *text)
{
    if (text != NULL)
        *field = (char *)(uintptr_t)text;
}

static lb_status say(struct answering *answering)
{
    struct lb_ctl_desk *desk = &answering->desk;
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    Lianban__V1__SayWordRequest request = LIANBAN__V1__SAY_WORD_REQUEST__INIT;
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    Lianban__V1__SayWordResponse *said = NULL;
    LB_TRY(lb_ctl_desk_open_adapter(desk));
    word.kind = answering->answer->kind;
    set_text(&word.reference, answering->reference);
    set_text(&word.law, answering->law);
    set_text(&word.until, answering->until);
    set_text(&word.forwarded_to, answering->forwarded_to);
    LB_TRY(read_outcome(answering, &word));
    LB_TRY(read_text(answering, &word));
    request.number = answering->number;
    request.word = &word;
    /* What came of a signal is the end of it. */
    request.ack = answering->ack || word.kind > LIANBAN__V1__WORD__KIND__CONTACTED;
    LB_TRY(desk->port.ask(desk->port.ctx, "SayWord", &request,
                          &lianban__v1__say_word_response__descriptor, desk->arena, &said));
    lb_json_set_int(json, "number", answering->number);
    lb_json_set_int(json, "word", said->number);
    return lb_ctl_print_json(desk->env, json);
}

static int run(struct lb_ctl_env *env, const struct answer *answer, int argc, char **argv)
{
    struct answering answering = {.desk = {.env = env, .command = answer->command},
                                  .answer = answer};
    struct lb_ctl_list operands = {.num = 0};
    const struct lb_ctl_option known[] = {
        {.name = "reference", .value = "NUMBER", .text = &answering.reference,
         .en = "the department's own number", .zh = "本部门受理号"},
        {.name = "law", .value = "CLAUSE", .text = &answering.law, .en = "the clause it rests on",
         .zh = "所依据的条款"},
        {.name = "until", .value = "YYYY-MM-DD", .text = &answering.until,
         .en = "until when it is awaited", .zh = "补正期限"},
        {.name = "outcome", .value = "OUTCOME", .text = &answering.outcome,
         .en = "granted, refused or partly; of a correction request corrected, kept or forwarded",
         .zh = "granted 准予、refused 不予、partly 部分准予；更正请求：corrected 已更正、kept 不更正、"
               "forwarded 已转送"},
        {.name = "forwarded-to", .value = "DEPARTMENT", .text = &answering.forwarded_to,
         .en = "with forwarded: the department whose data they are", .zh = "转送给的部门"},
        {.name = "text", .value = "FILE|-", .text = &answering.text,
         .en = "what the citizen reads, as JSON: {\"zh\": ..., \"en\": ...}",
         .zh = "告知本人的文字（JSON：zh、en）"},
    };
    struct lb_ctl_option options[2 + sizeof(known) / sizeof(known[0])] = {
        lb_ctl_intake_officer(&answering.desk),
        {.name = "ack", .flag = &answering.ack, .en = "acknowledge the submission with it",
         .zh = "同时确认取走"},
    };
    size_t num = 2;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strchr(answer->takes, known[i].name[0]) == NULL)
            continue;
        options[num] = known[i];
        options[num++].required = strchr(answer->needs, known[i].name[0]) != NULL;
    }
    const char *const examples[] = {answer->example, NULL};
    const struct lb_ctl_usage usage = {.command = answer->command, .en = answer->en,
                                       .zh = answer->zh, .operand = "NUMBER", .min_operands = 1,
                                       .max_operands = 1, .options = options, .num_options = num,
                                       .examples = examples};
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &operands);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (!lb_ctl_intake_number(operands.items[0], &answering.number))
        return lb_ctl_intake_number_missing(env, answer->command);
    return lb_ctl_desk_finish(&answering.desk, say(&answering));
}

int lb_ctl_intake_accept(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct answer answer = {
        "intake accept", "take a submission on, under the department's own number", "受理并给出受理号",
        LIANBAN__V1__WORD__KIND__ACCEPTED, "rt", "r",
        "lianban intake accept 17 --officer clerk.yaml --reference 2026-0417 --ack"};
    return run(env, &answer, argc, argv);
}

int lb_ctl_intake_return(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct answer answer = {
        "intake return", "do not take a submission on: why, and by which law", "不予受理：理由与依据",
        LIANBAN__V1__WORD__KIND__RETURNED, "lt", "lt",
        "lianban intake return 17 --officer clerk.yaml --law SAL45 --text why.json"};
    return run(env, &answer, argc, argv);
}

int lb_ctl_intake_ask(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct answer answer = {
        "intake ask", "ask for what is missing, once and for all of it", "一次性告知需补正的内容",
        LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED, "ut", "ut",
        "lianban intake ask 17 --officer clerk.yaml --until 2026-12-01 --text missing.json"};
    return run(env, &answer, argc, argv);
}

int lb_ctl_intake_decide(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct answer answer = {
        "intake decide", "say how a submission was decided; a refusal has its reason and law",
        "作出决定；不予的须有理由与依据", LIANBAN__V1__WORD__KIND__DECIDED, "orltf", "o",
        "lianban intake decide 17 --officer clerk.yaml --outcome granted"};
    return run(env, &answer, argc, argv);
}

int lb_ctl_intake_withdrawn(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct answer answer = {
        "intake withdrawn", "say that the citizen's withdrawal took effect", "确认本人撤回已生效",
        LIANBAN__V1__WORD__KIND__WITHDRAWN, "t", "",
        "lianban intake withdrawn 17 --officer clerk.yaml"};
    return run(env, &answer, argc, argv);
}

int lb_ctl_intake_correct(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct answer answer = {
        "intake correct", "correct what was said: a record behind it, never an edit",
        "更正先前的答复：另立记录，不改原文", LIANBAN__V1__WORD__KIND__CORRECTED, "orltf", "t",
        "lianban intake correct 17 --officer clerk.yaml --outcome granted --text why.json"};
    return run(env, &answer, argc, argv);
}

/* --- of a trigger's signal: what came of reaching out, and nothing else --- */

int lb_ctl_intake_contacted(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct answer answer = {
        "intake contacted",
        "of a signal: the person was told, and asked whether they want to apply",
        "线索：已联系本人并告知可申请", LIANBAN__V1__WORD__KIND__CONTACTED, "", "",
        "lianban intake contacted 21 --officer clerk.yaml"};
    return run(env, &answer, argc, argv);
}

int lb_ctl_intake_applied(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct answer answer = {
        "intake applied", "of a signal: the person agreed, and an application is open",
        "线索：本人同意，已受理申请", LIANBAN__V1__WORD__KIND__APPLIED, "r", "",
        "lianban intake applied 21 --officer clerk.yaml --reference 2026-0420"};
    return run(env, &answer, argc, argv);
}

int lb_ctl_intake_declined(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct answer answer = {
        "intake declined", "of a signal: the person does not want to; nothing follows from it",
        "线索：本人不愿申请，不产生任何影响", LIANBAN__V1__WORD__KIND__DECLINED, "", "",
        "lianban intake declined 21 --officer clerk.yaml"};
    return run(env, &answer, argc, argv);
}

int lb_ctl_intake_not_reached(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct answer answer = {
        "intake not-reached", "of a signal: the person could not be found", "线索：未能联系到本人",
        LIANBAN__V1__WORD__KIND__NOT_REACHED, "", "",
        "lianban intake not-reached 21 --officer clerk.yaml"};
    return run(env, &answer, argc, argv);
}
