#include "gateway/ctl/conform.h"

#include <string.h>

/* Seals, fields and operators: each check is an honest read with one part spoiled. */

#define SPOIL(name_) static lb_status name_(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask)

SPOIL(to_other_key)
{
    ask->seal_to = kit->other_seal.public_key;
    return LB_OK;
}

SPOIL(from_other_key)
{
    ask->sender = &kit->other_seal;
    return LB_OK;
}

SPOIL(bound_to_other_key)
{
    ask->bound_to = &kit->other_seal;
    return LB_OK;
}

SPOIL(retired_key)
{
    (void)kit;
    ask->key_id = "kit-retired";
    return LB_OK;
}

SPOIL(other_number)
{
    (void)kit;
    ask->sealed_seq = 5;
    ask->seq = 6;
    return LB_OK;
}

SPOIL(other_txn)
{
    (void)kit;
    ask->other_txn = true;
    return LB_OK;
}

SPOIL(other_context)
{
    (void)kit;
    ask->other_context = true;
    return LB_OK;
}

SPOIL(cut_short)
{
    (void)kit;
    ask->cut = true;
    return LB_OK;
}

SPOIL(long_ago)
{
    (void)kit;
    ask->sealed_age_s = 400;
    return LB_OK;
}

SPOIL(in_the_future)
{
    (void)kit;
    ask->sealed_age_s = -400;
    return LB_OK;
}

SPOIL(past_deadline)
{
    (void)kit;
    ask->deadline_ms = -1000;
    return LB_OK;
}

SPOIL(deadline_of_tomorrow)
{
    (void)kit;
    ask->deadline_ms = INT64_C(86400000);
    return LB_OK;
}

/* --- the person --- */

SPOIL(other_person)
{
    (void)kit;
    ask->id_no = "990101197507155515";
    return LB_OK;
}

SPOIL(no_person)
{
    (void)kit;
    ask->id_no = ask->granted_id = "990101198001012018"; /* the check character is wrong */
    return LB_OK;
}

SPOIL(other_salt)
{
    struct lb_ctl_kit_read read;
    LB_TRY(lb_ctl_kit_build(kit, ask, &read));
    ask->salt[0] ^= 1;
    return LB_OK;
}

/* --- fields and operators --- */

SPOIL(unknown_view)
{
    char *view = lb_arena_printf(kit->check_arena, "%s.kit-nothing", kit->department);
    LB_ENSURE(view != NULL, LB_NO_MEMORY, "arena is full");
    ask->views[0] = ask->want_view = view;
    return LB_OK;
}

SPOIL(unannounced_view)
{
    ask->want_view = kit->few_view;
    return LB_OK;
}

SPOIL(no_view)
{
    (void)kit;
    ask->no_wants = true;
    return LB_OK;
}

SPOIL(ungranted_field)
{
    (void)kit;
    ask->field = "silent";
    return LB_OK;
}

SPOIL(one_of_two_ungranted)
{
    (void)kit;
    ask->more_field = "silent";
    ask->more_operator = "EXISTS";
    return LB_OK;
}

static lb_status grant_one(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask, const char *field,
                           const char *operator_text, uint32_t version)
{
    struct lb_section_field *fields = lb_arena_alloc(kit->check_arena, sizeof(*fields));
    struct lb_section_view *views = lb_arena_alloc(kit->check_arena, sizeof(*views));
    LB_ENSURE(fields != NULL && views != NULL, LB_NO_MEMORY, "arena is full");
    *fields = (struct lb_section_field){field, operator_text};
    *views = (struct lb_section_view){kit->view, version, 1, fields};
    ask->section.views = views;
    ask->field = field;
    ask->operator_name = operator_text;
    return LB_OK;
}

SPOIL(field_without_rule)
{
    return grant_one(kit, ask, "silent", "EXISTS", 1);
}

SPOIL(field_the_view_lacks)
{
    return grant_one(kit, ask, "nothing", "EXISTS", 1);
}

SPOIL(other_view_version)
{
    return grant_one(kit, ask, "present", "EXISTS", 2);
}

SPOIL(wider_than_view)
{
    return grant_one(kit, ask, "masked", "PASS", 1);
}

SPOIL(wider_than_grant)
{
    LB_TRY(grant_one(kit, ask, "code", "MASK(1,0)", 1));
    ask->operator_name = "PASS";
    return LB_OK;
}

SPOIL(stricter_than_view)
{
    /* What the view allows is granted, and something stricter of it asked. */
    LB_TRY(grant_one(kit, ask, "code", "PASS", 1));
    ask->operator_name = "IN";
    return LB_OK;
}

SPOIL(omitted)
{
    return grant_one(kit, ask, "code", "OMIT", 1);
}

SPOIL(unknown_operator)
{
    (void)kit;
    ask->operator_name = "DUMP";
    return LB_OK;
}

SPOIL(uncalled_claim)
{
    (void)kit;
    ask->claim = "1";
    return LB_OK;
}

SPOIL(one_thing_twice)
{
    (void)kit;
    ask->more_field = "present";
    ask->more_operator = "EXISTS";
    return LB_OK;
}

/* The text that comes for the test person, or the code. */
static lb_status text_of(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask,
                         const char **out_found)
{
    struct lb_ctl_kit_answer answer;
    LB_TRY(lb_ctl_kit_try(kit, ask, &answer));
    *out_found = answer.fact == NULL || answer.fact->kind != LIANBAN__V1__FACT__KIND__TEXT
                     ? answer.outer
                     : answer.fact->text;
    return LB_OK;
}

