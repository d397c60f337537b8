#include "certs/directory_build.h"
#include "certs/directory_tools.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/trust/directory.h"
#include "gateway/trust/keys.h"

#define DAY_S INT64_C(86400)
#define DEFAULT_KEY_DAYS 180
#define MAX_KEY_DAYS 3650

/* --- build --- */

static lb_status check(struct lb_tool *tool, struct lb_span text)
{
    struct lb_directory *directory = NULL;
    lb_status status =
        lb_directory_check_text(text, lb_clock_unix_s(tool->clock), &tool->diag, &directory);
    lb_directory_unref(directory);
    return status;
}

static lb_status make_text(struct lb_tool *tool, const char *from, struct lb_span *out_text)
{
    LB_DEFER(lb_json_freep) struct lb_json *directory = NULL;
    LB_TRY(lb_directory_from_yaml(tool, from, &directory));
    struct lb_span json;
    LB_TRY(lb_tool_explain(tool, lb_json_dump(directory, LB_JSON_PRETTY, tool->arena, &json),
                           "%s: cannot be written as JSON", from));
    uint8_t *text = lb_arena_alloc(tool->arena, json.len + 1);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    memcpy(text, json.ptr, json.len);
    text[json.len] = '\n';
    *out_text = lb_span_of(text, json.len + 1);
    return check(tool, *out_text);
}

lb_status lb_directory_run_build(struct lb_tool *tool, int argc, char **argv)
{
    const char *from = NULL;
    const char *out = NULL;
    const struct lb_option options[] = {
        {.name = "--from", .kind = LB_OPTION_TEXT, .required = true, .target = &from},
        {.name = "--out", .kind = LB_OPTION_TEXT, .required = true, .target = &out},
    };
    struct lb_span text;
    uint8_t sha256[32];
    char hex[65];
    LB_TRY(lb_tool_options(tool, argc, argv, options, 2));
    LB_TRY(make_text(tool, from, &text));
    LB_TRY(lb_tool_explain(tool, lb_file_write(out, text, 0644), "%s: cannot be written", out));
    lb_sha256(text, sha256);
    lb_hex_encode(lb_span_of(sha256, 32), hex);
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "out", out);
    lb_json_set_cstr(result, "sha256", hex);
    return lb_tool_result(tool, result);
}

/* --- seal-key, share-key --- */

struct key_options {
    const char *spiffe;
    const char *log_key;
    const char *own_key;
    const char *id;   /* NULL: made from the key */
    const char *out;  /* NULL: standard output only */
    int64_t days;
};

static lb_status read_key_options(struct lb_tool *tool, int argc, char **argv,
                                  const char *key_option, struct key_options *o)
{
    const struct lb_option options[] = {
        {.name = "--id", .kind = LB_OPTION_TEXT, .required = true, .target = &o->spiffe},
        {.name = "--log-key", .kind = LB_OPTION_TEXT, .required = true, .target = &o->log_key},
        {.name = key_option, .kind = LB_OPTION_TEXT, .required = true, .target = &o->own_key},
        {.name = "--key-id", .kind = LB_OPTION_TEXT, .target = &o->id},
        {.name = "--out", .kind = LB_OPTION_TEXT, .target = &o->out},
        {.name = "--not-after", .kind = LB_OPTION_INT, .target = &o->days, .min = 1,
         .max = MAX_KEY_DAYS},
    };
    const char *federation = NULL;
    const char *organization = NULL;
    enum lb_node_kind kind;
    LB_TRY(lb_tool_options(tool, argc, argv, options, 6));
    if (lb_spiffe_parse(o->spiffe, tool->arena, &federation, &kind, &organization) != LB_OK)
        return lb_tool_usage(tool, "--id takes the node's SPIFFE id");
    return LB_OK;
}

static void wipe_x25519(struct lb_x25519_key *key)
{
    lb_wipe(key, sizeof(*key));
}

