#include "certs/keys_rotate.h"

#include <unistd.h>

#include "certs/seal_entry.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/limits.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/note/note.h"
#include "gateway/trust/directory.h"
#include "gateway/trust/handover.h"
#include "gateway/trust/keys.h"


static void free_sign_key(struct lb_sign_key **key)
{
    lb_sign_key_free(*key);
}

static void wipe_x25519(struct lb_x25519_key *key)
{
    lb_wipe(key, sizeof(*key));
}

/* --- rotate: the next sealing or share key, beside a running node --- */

struct rotate {
    const char *folder;
    const char *kind;
    bool shares;
    struct lb_seal_entry_options entry;
};

const char lb_keys_help_rotate[] =
    "lianban keys rotate --folder FOLDER --id SPIFFE --log-key FILE [--kind seal|share]\n"
    "                    [--days N] [--after SECONDS] [--key-id ID] [--json]\n\n"
    "Makes a node's next sealing key in its seal_folder, or share key in its share_folder,\n"
    "with the signed entry for the directory (<id>.key and <id>.json). A running node loads it\n"
    "within a second; publish the entry then, beside the old one's. The old sealing key opens\n"
    "until its end; the old share key serves the sums that were begun before the new one's\n"
    "time. The node destroys either when nothing can need it any more.\n\n"
    "  --folder FOLDER  the node's seal_folder or share_folder\n"
    "  --id SPIFFE      the node\n"
    "  --log-key FILE   its log key, which signs the entry\n"
    "  --kind KIND      seal (default) or share\n"
    "  --days N         seal: 1 to 7, default 7; share: default 180\n"
    "  --after SECONDS  of a share key, from when it is used: longer than the directory needs to\n"
    "                   reach all; default 86400\n"
    "  --key-id ID      default: from the key's hash\n"
    "  --json           print the result as JSON\n"
    "\nExample:\n  lianban keys rotate --folder seal --log-key log.pem \\\n"
    "      --id spiffe://city.gov/adapter/tax/one\n";

static lb_status read_rotate(struct lb_tool *tool, int argc, char **argv, struct rotate *rotate)
{
    struct lb_seal_entry_options *entry = &rotate->entry;
    const struct lb_option options[] = {
        {.name = "--folder", .kind = LB_OPTION_TEXT, .required = true, .target = &rotate->folder},
        {.name = "--id", .kind = LB_OPTION_TEXT, .required = true, .target = &entry->spiffe},
        {.name = "--log-key", .kind = LB_OPTION_TEXT, .required = true,
         .target = &entry->log_key},
        {.name = "--days", .kind = LB_OPTION_INT, .target = &entry->days, .min = 1,
         .max = MAX_SHARE_DAYS},
        {.name = "--key-id", .kind = LB_OPTION_TEXT, .target = &entry->id},
        {.name = "--kind", .kind = LB_OPTION_TEXT, .target = &rotate->kind},
        {.name = "--after", .kind = LB_OPTION_INT, .target = &entry->after_s, .max = MAX_AFTER_S},
    };
    LB_TRY(lb_tool_options(tool, argc, argv, options, 7));
    return lb_seal_entry_check(tool, entry);
}

/* What was not said depends on the kind. */
static lb_status settle_rotate(struct lb_tool *tool, struct rotate *rotate)
{
    struct lb_seal_entry_options *entry = &rotate->entry;
    rotate->shares = strcmp(rotate->kind, "share") == 0;
    if (!rotate->shares && strcmp(rotate->kind, "seal") != 0)
        return lb_tool_usage(tool, "--kind is seal or share");
    if (!rotate->shares && (entry->days > MAX_SEAL_DAYS || entry->after_s > 0))
        return lb_tool_usage(tool, "a sealing key lives 1 to 7 days, and from now on");
    if (entry->days == 0)
        entry->days = rotate->shares ? DEFAULT_SHARE_DAYS : MAX_SEAL_DAYS;
    if (entry->after_s < 0)
        entry->after_s = rotate->shares ? DAY_S : 0;
    return LB_OK;
}