static lb_status value(struct lb_ctl_kit *kit, const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
    LB_TRY(grant_one(kit, &ask, "code", "PASS", 1));
    return text_of(kit, &ask, out_found);
}

static lb_status masked(struct lb_ctl_kit *kit, const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
    LB_TRY(grant_one(kit, &ask, "masked", "MASK(1,0)", 1));
    ask.operator_name = "MASK";
    ask.args[0] = "1";
    ask.args[1] = "0";
    return text_of(kit, &ask, out_found);
}

/* Two fields asked: two facts. */
SPOIL(two)
{
    (void)kit;
    ask->more_field = "code";
    ask->more_operator = "PASS";
    return LB_OK;
}

const struct lb_ctl_check lb_ctl_checks_seals[] = {
    {"seal.wrong-key", "sealed to another key", "密封给其他密钥", "SEAL_BROKEN",
     .spoil = to_other_key},
    {"seal.stolen-grant", "a stolen grant, sealed with another key", "被盗用的授权",
     "WRONG_REQUESTER", .spoil = from_other_key},
    {"seal.bound-key", "a grant bound to another key than the sealing one", "与密封密钥不符的授权",
     "WRONG_REQUESTER", .spoil = bound_to_other_key},
    {"seal.retired-key", "a key id that the directory does not list", "目录未列出的密封密钥",
     "KEY_RETIRED", .spoil = retired_key},
    {"seal.number", "another number than it was sealed under", "与密封时不同的序号", "SEAL_BROKEN",
     .spoil = other_number},
    {"seal.txn", "another txn than it was sealed with", "与密封时不同的交易号", "SEAL_BROKEN",
     .spoil = other_txn},
    {"seal.context", "a seal in another context", "放入其他上下文的密封", "SEAL_BROKEN",
     .spoil = other_context},
    {"seal.cut", "a seal cut short", "被截短的密封", "SEAL_BROKEN", .spoil = cut_short},
    {"seal.long-ago", "sealed seven minutes ago", "七分钟前的密封", "REQUEST_STALE",
     .spoil = long_ago},
    {"seal.future", "sealed seven minutes from now", "七分钟后的密封", "REQUEST_STALE",
     .spoil = in_the_future},
    {"seal.past-deadline", "past its deadline", "已过时限", "DEADLINE", .spoil = past_deadline},
    {"seal.long-deadline", "a deadline of tomorrow", "时限在次日", "MALFORMED",
     .spoil = deadline_of_tomorrow},
    {"person.other", "one person's grant for another", "拿甲的授权查乙",
     "ANSWERED/SUBJECT_MISMATCH", .spoil = other_person},
    {"person.salt", "another salt than committed to", "与承诺不符的盐值",
     "ANSWERED/SUBJECT_MISMATCH", .spoil = other_salt},
    {"person.invalid", "an identity number that is none", "无效的身份号码", "ANSWERED/ID_INVALID",
     .spoil = no_person},
    {"field.value", "a field under the operator that is granted and allowed", "按授权与政策取得字段",
     "A1", .run = value},
    {"field.masked", "a field that the policy releases masked only", "只允许掩码后提供的字段", "A*",
     .run = masked},
    {"field.two", "two granted fields at once", "一次请求两个字段", "ANSWERED/OK", .spoil = two},
    {"field.view-unknown", "a view that does not exist", "不存在的视图", "VIEW_UNKNOWN",
     .spoil = unknown_view},
    {"field.unannounced", "a view that the open part does not announce", "公开部分未列明的视图",
     "FIELD_NOT_GRANTED", .spoil = unannounced_view},
    {"field.nothing", "a request that asks nothing", "没有任何请求项", "MALFORMED",
     .spoil = no_view},
    {"field.ungranted", "a field beyond the grant", "授权之外的字段", "FIELD_NOT_GRANTED",
     .spoil = ungranted_field},
    {"field.one-of-two", "one field of two beyond the grant", "两项之一超出授权",
     "FIELD_NOT_GRANTED", .spoil = one_of_two_ungranted},
    {"field.no-rule", "a granted field that the view has no rule for", "视图未订规则的字段",
     "PURPOSE_NOT_ALLOWED", .spoil = field_without_rule},
    {"field.lacking", "a granted field that the view lacks", "视图没有的字段", "FIELD_UNKNOWN",
     .spoil = field_the_view_lacks},
    {"field.view-version", "another version of the view", "视图的其他版本", "FIELD_NOT_GRANTED",
     .spoil = other_view_version},
    {"operator.wider-than-view", "granted wider than the view allows", "授权宽于视图所许",
     "OPERATOR_TOO_WEAK", .spoil = wider_than_view},
    {"operator.wider-than-grant", "asked wider than granted", "请求宽于授权", "OPERATOR_TOO_WEAK",
     .spoil = wider_than_grant},
    {"operator.omit", "OMIT asked for", "请求 OMIT", "OPERATOR_TOO_WEAK", .spoil = omitted},
    {"operator.unknown", "an operator that does not exist", "不存在的算子", "OPERATOR_UNKNOWN",
     .spoil = unknown_operator},
    {"operator.arguments", "an operator without its arguments", "缺少参数的算子",
     "OPERATOR_UNKNOWN", .spoil = stricter_than_view},
    {"field.claim", "a claim that no operator takes", "无算子接受的陈述", "MALFORMED",
     .spoil = uncalled_claim},
    {"field.twice", "one thing asked twice", "同一项请求两次", "MALFORMED",
     .spoil = one_thing_twice},
    {.id = NULL},
};
