#include "gateway/ctl/conform.h"

#include <string.h>

#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"

/* Grants and what they say: each check is an honest read with one part spoiled. */

#define SPOIL(name_) static lb_status name_(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask)

SPOIL(honest)
{
    (void)kit, (void)ask;
    return LB_OK;
}

SPOIL(expired)
{
    (void)kit;
    ask->grant.iat = ask->grant.nbf = ask->grant.exp - 7200;
    ask->grant.exp = ask->grant.nbf + 3000;
    return LB_OK;
}

SPOIL(not_yet)
{
    (void)kit;
    ask->grant.nbf += 600;
    return LB_OK;
}

SPOIL(other_audience)
{
    (void)kit;
    ask->audience = LB_CTL_KIT_FEDERATION "adapter/kit-nowhere";
    return LB_OK;
}

SPOIL(section_for_other_instance)
{
    (void)kit;
    ask->section.audience = LB_CTL_KIT_FEDERATION "adapter/kit-nowhere";
    return LB_OK;
}

SPOIL(section_of_other_department)
{
    (void)kit;
    ask->section.provider = "kit-nowhere";
    return LB_OK;
}

SPOIL(unknown_issuer)
{
    (void)kit;
    ask->grant.issuer = "kit-nobody";
    return LB_OK;
}

SPOIL(unaccepted_issuer)
{
    ask->grant.issuer = "kit-stranger";
    ask->grant.kid = "x1";
    ask->grant_key = kit->stranger_key;
    return LB_OK;
}

SPOIL(unknown_kid)
{
    (void)kit;
    ask->grant.kid = "w9";
    return LB_OK;
}

SPOIL(other_key)
{
    ask->grant_key = kit->stranger_key;
    return LB_OK;
}

SPOIL(other_organization)
{
    (void)kit;
    ask->grant.requester = "kit-other";
    return LB_OK;
}

SPOIL(self_consent)
{
    ask->grant.issuer = "kit-window";
    ask->grant.kid = "w1";
    ask->grant_key = kit->window_key;
    return LB_OK;
}

SPOIL(no_status)
{
    (void)kit;
    ask->grant.status_uri = NULL;
    return LB_OK;
}

SPOIL(unknown_status)
{
    (void)kit;
    ask->grant.status_uri = "https://conformance.test/status/9";
    return LB_OK;
}

SPOIL(other_version)
{
    (void)kit;
    ask->section.form_version = 2;
    return LB_OK;
}

SPOIL(changed_form)
{
    (void)kit;
    ask->section.form_sha256[0] ^= 1;
    return LB_OK;
}

SPOIL(other_purpose)
{
    (void)kit;
    ask->section.purpose = "marketing";
    return LB_OK;
}

SPOIL(other_law)
{
    static const char *const laws[] = {"KIT9"};
    (void)kit;
    ask->section.laws = laws;
    return LB_OK;
}

SPOIL(emergency)
{
    (void)kit;
    ask->section.basis = "emergency";
    return LB_OK;
}

SPOIL(weak_proof)
{
    (void)kit;
    ask->section.level = 1;
    return LB_OK;
}

SPOIL(other_section)
{
    struct lb_ctl_kit_ask other = *ask;
    struct lb_ctl_kit_read read;
    other.grant.jti = "conformance-another";
    LB_TRY(lb_ctl_kit_build(kit, &other, &read));
    LB_TRY(lb_ctl_kit_build(kit, ask, &read));
    ask->disclosure = other.disclosure;
    return LB_OK;
}

/* --- a signature that is none --- */

static lb_status issue(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask, struct lb_span *payload)
{
    struct lb_ctl_kit_read read;
    LB_TRY(lb_ctl_kit_build(kit, ask, &read));
    const uint8_t *first = memchr(ask->jwt.ptr, '.', ask->jwt.len);
    LB_ENSURE(first != NULL, LB_GRANT_MALFORMED, "grant");
    size_t rest = ask->jwt.len - (size_t)(first + 1 - ask->jwt.ptr);
    const uint8_t *second = memchr(first + 1, '.', rest);
    LB_ENSURE(second != NULL, LB_GRANT_MALFORMED, "grant");
    *payload = lb_span_of(first + 1, (size_t)(second - first - 1));
    return LB_OK;
}