/* The entry first: a key without one would be a key without an end. */
static lb_status write_pair(struct lb_tool *tool, const struct rotate *rotate,
                            const struct lb_x25519_key *key, const char *id,
                            const struct lb_json *entry)
{
    const char *key_path = NULL, *entry_path = NULL;
    struct lb_span text;
    LB_TRY(lb_tool_path(tool, rotate->folder, lb_arena_printf(tool->arena, "%s.key", id),
                        &key_path));
    LB_TRY(lb_tool_path(tool, rotate->folder, lb_arena_printf(tool->arena, "%s.json", id),
                        &entry_path));
    if (access(key_path, F_OK) == 0)
        return lb_tool_fail(tool, "%s exists; take another --key-id", key_path);
    LB_TRY(lb_json_dump(entry, LB_JSON_PRETTY, tool->arena, &text));
    LB_TRY(lb_tool_explain(tool, lb_file_mkdirs(rotate->folder), "%s: cannot be made",
                           rotate->folder));
    LB_TRY(lb_tool_explain(tool, lb_file_write(entry_path, text, 0644), "%s: cannot be written",
                           entry_path));
    return lb_tool_explain(tool, lb_keys_save_x25519(key_path, key), "%s: cannot be written",
                           key_path);
}

lb_status lb_keys_run_rotate(struct lb_tool *tool, int argc, char **argv)
{
    struct rotate rotate = {.kind = "seal", .entry = {.after_s = -1}};
    LB_DEFER(wipe_x25519) struct lb_x25519_key key = {0};
    LB_DEFER(lb_json_freep) struct lb_json *entry = lb_json_object();
    LB_TRY(read_rotate(tool, argc, argv, &rotate));
    LB_TRY(settle_rotate(tool, &rotate));
    LB_TRY(lb_x25519_generate(&key));
    LB_TRY(lb_seal_entry_sign(tool, &rotate.entry, key.public_key,
                              rotate.shares ? lb_share_key_sign : lb_seal_key_sign, entry));
    struct lb_span id;
    LB_TRY(lb_json_get_str(entry, "id", &id));
    LB_TRY(write_pair(tool, &rotate, &key, lb_arena_str(tool->arena, id), entry));
    return lb_tool_result(tool, lb_json_copy(entry));
}

/* --- handover --- */

const char lb_keys_help_handover[] =
    "lianban keys handover --kind log|issuer --from FILE --from-name NAME --to FILE\n"
    "                      --to-name NAME [--out FILE] [--json]\n\n"
    "Run by whose keys they are: the old key signs that the new one comes after it. What is\n"
    "printed goes into the directory beside the new key (log_before, before); nodes that know\n"
    "the old key then take the new one. A key that was stolen does not hand over: tell the\n"
    "members, who accept the new one locally.\n\n"
    "  --from, --to     the private keys, old and new\n"
    "  --from-name, --to-name\n"
    "                   log: the node's SPIFFE id, both times (with ~r1 and so on behind it\n"
    "                   for a log that took the place of a lost one); issuer:\n"
    "                   <organization>/<kid>\n"
    "  --out FILE       write the entry there as well\n"
    "  --json           print the result as JSON\n"
    "\nExample:\n  lianban keys handover --kind issuer --from h1.pem --from-name hall/h1 \\\n"
    "      --to h2.pem --to-name hall/h2 --out h2-before.json\n";

struct handover {
    const char *kind;
    const char *from, *from_name;
    const char *to, *to_name;
    const char *out;
};

/* A log that took the place of a lost one is named as the directory has it, "<SPIFFE id>~r1". */
static const char *node_of(struct lb_tool *tool, const char *name)
{
    const char *node = lb_spiffe_of_log(lb_spiffe_log_origin(name), tool->arena);
    return node == NULL || lb_spiffe_log_origin(name) == name ? name : node;
}

