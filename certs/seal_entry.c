#include "certs/seal_entry.h"

#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/trust/keys.h"

#define DAY_S INT64_C(86400)

lb_status lb_seal_entry_check(struct lb_tool *tool, const struct lb_seal_entry_options *options)
{
    const char *federation = NULL;
    const char *organization = NULL;
    enum lb_node_kind kind;
    if (lb_spiffe_parse(options->spiffe, tool->arena, &federation, &kind, &organization) != LB_OK)
        return lb_tool_usage(tool, "--id takes the node's SPIFFE id");
    return LB_OK;
}

static lb_status make_entry(struct lb_tool *tool, const struct lb_seal_entry_options *options,
                            const uint8_t public_key[32], struct lb_seal_key_entry *out)
{
    uint8_t sha256[32];
    char hex[65];
    lb_sha256(lb_span_of(public_key, 32), sha256);
    lb_hex_encode(lb_span_of(sha256, 32), hex);
    memcpy(out->public_key, public_key, sizeof(out->public_key));
    out->id = options->id != NULL ? options->id : lb_arena_printf(tool->arena, "%.16s", hex);
    LB_ENSURE(out->id != NULL, LB_NO_MEMORY, "arena is full");
    out->not_after = lb_clock_unix_s(tool->clock) + options->days * DAY_S;
    return LB_OK;
}

static void free_sign_key(struct lb_sign_key **key)
{
    lb_sign_key_free(*key);
}

lb_status lb_seal_entry_sign(struct lb_tool *tool, const struct lb_seal_entry_options *options,
                             const uint8_t public_key[32], lb_seal_entry_signer sign,
                             struct lb_json *result)
{
    LB_DEFER(free_sign_key) struct lb_sign_key *log_key = NULL;
    struct lb_seal_key_entry entry = {.id = NULL};
    struct lb_span signature;
    LB_TRY(make_entry(tool, options, public_key, &entry));
    LB_TRY(lb_tool_explain(tool,
                           lb_keys_load_sign(options->log_key, LB_SIGN_ED25519, &log_key),
                           "%s: is no Ed25519 key, or is open to others (chmod 600)",
                           options->log_key));
    LB_TRY(sign(options->spiffe, &entry, log_key, tool->arena, &signature));
    const char *key = lb_b64url_encode(tool->arena, lb_span_of(entry.public_key, 32));
    LB_ENSURE(key != NULL, LB_NO_MEMORY, "arena is full");
    lb_json_set_cstr(result, "id", entry.id);
    lb_json_set_cstr(result, "key", key);
    lb_json_set_int(result, "not_after", entry.not_after);
    lb_json_set_str(result, "signature", signature);
    return LB_OK;
}