static lb_status sign_anew(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask, const char *header,
                           bool with_mac)
{
    struct lb_span payload = LB_SPAN_EMPTY;
    uint8_t raw[LB_P256_PUBLIC_BYTES], mac[LB_SHA256_BYTES];
    LB_TRY(issue(kit, ask, &payload));
    char *head = lb_b64url_encode(kit->check_arena, lb_span_str(header));
    LB_ENSURE(head != NULL, LB_NO_MEMORY, "arena is full");
    char *body = lb_arena_printf(kit->check_arena, "%s.%.*s", head, (int)payload.len,
                                 (const char *)payload.ptr);
    LB_ENSURE(body != NULL, LB_NO_MEMORY, "arena is full");
    /* The public key as a secret: what libraries that look at `alg` alone fall for. */
    size_t len = lb_sign_key_public(kit->window_key, raw);
    lb_hmac_sha256(lb_span_of(raw, len), lb_span_str(body), mac);
    char *tail = lb_b64url_encode(kit->check_arena, lb_span_of(mac, sizeof(mac)));
    LB_ENSURE(tail != NULL, LB_NO_MEMORY, "arena is full");
    char *jwt = lb_arena_printf(kit->check_arena, "%s.%s", body, with_mac ? tail : "");
    LB_ENSURE(jwt != NULL, LB_NO_MEMORY, "arena is full");
    ask->jwt = lb_span_str(jwt);
    return LB_OK;
}

SPOIL(alg_none)
{
    return sign_anew(kit, ask, "{\"alg\":\"none\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"w1\"}",
                     false);
}

SPOIL(alg_hs256)
{
    return sign_anew(kit, ask,
                     "{\"alg\":\"HS256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"w1\"}", true);
}

SPOIL(mac_for_signature)
{
    return sign_anew(kit, ask,
                     "{\"alg\":\"ES256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"w1\"}", true);
}

SPOIL(unsigned_grant)
{
    return sign_anew(kit, ask,
                     "{\"alg\":\"ES256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"w1\"}", false);
}

SPOIL(other_typ)
{
    return sign_anew(kit, ask, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"w1\"}", true);
}

/* --- who asks --- */

SPOIL(unknown_requester)
{
    (void)kit;
    ask->requester = LB_CTL_KIT_FEDERATION "window/kit-nobody";
    return LB_OK;
}

SPOIL(unaccepted_requester)
{
    ask->requester = LB_CTL_KIT_OTHER_ID;
    ask->sender = &kit->other_seal;
    return LB_OK;
}

SPOIL(operator_over)
{
    (void)kit;
    ask->operator_life_s = -100;
    return LB_OK;
}

SPOIL(operator_forged)
{
    ask->operator_key = kit->stranger_key;
    return LB_OK;
}

SPOIL(operator_of_office)
{
    ask->operator_org = "kit-office";
    ask->operator_kid = "o1";
    ask->operator_key = kit->office_key;
    return LB_OK;
}

SPOIL(operator_other)
{
    (void)kit;
    ask->operator_person = "ffffffffffffffffffffffffffffffff";
    return LB_OK;
}