static lb_status read_handover(struct lb_tool *tool, int argc, char **argv, struct handover *h)
{
    const struct lb_option options[] = {
        {.name = "--kind", .kind = LB_OPTION_TEXT, .required = true, .target = &h->kind},
        {.name = "--from", .kind = LB_OPTION_TEXT, .required = true, .target = &h->from},
        {.name = "--from-name", .kind = LB_OPTION_TEXT, .required = true, .target = &h->from_name},
        {.name = "--to", .kind = LB_OPTION_TEXT, .required = true, .target = &h->to},
        {.name = "--to-name", .kind = LB_OPTION_TEXT, .required = true, .target = &h->to_name},
        {.name = "--out", .kind = LB_OPTION_TEXT, .target = &h->out},
    };
    LB_TRY(lb_tool_options(tool, argc, argv, options, 6));
    bool is_log = strcmp(h->kind, "log") == 0;
    if (!is_log && strcmp(h->kind, "issuer") != 0)
        return lb_tool_usage(tool, "--kind is log or issuer");
    if (is_log && strcmp(h->from_name, h->to_name) != 0)
        return lb_tool_usage(tool, "a log key stays with its node: both names are its SPIFFE id");
    if (!is_log && (strchr(h->from_name, '/') == NULL || strchr(h->to_name, '/') == NULL))
        return lb_tool_usage(tool, "an issuer's key is named <organization>/<kid>");
    return LB_OK;
}

/* A key as nodes remember it. */
static lb_status key_text(struct lb_tool *tool, const char *name, const struct lb_sign_key *key,
                          const char **out)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    size_t len = lb_sign_key_public(key, raw);
    if (lb_sign_key_alg(key) == LB_SIGN_ES256) {
        *out = lb_b64url_encode(tool->arena, lb_span_of(raw, len));
    } else {
        LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {0};
        if (lb_note_verifier_init(lb_spiffe_log_origin(name), raw, &verifier) != LB_OK)
            return lb_tool_usage(tool, "--from-name and --to-name take the node's SPIFFE id");
        *out = lb_note_verifier_format(&verifier, tool->arena);
    }
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status load(struct lb_tool *tool, const char *path, enum lb_sign_alg alg,
                      struct lb_sign_key **out)
{
    return lb_tool_explain(tool, lb_keys_load_sign(path, alg, out),
                           "%s: is no key of this kind, or is open to others (chmod 600)", path);
}

static lb_status describe(struct lb_tool *tool, const struct handover *h,
                          const struct lb_sign_key *old, const char *old_text,
                          const uint8_t signature[LB_SIGNATURE_BYTES], struct lb_json *out)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    if (lb_sign_key_alg(old) == LB_SIGN_ED25519) {
        lb_json_set_cstr(out, "log", old_text);
    } else {
        (void)lb_sign_key_public(old, raw);
        lb_json_set_cstr(out, "kid", strchr(h->from_name, '/') + 1);
        lb_json_set_cstr(out, "x", lb_b64url_encode(tool->arena, lb_span_of(raw, 32)));
        lb_json_set_cstr(out, "y", lb_b64url_encode(tool->arena, lb_span_of(raw + 32, 32)));
    }
    const char *text = lb_b64url_encode(tool->arena, lb_span_of(signature, LB_SIGNATURE_BYTES));
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    lb_json_set_cstr(out, "signature", text);
    return LB_OK;
}

lb_status lb_keys_run_handover(struct lb_tool *tool, int argc, char **argv)
{
    struct handover h = {0};
    LB_DEFER(free_sign_key) struct lb_sign_key *old = NULL;
    LB_DEFER(free_sign_key) struct lb_sign_key *new = NULL;
    LB_TRY(read_handover(tool, argc, argv, &h));
    enum lb_sign_alg alg = strcmp(h.kind, "log") == 0 ? LB_SIGN_ED25519 : LB_SIGN_ES256;
    LB_TRY(load(tool, h.from, alg, &old));
    LB_TRY(load(tool, h.to, alg, &new));
    struct lb_handover handover = {.old_name = node_of(tool, h.from_name),
                                   .new_name = node_of(tool, h.to_name)};
    uint8_t signature[LB_SIGNATURE_BYTES];
    LB_TRY(key_text(tool, h.from_name, old, &handover.old_key));
    LB_TRY(key_text(tool, h.to_name, new, &handover.new_key));
    LB_TRY(lb_handover_sign(&handover, old, tool->arena, signature));
    LB_DEFER(lb_json_freep) struct lb_json *entry = lb_json_object();
    LB_TRY(describe(tool, &h, old, handover.old_key, signature, entry));
    struct lb_span text;
    LB_TRY(lb_json_dump(entry, LB_JSON_PRETTY, tool->arena, &text));
    if (h.out != NULL)
        LB_TRY(lb_tool_explain(tool, lb_file_write(h.out, text, 0644), "%s: cannot be written",
                               h.out));
    tool->json = true; /* what is printed is what the directory takes */
    return lb_tool_result(tool, lb_json_copy(entry));
}

