#include "certs/seal_entry.h"

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/trust/keys.h"

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
    int64_t now = lb_clock_unix_s(tool->clock);
    out->not_before = options->after_s == 0 ? 0 : now + options->after_s;
    out->not_after = now + options->days * DAY_S;
    if (out->not_before >= out->not_after)
        return lb_tool_usage(tool, "the key would be over before it begins");
    return LB_OK;
}

static lb_status parse_like(const struct lb_json *json, struct lb_arena *arena,
                            struct lb_seal_key_entry *out)
{
    struct lb_span id;
    LB_TRY(lb_json_get_str(json, "id", &id));
    LB_TRY(lb_json_get_int(json, "not_after", &out->not_after));
    lb_status status = lb_json_get_int(json, "not_before", &out->not_before);
    if (lb_status_code(status) == LB_ABSENT)
        out->not_before = 0;
    else
        LB_TRY(status);
    out->id = lb_arena_str(arena, id);
    LB_ENSURE(out->id != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* An entry that is signed anew, by another log key, must not change whose turn it is. */
static lb_status keep_times(struct lb_tool *tool, const char *path, struct lb_seal_key_entry *out)
{
    struct lb_span text;
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    LB_TRY(lb_tool_explain(tool, lb_file_read(path, LB_MAX_PEM_BYTES, tool->arena, &text),
                           "%s: cannot be read", path));
    lb_status status = lb_json_parse(text, &json);
    if (status == LB_OK)
        status = parse_like(json, tool->arena, out);
    return lb_tool_explain(tool, status, "%s: is no entry of a key", path);
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
    if (options->like != NULL)
        LB_TRY(keep_times(tool, options->like, &entry));
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
    if (entry.not_before != 0)
        lb_json_set_int(result, "not_before", entry.not_before);
    lb_json_set_str(result, "signature", signature);
    return LB_OK;
}
