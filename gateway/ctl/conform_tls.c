#include "gateway/ctl/conform.h"

#include <string.h>

#include "gateway/crypto/tls_probe.h"
#include "gateway/crypto/x509.h"

/* Who gets past the door. */

#define STEP_MS 10000
#define HOUR_S INT64_C(3600)

struct identity {
    struct lb_span cert, key;
};

static const char *found_name(enum lb_tls_found found)
{
    static const char *const names[] = {"refused", "served", "silent"};
    return names[found];
}

static lb_status knock(struct lb_ctl_kit *kit, const struct identity *identity, int version,
                       const char *ciphers, const char **out_found)
{
    enum lb_tls_found found = LB_TLS_SILENT;
    const struct lb_tls_probe probe = {
        .address = kit->address, .plain = version == 0, .version = version, .ciphers = ciphers,
        .cert_pem = identity->cert, .key_pem = identity->key, .timeout_ms = STEP_MS};
    LB_TRY(lb_tls_probe_run(&probe, &found));
    *out_found = found_name(found);
    return LB_OK;
}

static lb_status stored(struct lb_ctl_kit *kit, const char *cert, const char *key,
                        struct identity *out)
{
    LB_TRY(lb_ctl_kit_file(kit, cert, &out->cert));
    return lb_ctl_kit_file(kit, key, &out->key);
}

static lb_status broker(struct lb_ctl_kit *kit, struct identity *out)
{
    return stored(kit, "broker/cert.pem", "broker/key.pem", out);
}

/* A certificate for this check, by the rehearsal's CA. */
static lb_status made(struct lb_ctl_kit *kit, const char *spiffe, int64_t lifetime_s,
                      struct identity *out)
{
    struct identity ca;
    const struct lb_ca_issue_options options = {
        .spiffe = spiffe, .now_unix_s = lb_clock_unix_s(kit->env->clock),
        .lifetime_s = lifetime_s};
    LB_TRY(stored(kit, "pki/ca.pem", "pki/ca-key.pem", &ca));
    return lb_ca_issue(ca.cert, ca.key, &options, kit->check_arena, &out->cert, &out->key);
}

static lb_status tls13(struct lb_ctl_kit *kit, const char **out_found)
{
    struct identity identity;
    LB_TRY(broker(kit, &identity));
    return knock(kit, &identity, 13, NULL, out_found);
}

static lb_status tls12(struct lb_ctl_kit *kit, const char **out_found)
{
    struct identity identity;
    LB_TRY(broker(kit, &identity));
    return knock(kit, &identity, 12, "ECDHE+AESGCM", out_found);
}

static lb_status tls12_cbc(struct lb_ctl_kit *kit, const char **out_found)
{
    struct identity identity;
    LB_TRY(broker(kit, &identity));
    return knock(kit, &identity, 12, "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA", out_found);
}

static lb_status tls11(struct lb_ctl_kit *kit, const char **out_found)
{
    struct identity identity;
    LB_TRY(broker(kit, &identity));
    return knock(kit, &identity, 11, NULL, out_found);
}

static lb_status tls10(struct lb_ctl_kit *kit, const char **out_found)
{
    struct identity identity;
    LB_TRY(broker(kit, &identity));
    return knock(kit, &identity, 10, NULL, out_found);
}

static lb_status plain(struct lb_ctl_kit *kit, const char **out_found)
{
    const struct identity nobody = {LB_SPAN_EMPTY, LB_SPAN_EMPTY};
    return knock(kit, &nobody, 0, NULL, out_found);
}

static lb_status no_certificate(struct lb_ctl_kit *kit, const char **out_found)
{
    const struct identity nobody = {LB_SPAN_EMPTY, LB_SPAN_EMPTY};
    return knock(kit, &nobody, 13, NULL, out_found);
}

static lb_status no_certificate_12(struct lb_ctl_kit *kit, const char **out_found)
{
    const struct identity nobody = {LB_SPAN_EMPTY, LB_SPAN_EMPTY};
    return knock(kit, &nobody, 12, "ECDHE+AESGCM", out_found);
}