/* --- use --- */

const char lb_keys_help_use[] =
    "lianban keys use --folder FOLDER --kid KID [--json]\n\n"
    "Names the issuer's key that a consent office or a window signs with from now on. A\n"
    "running node takes it up within a second, once the directory lists it; until then it goes\n"
    "on with the old one.\n\n"
    "  --folder FOLDER  the issuer folder of the node's configuration, with <kid>.pem\n"
    "  --kid KID        as the directory lists it\n"
    "  --json           print the result as JSON\n"
    "\nExample:\n  lianban keys use --folder issuer --kid hall-2\n";

lb_status lb_keys_run_use(struct lb_tool *tool, int argc, char **argv)
{
    const char *folder = NULL, *kid = NULL, *key_path = NULL, *current = NULL;
    const struct lb_option options[] = {
        {.name = "--folder", .kind = LB_OPTION_TEXT, .required = true, .target = &folder},
        {.name = "--kid", .kind = LB_OPTION_TEXT, .required = true, .target = &kid},
    };
    LB_TRY(lb_tool_options(tool, argc, argv, options, 2));
    LB_DEFER(free_sign_key) struct lb_sign_key *key = NULL;
    LB_TRY(lb_tool_path(tool, folder, lb_arena_printf(tool->arena, "%s.pem", kid), &key_path));
    LB_TRY(load(tool, key_path, LB_SIGN_ES256, &key));
    LB_TRY(lb_tool_path(tool, folder, "current", &current));
    LB_TRY(lb_tool_explain(
        tool,
        lb_file_write(current, lb_span_str(lb_arena_printf(tool->arena, "%s\n", kid)), 0600),
        "%s: cannot be written", current));
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "current", kid);
    return lb_tool_result(tool, result);
}

/* --- destroy --- */

const char lb_keys_help_destroy[] =
    "lianban keys destroy --file FILE [--json]\n\n"
    "Overwrites a private key and removes it. A node that has it as a sealing key forgets it\n"
    "within a second, and what is sealed to it is refused with KEY_RETIRED.\n\n"
    "  --file FILE  the private key\n"
    "  --json       print the result as JSON\n"
    "\nExample:\n  lianban keys destroy --file seal/0123456789abcdef.key\n";

lb_status lb_keys_run_destroy(struct lb_tool *tool, int argc, char **argv)
{
    const char *path = NULL;
    const struct lb_option options[] = {
        {.name = "--file", .kind = LB_OPTION_TEXT, .required = true, .target = &path},
    };
    struct lb_span text;
    LB_TRY(lb_tool_options(tool, argc, argv, options, 1));
    /* Only what looks like a private file of ours: a wrong path must not cost a database. */
    LB_TRY(lb_tool_explain(tool, lb_file_read_secret(path, LB_MAX_PEM_BYTES, tool->arena, &text),
                           "%s: is no private key file (mode 0600)", path));
    bool pem = text.len > 10 && memcmp(text.ptr, "-----BEGIN", 10) == 0;
    bool sealing = text.len > 8 && memcmp(text.ptr, "lianban-", 8) == 0;
    if (!pem && !sealing)
        return lb_tool_fail(tool, "%s: is no private key", path);
    LB_TRY(lb_tool_explain(tool, lb_file_destroy(path), "%s: cannot be destroyed", path));
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "destroyed", path);
    return lb_tool_result(tool, result);
}
