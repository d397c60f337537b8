#include "gateway/base/hex.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/case_run.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"

/* `case letter`: what the citizen is handed once somebody has decided, or a department has answered
 * a request for a correction. */

struct order {
    struct lb_ctl_case_run run;
    const char *case_id, *agent, *variant;
    int64_t correction;
};

static lb_status print(const struct order *order, const Lianban__V1__GetLetterResponse *letter)
{
    const struct lb_ctl_env *env = order->run.env;
    char hex[65] = "";
    if (!env->json) {
        (void)fputs(letter->text, env->out); /* the very bytes that are hashed */
        return LB_OK;
    }
    LB_ENSURE(letter->sha256.len == 32, LB_MALFORMED, "no hash of the letter");
    lb_hex_encode(lb_span_of(letter->sha256.data, letter->sha256.len), hex);
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "case_id", order->case_id);
    lb_json_set_cstr(json, "variant", order->variant[0] != 0 ? order->variant : "plain");
    lb_json_set_cstr(json, "sha256", hex);
    lb_json_set_cstr(json, "text", letter->text);
    return lb_ctl_print_json(env, json);
}

static lb_status get(void *arg)
{
    struct order *order = arg;
    Lianban__V1__GetLetterRequest request = LIANBAN__V1__GET_LETTER_REQUEST__INIT;
    Lianban__V1__GetLetterResponse *letter = NULL;
    const struct lb_ctl_window_port *port = &order->run.port;
    request.case_id = (char *)(uintptr_t)order->case_id;
    request.language = order->run.env->chinese ? "zh" : "en";
    request.variant = (char *)(uintptr_t)order->variant;
    request.correction = (uint32_t)order->correction;
    LB_TRY(port->ask(port->ctx, "GetLetter", &request,
                     &lianban__v1__get_letter_response__descriptor, order->run.view->arena,
                     &letter));
    return print(order, letter);
}

int lb_ctl_case_letter(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban case letter --case c-0123 --language zh",
        "lianban case letter --case c-0123 --language zh --variant large > letter.html",
        "lianban case letter --case c-0123 --correction 6", NULL};
    struct order order = {
        .run = {.env = env, .command = "case letter"}, .agent = env->agent, .variant = ""};
    const struct lb_ctl_option options[] = {
        lb_ctl_case_option_case(&order.case_id),
        {.name = "variant", .value = "VARIANT", .text = &order.variant,
         .en = "plain (default), large (a page of HTML to print) or aloud (for reading out)",
         .zh = "plain 普通（默认）、large 大字打印版、aloud 朗读稿"},
        {.name = "correction", .value = "RECORD", .number = &order.correction, .min = 1,
         .max = UINT32_MAX, .en = "instead: what a department answered to this request",
         .zh = "改为告知部门对该更正请求的答复"},
        lb_ctl_case_option_agent(&order.agent),
    };
    const struct lb_ctl_usage usage = {
        .command = "case letter", .en = "the letter that tells the citizen the decision",
        .zh = "生成决定书", .options = options, .num_options = 4, .examples = examples};
    const struct lb_ctl_case_frame frame = {&order.run, &usage, &order.agent,
                                                &order.case_id, get, &order};
    return lb_ctl_case_frame_run(&frame, argc, argv);
}