static lb_status other_ca(struct lb_ctl_kit *kit, const char **out_found)
{
    static const struct lb_ca_name name = {"Conformance", "another CA"};
    int64_t now = lb_clock_unix_s(kit->env->clock);
    const struct lb_ca_issue_options options = {
        .spiffe = LB_CTL_KIT_BROKER_ID, .now_unix_s = now, .lifetime_s = HOUR_S};
    struct identity ca, identity;
    LB_TRY(lb_ca_create(&name, now, 1, kit->check_arena, &ca.cert, &ca.key));
    LB_TRY(lb_ca_issue(ca.cert, ca.key, &options, kit->check_arena, &identity.cert,
                       &identity.key));
    return knock(kit, &identity, 13, NULL, out_found);
}

static lb_status expired(struct lb_ctl_kit *kit, const char **out_found)
{
    struct identity identity;
    LB_TRY(made(kit, LB_CTL_KIT_BROKER_ID, -HOUR_S, &identity));
    return knock(kit, &identity, 13, NULL, out_found);
}

static lb_status unlisted(struct lb_ctl_kit *kit, const char **out_found)
{
    struct identity identity;
    LB_TRY(made(kit, LB_CTL_KIT_FEDERATION "broker/kit-unlisted", HOUR_S, &identity));
    return knock(kit, &identity, 13, NULL, out_found);
}

static lb_status other_federation(struct lb_ctl_kit *kit, const char **out_found)
{
    struct identity identity;
    LB_TRY(made(kit, "spiffe://elsewhere.test/broker/kit-broker", HOUR_S, &identity));
    return knock(kit, &identity, 13, NULL, out_found);
}

static lb_status revoked(struct lb_ctl_kit *kit, const char **out_found)
{
    struct identity identity;
    LB_TRY(stored(kit, "revoked/cert.pem", "revoked/key.pem", &identity));
    return knock(kit, &identity, 13, NULL, out_found);
}

/* Let in, and then bytes that are no HTTP/2: the adapter has to end it and to go on. */
static lb_status garbage(struct lb_ctl_kit *kit, const char **out_found)
{
    static uint8_t noise[16384];
    enum lb_tls_found found = LB_TLS_SILENT;
    struct identity identity;
    const char *after = "";
    memset(noise, 0xa5, sizeof(noise));
    LB_TRY(broker(kit, &identity));
    const struct lb_tls_probe probe = {
        .address = kit->address, .version = 13, .cert_pem = identity.cert,
        .key_pem = identity.key, .send = lb_span_of(noise, sizeof(noise)),
        .timeout_ms = STEP_MS};
    LB_TRY(lb_tls_probe_run(&probe, &found));
    LB_TRY(tls13(kit, &after));
    *out_found = after;
    return LB_OK;
}

const struct lb_ctl_check lb_ctl_checks_tls[] = {
    {"tls.13", "TLS 1.3 with a member's certificate", "以成员证书使用 TLS 1.3", "served",
     .run = tls13},
    {"tls.12", "TLS 1.2 with ECDHE and AEAD", "TLS 1.2（ECDHE 与 AEAD）", "served", .run = tls12},
    {"tls.12-cbc", "TLS 1.2 with CBC ciphers alone", "仅 CBC 套件的 TLS 1.2", "refused",
     .run = tls12_cbc},
    {"tls.11", "TLS 1.1", "TLS 1.1", "refused", .run = tls11},
    {"tls.10", "TLS 1.0", "TLS 1.0", "refused", .run = tls10},
    {"tls.plain", "HTTP/2 without TLS", "未加密的 HTTP/2", "refused", .run = plain},
    {"tls.no-certificate", "no certificate", "没有证书", "refused", .run = no_certificate},
    {"tls.no-certificate-12", "no certificate under TLS 1.2", "TLS 1.2 下没有证书", "refused",
     .run = no_certificate_12},
    {"tls.other-ca", "the broker's name by another CA", "其他证书机构签发的同名证书", "refused",
     .run = other_ca},
    {"tls.expired", "a certificate whose time is over", "证书已过期", "refused", .run = expired},
    {"tls.revoked", "a revoked certificate", "已吊销的证书", "refused", .run = revoked},
    {"tls.unlisted", "a broker that the directory does not list", "目录未列出的中转方", "refused",
     .run = unlisted},
    {"tls.other-federation", "a member of another federation", "其他联盟的成员", "refused",
     .run = other_federation},
    {"tls.garbage", "garbage after the handshake, then an honest caller",
     "握手后的乱码与随后的正常连接", "served", .run = garbage},
    {.id = NULL},
};
