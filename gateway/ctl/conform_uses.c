#include "gateway/ctl/conform.h"

#include <string.h>

#include "gateway/crypto/hash.h"

/* Uses, replays and budgets: reads that are honest by themselves. */

static lb_status send(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask, const char **out_found)
{
    struct lb_ctl_kit_answer answer;
    LB_TRY(lb_ctl_kit_try(kit, ask, &answer));
    *out_found = answer.outer;
    return LB_OK;
}

/* So many honest reads under one grant; the last one's code, or the first that was refused. */
static lb_status repeat(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask, int times,
                        const char **out_found)
{
    for (int i = 0; i < times; i++) {
        LB_TRY(lb_ctl_kit_anew(ask));
        LB_TRY(send(kit, ask, out_found));
        if (strcmp(*out_found, "ANSWERED") != 0)
            return LB_OK;
    }
    return LB_OK;
}

static lb_status same_bytes(struct lb_ctl_kit *kit, const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    struct lb_ctl_kit_read read;
    struct lb_ctl_kit_answer answer;
    LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
    LB_TRY(lb_ctl_kit_build(kit, &ask, &read));
    LB_TRY(lb_ctl_kit_send(kit, &read, &answer));
    if (strcmp(answer.outer, "ANSWERED") == 0)
        LB_TRY(lb_ctl_kit_send(kit, &read, &answer));
    *out_found = answer.outer;
    return LB_OK;
}

/* The same logical request, sealed anew: so many times beside the first. */
static lb_status retries(struct lb_ctl_kit *kit, int times, const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    uint8_t rid[16];
    LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
    ask.section.max_uses = 1;
    memcpy(rid, ask.rid, sizeof(rid));
    for (int i = 0; i <= times; i++) {
        LB_TRY(lb_ctl_kit_anew(&ask));
        memcpy(ask.rid, rid, sizeof(rid));
        LB_TRY(send(kit, &ask, out_found));
        if (strcmp(*out_found, "ANSWERED") != 0)
            return LB_OK;
    }
    return LB_OK;
}

static lb_status three_retries(struct lb_ctl_kit *kit, const char **out_found)
{
    return retries(kit, 3, out_found);
}

static lb_status four_retries(struct lb_ctl_kit *kit, const char **out_found)
{
    return retries(kit, 4, out_found);
}

static lb_status changed(struct lb_ctl_kit *kit, const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    uint8_t rid[16];
    LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
    memcpy(rid, ask.rid, sizeof(rid));
    LB_TRY(send(kit, &ask, out_found));
    if (strcmp(*out_found, "ANSWERED") != 0)
        return LB_OK;
    LB_TRY(lb_ctl_kit_anew(&ask));
    memcpy(ask.rid, rid, sizeof(rid));
    ask.field = "code";
    ask.operator_name = "PASS";
    return send(kit, &ask, out_found);
}

static lb_status used_up(struct lb_ctl_kit *kit, const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
    return repeat(kit, &ask, 3, out_found);
}

static lb_status within_uses(struct lb_ctl_kit *kit, const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
    return repeat(kit, &ask, 2, out_found);
}

/* A view that answers one operator three times an hour; nobody else is counted with this run's. */
static lb_status budget(struct lb_ctl_kit *kit, const char **out_found)
{
    const struct lb_section_field fields[] = {{"present", "EXISTS"}};
    const struct lb_section_view views[] = {{kit->few_view, 1, 1, fields}};
    struct lb_ctl_kit_ask ask;
    LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
    ask.section.views = views;
    ask.section.max_uses = 9;
    ask.views[0] = ask.want_view = kit->few_view;
    LB_TRY(repeat(kit, &ask, 3, out_found));
    if (strcmp(*out_found, "ANSWERED") != 0)
        return LB_OK;
    return repeat(kit, &ask, 1, out_found);
}

/* A yes, a not-found and a refusal because of the person are of one size. */
static lb_status one_size(struct lb_ctl_kit *kit, const char **out_found)
{
    static const char *const persons[] = {"99010119800101201X", "990101197507155515",
                                          "990101198001012018"};
    size_t sizes[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        struct lb_ctl_kit_ask ask;
        struct lb_ctl_kit_answer answer;
        LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
        ask.id_no = ask.granted_id = persons[i];
        LB_TRY(lb_ctl_kit_try(kit, &ask, &answer));
        sizes[i] = answer.sealed.len;
    }
    *out_found = sizes[0] > 0 && sizes[0] == sizes[1] && sizes[1] == sizes[2] ? "one size"
                                                                              : "sizes differ";
    return LB_OK;
}

static lb_status answer_of(struct lb_ctl_kit *kit, const char *id_no, const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    struct lb_ctl_kit_answer answer;
    LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
    ask.id_no = ask.granted_id = id_no;
    LB_TRY(lb_ctl_kit_try(kit, &ask, &answer));
    *out_found = answer.fact == NULL || answer.fact->state != LIANBAN__V1__FACT__STATE__OK
                     ? "no fact"
                 : answer.fact->truth ? "true"
                                      : "false";
    return LB_OK;
}

static lb_status somebody(struct lb_ctl_kit *kit, const char **out_found)
{
    return answer_of(kit, "99010119800101201X", out_found);
}

static lb_status nobody(struct lb_ctl_kit *kit, const char **out_found)
{
    return answer_of(kit, "990101197507155515", out_found);
}

const struct lb_ctl_check lb_ctl_checks_uses[] = {
    {"answer.somebody", "whether the test person is there", "测试人员是否在册", "true",
     .run = somebody},
    {"answer.nobody", "whether somebody else is there", "他人是否在册", "false", .run = nobody},
    {"answer.size", "a yes, a no and a refused person", "肯定、否定与被拒绝的答复", "one size",
     .run = one_size},
    {"replay.bytes", "the same bytes again", "重放同一报文", "REPLAY", .run = same_bytes},
    {"replay.retries", "one request sealed anew three times", "同一请求重新密封三次", "ANSWERED",
     .run = three_retries},
    {"replay.too-many", "the same four times", "重新密封四次", "RETRY_EXHAUSTED",
     .run = four_retries},
    {"replay.changed", "a repeated request that differs from its first", "与首次不同的重复请求",
     "REQUEST_CHANGED", .run = changed},
    {"uses.within", "a grant of two uses, twice", "两次授权使用两次", "ANSWERED",
     .run = within_uses},
    {"uses.beyond", "the same three times", "使用三次", "USE_EXHAUSTED", .run = used_up},
    {"budget.operator", "one answer more than a view gives an operator", "超出视图给经办人的额度",
     "BUDGET_EXHAUSTED", .run = budget},
    {.id = NULL},
};