const struct lb_ctl_check lb_ctl_checks_grants[] = {
    {"grant.honest", "an honest read under a mandate", "依授权的正常查询", "ANSWERED/OK",
     .spoil = honest},
    {"grant.expired", "a grant whose time is over", "授权已过期", "GRANT_EXPIRED",
     .spoil = expired},
    {"grant.not-yet", "a grant of ten minutes from now", "授权尚未生效", "GRANT_NOT_YET_VALID",
     .spoil = not_yet},
    {"grant.other-audience", "a request for another instance", "发给其他接入端的请求",
     "WRONG_AUDIENCE", .spoil = other_audience},
    {"grant.section-instance", "a section for another instance", "指向其他接入端的授权部分",
     "WRONG_AUDIENCE", .spoil = section_for_other_instance},
    {"grant.section-department", "another department's section", "其他部门的授权部分",
     "WRONG_AUDIENCE", .spoil = section_of_other_department},
    {"grant.section-grant", "a section of another grant", "另一授权的部分", "SECTION_INVALID",
     .spoil = other_section},
    {"grant.issuer-unknown", "an issuer nobody knows", "名录之外的签发方", "ISSUER_UNKNOWN",
     .spoil = unknown_issuer},
    {"grant.issuer-unaccepted", "an issuer that the policy does not name", "政策未认可的签发方",
     "ISSUER_INERT", .spoil = unaccepted_issuer},
    {"grant.kid-unknown", "a key id nobody knows", "未知的密钥编号", "ISSUER_UNKNOWN",
     .spoil = unknown_kid},
    {"grant.other-key", "another issuer's signature", "他人密钥的签名", "SIGNATURE_INVALID",
     .spoil = other_key},
    {"grant.alg-none", "alg none", "alg 为 none", "GRANT_MALFORMED", .spoil = alg_none},
    {"grant.alg-hs256", "HS256 with the public key as secret", "以公钥为密钥的 HS256",
     "GRANT_MALFORMED", .spoil = alg_hs256},
    {"grant.mac", "an HMAC in place of the signature", "以 HMAC 充当签名", "GRANT_MALFORMED",
     .spoil = mac_for_signature},
    {"grant.unsigned", "a grant without a signature", "没有签名的授权", "GRANT_MALFORMED",
     .spoil = unsigned_grant},
    {"grant.typ", "a token of another type", "其他类型的令牌", "GRANT_MALFORMED",
     .spoil = other_typ},
    {"grant.other-organization", "a grant of another organization", "他方机构的授权",
     "WRONG_REQUESTER", .spoil = other_organization},
    {"grant.self-consent", "consent signed by the window itself", "窗口自签的同意", "SELF_CONSENT",
     .spoil = self_consent, .consent = true},
    {"grant.no-status", "consent without a status", "没有状态的同意", "GRANT_MALFORMED",
     .spoil = no_status, .consent = true},
    {"grant.status-unseen", "consent under a status list nobody sent", "状态列表从未送达的同意",
     "STATUS_STALE", .spoil = unknown_status, .consent = true},
    {"grant.form-version", "another version of the form", "表单的其他版本", "FORM_INERT",
     .spoil = other_version},
    {"grant.form-changed", "the form changed under its name", "同名而内容已变的表单", "FORM_INERT",
     .spoil = changed_form},
    {"grant.purpose", "another purpose", "其他目的", "PURPOSE_NOT_ALLOWED", .spoil = other_purpose},
    {"grant.law", "another law", "其他法律依据", "BASIS_NOT_ALLOWED", .spoil = other_law},
    {"grant.emergency", "an emergency in the window's own name", "窗口自称的紧急情形",
     "SELF_CONSENT", .spoil = emergency},
    {"grant.weak-proof", "identity proved too weakly", "身份核验强度不足", "LOA_LOW",
     .spoil = weak_proof},
    {"asker.unknown", "a requester nobody knows", "名录之外的请求方", "REQUESTER_NOT_ALLOWED",
     .spoil = unknown_requester},
    {"asker.unaccepted", "a requester that the policy does not name", "政策未认可的请求方",
     "REQUESTER_NOT_ALLOWED", .spoil = unaccepted_requester},
    {"operator.over", "an operator whose session is over", "经办人登录已过期",
     "OPERATOR_TOKEN_EXPIRED", .spoil = operator_over},
    {"operator.forged", "a forged operator token", "伪造的经办人令牌", "OPERATOR_TOKEN_INVALID",
     .spoil = operator_forged},
    {"operator.office", "an operator of another organization", "其他机构的经办人",
     "OPERATOR_TOKEN_INVALID", .spoil = operator_of_office},
    {"operator.other", "another operator than the grant names", "与授权所列不同的经办人",
     "OPERATOR_TOKEN_INVALID", .spoil = operator_other},
    {.id = NULL},
};