static lb_status load_entry(struct lb_tool *tool, const struct key_options *options,
                            struct lb_seal_key_entry *out_entry)
{
    LB_DEFER(wipe_x25519) struct lb_x25519_key key = {0};
    LB_TRY(lb_tool_explain(tool, lb_keys_load_x25519(options->own_key, &key),
                           "%s: is no X25519 key, or is open to others (chmod 600)",
                           options->own_key));
    uint8_t sha256[32];
    char hex[65];
    lb_sha256(lb_span_of(key.public_key, sizeof(key.public_key)), sha256);
    lb_hex_encode(lb_span_of(sha256, 32), hex);
    memcpy(out_entry->public_key, key.public_key, sizeof(key.public_key));
    out_entry->id = options->id != NULL ? options->id : lb_arena_printf(tool->arena, "%.16s", hex);
    LB_ENSURE(out_entry->id != NULL, LB_NO_MEMORY, "arena is full");
    out_entry->not_after = lb_clock_unix_s(tool->clock) + options->days * DAY_S;
    return LB_OK;
}

static void free_sign_key(struct lb_sign_key **key)
{
    lb_sign_key_free(*key);
}

/* lb_seal_key_sign or lb_share_key_sign. */
typedef lb_status (*sign_key)(const char *spiffe, const struct lb_seal_key_entry *entry,
                              const struct lb_sign_key *log_key, struct lb_arena *arena,
                              struct lb_span *out_signature_b64url);

static lb_status sign_entry(struct lb_tool *tool, const struct key_options *options,
                            const struct lb_seal_key_entry *entry, sign_key sign,
                            struct lb_json *result)
{
    LB_DEFER(free_sign_key) struct lb_sign_key *log_key = NULL;
    struct lb_span signature;
    LB_TRY(lb_tool_explain(tool,
                           lb_keys_load_sign(options->log_key, LB_SIGN_ED25519, &log_key),
                           "%s: is no Ed25519 key, or is open to others (chmod 600)",
                           options->log_key));
    LB_TRY(sign(options->spiffe, entry, log_key, tool->arena, &signature));
    const char *key = lb_b64url_encode(tool->arena, lb_span_of(entry->public_key, 32));
    LB_ENSURE(key != NULL, LB_NO_MEMORY, "arena is full");
    lb_json_set_cstr(result, "id", entry->id);
    lb_json_set_cstr(result, "key", key);
    lb_json_set_int(result, "not_after", entry->not_after);
    lb_json_set_str(result, "signature", signature);
    return LB_OK;
}

static lb_status write_entry(struct lb_tool *tool, const char *path, const struct lb_json *entry)
{
    struct lb_span text;
    if (path == NULL)
        return LB_OK;
    LB_TRY(lb_json_dump(entry, LB_JSON_PRETTY, tool->arena, &text));
    return lb_tool_explain(tool, lb_file_write(path, text, 0644), "%s: cannot be written", path);
}

static lb_status run_key(struct lb_tool *tool, int argc, char **argv, const char *key_option,
                         sign_key sign)
{
    struct key_options options = {.days = DEFAULT_KEY_DAYS};
    struct lb_seal_key_entry entry;
    LB_TRY(read_key_options(tool, argc, argv, key_option, &options));
    LB_TRY(load_entry(tool, &options, &entry));
    LB_DEFER(lb_json_freep) struct lb_json *result = lb_json_object();
    LB_TRY(sign_entry(tool, &options, &entry, sign, result));
    LB_TRY(write_entry(tool, options.out, result));
    /* Always JSON: what is printed is what the directory takes. */
    tool->json = true;
    return lb_tool_result(tool, lb_json_copy(result));
}

lb_status lb_directory_run_seal_key(struct lb_tool *tool, int argc, char **argv)
{
    return run_key(tool, argc, argv, "--seal-key", lb_seal_key_sign);
}

lb_status lb_directory_run_share_key(struct lb_tool *tool, int argc, char **argv)
{
    return run_key(tool, argc, argv, "--share-key", lb_share_key_sign);
}
