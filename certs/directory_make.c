#include "certs/directory_build.h"
#include "certs/directory_tools.h"
#include "certs/seal_entry.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/trust/directory.h"
#include "gateway/trust/keys.h"


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
    struct lb_seal_entry_options entry;
    const char *own_key;
    const char *out;  /* NULL: standard output only */
};

/* What tells the two kinds apart; a sealing key may not live longer, a share key should not. */
struct key_kind {
    const char *option;
    lb_seal_entry_signer sign;
    int64_t days, max_days;
    bool begins;  /* it may say when */
};

static lb_status read_key_options(struct lb_tool *tool, int argc, char **argv,
                                  const struct key_kind *kind, struct key_options *o)
{
    struct lb_seal_entry_options *entry = &o->entry;
    const struct lb_option options[] = {
        {.name = "--id", .kind = LB_OPTION_TEXT, .required = true, .target = &entry->spiffe},
        {.name = "--log-key", .kind = LB_OPTION_TEXT, .required = true,
         .target = &entry->log_key},
        {.name = kind->option, .kind = LB_OPTION_TEXT, .required = true, .target = &o->own_key},
        {.name = "--key-id", .kind = LB_OPTION_TEXT, .target = &entry->id},
        {.name = "--out", .kind = LB_OPTION_TEXT, .target = &o->out},
        {.name = "--not-after", .kind = LB_OPTION_INT, .target = &entry->days, .min = 1,
         .max = kind->max_days},
        {.name = "--like", .kind = LB_OPTION_TEXT, .target = &entry->like},
        {.name = "--after", .kind = LB_OPTION_INT, .target = &entry->after_s, .max = MAX_AFTER_S},
    };
    LB_TRY(lb_tool_options(tool, argc, argv, options, kind->begins ? 8 : 7));
    return lb_seal_entry_check(tool, entry);
}

static void wipe_x25519(struct lb_x25519_key *key)
{
    lb_wipe(key, sizeof(*key));
}

static lb_status read_public(struct lb_tool *tool, const char *path, uint8_t out[32])
{
    LB_DEFER(wipe_x25519) struct lb_x25519_key key = {0};
    LB_TRY(lb_tool_explain(tool, lb_keys_load_x25519(path, &key),
                           "%s: is no X25519 key, or is open to others (chmod 600)", path));
    memcpy(out, key.public_key, sizeof(key.public_key));
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

static lb_status run_key(struct lb_tool *tool, int argc, char **argv, const struct key_kind *kind)
{
    struct key_options options = {.entry = {.days = kind->days}};
    uint8_t public_key[32];
    LB_TRY(read_key_options(tool, argc, argv, kind, &options));
    LB_TRY(read_public(tool, options.own_key, public_key));
    LB_DEFER(lb_json_freep) struct lb_json *result = lb_json_object();
    LB_TRY(lb_seal_entry_sign(tool, &options.entry, public_key, kind->sign, result));
    LB_TRY(write_entry(tool, options.out, result));
    /* Always JSON: what is printed is what the directory takes. */
    tool->json = true;
    return lb_tool_result(tool, lb_json_copy(result));
}

lb_status lb_directory_run_seal_key(struct lb_tool *tool, int argc, char **argv)
{
    static const struct key_kind kind = {"--seal-key", lb_seal_key_sign, MAX_SEAL_DAYS,
                                         MAX_SEAL_DAYS, false};
    return run_key(tool, argc, argv, &kind);
}

lb_status lb_directory_run_share_key(struct lb_tool *tool, int argc, char **argv)
{
    static const struct key_kind kind = {"--share-key", lb_share_key_sign, DEFAULT_SHARE_DAYS,
                                         MAX_SHARE_DAYS, true};
    return run_key(tool, argc, argv, &kind);
}
