#include "certs/directory_command.h"

#include <inttypes.h>
#include <unistd.h>

#include "certs/directory_tools.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/note/note.h"
#include "gateway/trust/directory.h"
#include "gateway/trust/keys.h"
#include "gateway/trust/state.h"

#define MAX_VERIFIERS 32

static lb_status read_note(struct lb_tool *tool, const char *path, struct lb_span *out)
{
    return lb_tool_explain(tool, lb_file_read(path, LB_MAX_DIRECTORY_BYTES, tool->arena, out),
                           "%s: cannot be read", path);
}

/* A note is its text, a blank line, and signature lines: the text ends before the last blank
 * line. */
static struct lb_span text_of(struct lb_span note)
{
    for (size_t i = note.len; i >= 2; i--) {
        if (note.ptr[i - 1] == '\n' && note.ptr[i - 2] == '\n')
            return lb_span_of(note.ptr, i - 1);
    }
    return LB_SPAN_EMPTY;
}

/* --- sign --- */

struct sign_options {
    const char *text;
    const char *note;
    const char *key;
    const char *name;
    const char *out;
};

static lb_status read_sign_options(struct lb_tool *tool, int argc, char **argv,
                                   struct sign_options *o)
{
    const struct lb_option options[] = {
        {.name = "--text", .kind = LB_OPTION_TEXT, .target = &o->text},
        {.name = "--note", .kind = LB_OPTION_TEXT, .target = &o->note},
        {.name = "--key", .kind = LB_OPTION_TEXT, .required = true, .target = &o->key},
        {.name = "--name", .kind = LB_OPTION_TEXT, .required = true, .target = &o->name},
        {.name = "--out", .kind = LB_OPTION_TEXT, .required = true, .target = &o->out},
    };
    LB_TRY(lb_tool_options(tool, argc, argv, options, 5));
    if ((o->text == NULL) == (o->note == NULL))
        return lb_tool_usage(tool, "give --text or --note");
    return LB_OK;
}

static void free_sign_key(struct lb_sign_key **key)
{
    lb_sign_key_free(*key);
}

/* Nothing is signed that a node would refuse. */
static lb_status check_before_signing(struct lb_tool *tool, struct lb_span text)
{
    struct lb_directory *directory = NULL;
    LB_TRY(lb_directory_check_text(text, lb_clock_unix_s(tool->clock), &tool->diag, &directory));
    lb_directory_unref(directory);
    return LB_OK;
}

static lb_status run_sign(struct lb_tool *tool, int argc, char **argv)
{
    struct sign_options options = {0};
    LB_TRY(read_sign_options(tool, argc, argv, &options));
    bool existing = options.note != NULL;
    const char *source = existing ? options.note : options.text;
    struct lb_span content;
    struct lb_span signed_note;
    LB_TRY(read_note(tool, source, &content));
    LB_TRY(check_before_signing(tool, existing ? text_of(content) : content));
    LB_DEFER(free_sign_key) struct lb_sign_key *key = NULL;
    LB_TRY(lb_tool_explain(tool, lb_keys_load_sign(options.key, LB_SIGN_ED25519, &key),
                           "%s: is no Ed25519 key, or is open to others (chmod 600)", options.key));
    LB_TRY(lb_tool_explain(tool,
                           lb_note_sign(content, existing, options.name, key, tool->arena,
                                        &signed_note),
                           "%s: cannot be signed under the name %s", source, options.name));
    LB_TRY(lb_tool_explain(tool, lb_file_write(options.out, signed_note, 0644),
                           "%s: cannot be written", options.out));
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "out", options.out);
    lb_json_set_cstr(result, "signed_by", options.name);
    return lb_tool_result(tool, result);
}

/* --- verify --- */

struct verifiers {
    struct lb_note_verifier list[MAX_VERIFIERS];
    size_t num;
};

static void verifiers_cleanup(struct verifiers *verifiers)
{
    for (size_t i = 0; i < verifiers->num; i++)
        lb_note_verifier_cleanup(&verifiers->list[i]);
}

/* A verifier key, given itself or as the name of a file that holds it. */
static lb_status add_verifier(struct lb_tool *tool, const char *given, struct verifiers *out)
{
    struct lb_span text = lb_span_str(given);
    if (out->num == MAX_VERIFIERS)
        return lb_tool_usage(tool, "--vkey is given more than %d times", MAX_VERIFIERS);
    if (access(given, F_OK) == 0) {
        LB_TRY(read_note(tool, given, &text));
        while (text.len > 0 && text.ptr[text.len - 1] == '\n')
            text.len--;
    }
    if (lb_note_verifier_parse(text, &out->list[out->num]) != LB_OK)
        return lb_tool_usage(tool, "--vkey %.128s: is neither a verifier key nor a file with one",
                             given);
    out->num++;
    return LB_OK;
}

static void set_summary(struct lb_json *result, const struct lb_directory *directory)
{
    char hex[65];
    lb_hex_encode(lb_span_of(directory->sha256, 32), hex);
    lb_json_set_cstr(result, "federation", directory->federation);
    lb_json_set_int(result, "version", (int64_t)directory->version);
    lb_tool_set_time(result, "issued", "issued_text", directory->issued);
    lb_tool_set_time(result, "expires", "expires_text", directory->expires);
    lb_json_set_cstr(result, "sha256", hex);
}

static lb_status run_verify(struct lb_tool *tool, int argc, char **argv)
{
    const char *path = NULL;
    const char *state = NULL;
    struct lb_tool_list vkeys = {.num = 0};
    const struct lb_option options[] = {
        {.name = "--note", .kind = LB_OPTION_TEXT, .required = true, .target = &path},
        {.name = "--vkey", .kind = LB_OPTION_LIST, .required = true, .target = &vkeys},
        {.name = "--state", .kind = LB_OPTION_TEXT, .target = &state},
    };
    LB_DEFER(verifiers_cleanup) struct verifiers verifiers = {.num = 0};
    struct lb_span note;
    struct lb_directory *directory = NULL;
    LB_TRY(lb_tool_options(tool, argc, argv, options, 3));
    for (size_t i = 0; i < vkeys.num; i++)
        LB_TRY(add_verifier(tool, vkeys.items[i], &verifiers));
    LB_TRY(read_note(tool, path, &note));
    LB_TRY(lb_directory_open(note, verifiers.list, verifiers.num, lb_clock_unix_s(tool->clock),
                             &tool->diag, &directory));
    struct lb_json *result = lb_json_object();
    set_summary(result, directory);
    lb_status status = state == NULL ? LB_OK : lb_trust_admit(state, directory, false, &tool->diag);
    lb_directory_unref(directory);
    if (status != LB_OK) {
        lb_json_free(result);
        return status;
    }
    lb_json_set_cstr(result, "state", state == NULL ? "verified" : "verified and acceptable there");
    return lb_tool_result(tool, result);
}

/* --- show --- */

static void add_nodes(struct lb_json *result, const struct lb_directory *directory)
{
    struct lb_json *nodes = lb_json_array();
    for (size_t i = 0; i < directory->num_nodes; i++) {
        const struct lb_node *node = &directory->nodes[i];
        struct lb_json *item = lb_json_object();
        lb_json_set_cstr(item, "spiffe", node->spiffe);
        lb_json_set_cstr(item, "endpoint", node->endpoint);
        lb_json_set_cstr(item, "log", node->log_origin == NULL ? "no" : "yes");
        lb_json_set_int(item, "seal_keys", (int64_t)node->num_seal_keys);
        lb_json_set_int(item, "share_keys", (int64_t)node->num_share_keys);
        lb_json_append(nodes, item);
    }
    lb_json_set(result, "nodes", nodes);
}

static void add_issuers(struct lb_json *result, const struct lb_directory *directory)
{
    struct lb_json *issuers = lb_json_array();
    for (size_t i = 0; i < directory->num_issuers; i++) {
        const struct lb_issuer *issuer = &directory->issuers[i];
        struct lb_json *item = lb_json_object();
        lb_json_set_cstr(item, "organization", issuer->organization);
        lb_json_set_cstr(item, "kid", issuer->kid);
        lb_json_set_cstr(item, "consent", (issuer->kinds & LB_ISSUES_CONSENT) ? "yes" : "no");
        lb_json_set_cstr(item, "mandate", (issuer->kinds & LB_ISSUES_MANDATE) ? "yes" : "no");
        lb_json_set_cstr(item, "operator", (issuer->kinds & LB_ISSUES_OPERATOR) ? "yes" : "no");
        lb_json_append(issuers, item);
    }
    lb_json_set(result, "issuers", issuers);
}

static void add_listed(struct lb_json *result, const char *key, const struct lb_listed *list,
                       size_t num)
{
    struct lb_json *array = lb_json_array();
    for (size_t i = 0; i < num; i++) {
        char hex[65];
        struct lb_json *item = lb_json_object();
        lb_hex_encode(lb_span_of(list[i].sha256, 32), hex);
        lb_json_set_cstr(item, "id", list[i].id);
        lb_json_set_int(item, "version", list[i].version);
        lb_json_set_cstr(item, "sha256", hex);
        lb_json_append(array, item);
    }
    lb_json_set(result, key, array);
}

/* An old or a not yet valid directory can be shown too: it is read as of its own date. */
static lb_status read_for_show(struct lb_tool *tool, struct lb_span text,
                               struct lb_directory **out_directory)
{
    int64_t issued = 0;
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    if (lb_json_parse(text, &json) == LB_OK && lb_json_is_object(json))
        lb_status_ignore(
            lb_json_get_int(json, "issued", &issued)); /* told below if it is missing */
    return lb_directory_check_text(text, issued, &tool->diag, out_directory);
}

static lb_status run_show(struct lb_tool *tool, int argc, char **argv)
{
    const char *path = NULL;
    const struct lb_option options[] = {
        {.name = "--note", .kind = LB_OPTION_TEXT, .required = true, .target = &path},
    };
    struct lb_span note;
    struct lb_directory *directory = NULL;
    LB_TRY(lb_tool_options(tool, argc, argv, options, 1));
    LB_TRY(read_note(tool, path, &note));
    struct lb_span text = text_of(note);
    LB_TRY(read_for_show(tool, text.len == 0 ? note : text, &directory));
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "signature", "not checked; use lianban directory verify");
    set_summary(result, directory);
    add_nodes(result, directory);
    add_issuers(result, directory);
    add_listed(result, "forms", directory->forms, directory->num_forms);
    add_listed(result, "rules", directory->rules, directory->num_rules);
    add_listed(result, "views", directory->views, directory->num_views);
    lb_directory_unref(directory);
    return lb_tool_result(tool, result);
}

/* --- help --- */

static const struct lb_tool_command commands[] = {
    {"build",
     "lianban directory build --from FILE.yaml --out TEXT [--json]\n\n"
     "Makes the unsigned text of a directory from a file people write. Files it names are\n"
     "relative to it:\n\n"
     "  federation: city.gov\n"
     "  version: 4                     # rises with every change\n"
     "  days: 365                      # how long it holds; default 365\n"
     "  signers: [old.vkey, new.vkey]  # who may sign the next one; leave out for no change\n"
     "  ca: [pki/ca.pem]\n"
     "  organizations:\n"
     "    - {id: tax, zh: 税务, en: Tax Bureau}\n"
     "  nodes:\n"
     "    - spiffe: spiffe://city.gov/adapter/tax/one\n"
     "      endpoint: 10.0.0.5:7443    # leave out if it does not listen\n"
     "      log_key: tax/log.vkey      # leave out if it keeps no log\n"
     "      log_before: [tax/was.json] # from lianban keys handover, if the log key is a new one\n"
     "      seal_keys: [tax/seal.json] # from lianban keys rotate or lianban directory seal-key\n"
     "      share_keys: [tax/share.json] # from lianban directory share-key; leave out for none\n"
     "  issuers:\n"
     "    - {organization: tax, kid: tax-1, key: tax/issuer.json, kinds: [mandate, operator]}\n"
     "      # for a key that comes after another: before: [tax/was.json], of keys handover\n"
     "  forms:                         # rules, views: the same\n"
     "    - {id: social-assistance, version: 2, file: forms/social-assistance.yaml}\n"
     "\nExample:\n  lianban directory build --from directory.yaml --out directory.txt\n",
     lb_directory_run_build},
    {"seal-key",
     "lianban directory seal-key --id SPIFFE --log-key FILE --seal-key FILE [--not-after DAYS]\n"
     "                           [--key-id ID] [--like ENTRY] [--out FILE]\n\n"
     "Run at the node: signs its sealing key with its own log key, so that whoever signs the\n"
     "directory cannot swap it. Prints the entry as JSON.\n\n"
     "  --not-after DAYS  how long the key is used: 1 to 7, default 7\n"
     "  --key-id ID       default: from the key's hash\n"
     "  --like ENTRY      id and end as in this entry, which is signed anew\n"
     "\nExample:\n  lianban directory seal-key --id spiffe://city.gov/adapter/tax/one \\\n"
     "      --log-key log.pem --seal-key seal.key --out seal.json\n",
     lb_directory_run_seal_key},
    {"share-key",
     "lianban directory share-key --id SPIFFE --log-key FILE --share-key FILE [--not-after DAYS]\n"
     "                            [--after SECONDS] [--key-id ID] [--like ENTRY] [--out FILE]\n\n"
     "Run at an adapter: signs the key under which its department takes part in blind household\n"
     "sums. Prints the entry as JSON.\n\n"
     "  --not-after DAYS  how long the key is used, default 180\n"
     "  --after SECONDS   from when; for a key that comes after another, and longer than the\n"
     "                    directory needs to reach all; default: from ever\n"
     "  --key-id ID       default: from the key's hash\n"
     "  --like ENTRY      id and times as in this entry, which is signed anew\n"
     "\nExample:\n  lianban directory share-key --id spiffe://city.gov/adapter/tax/one \\\n"
     "      --log-key log.pem --share-key share.key --out share.json\n",
     lb_directory_run_share_key},
    {"sign",
     "lianban directory sign (--text TEXT | --note NOTE) --key FILE --name NAME\n"
     "                       --out NOTE [--json]\n\n"
     "Signs a text, or adds a signature to a note. What a node would refuse is not signed. Keep\n"
     "the key off every broker.\n\n"
     "  --name NAME       the signer's name, as in its verifier key\n"
     "\nExample:\n  lianban directory sign --text directory.txt --key directory.pem \\\n"
     "      --name city.gov/directory --out directory.note\n",
     run_sign},
    {"verify",
     "lianban directory verify --note NOTE --vkey VKEY|FILE... [--state FOLDER] [--json]\n\n"
     "Checks signature, content and time; with a node's state folder also that the node would not\n"
     "refuse it as old or for a changed key. Nothing is written.\n"
     "\nExample:\n  lianban directory verify --note directory.note --vkey directory.vkey\n",
     run_verify},
    {"show",
     "lianban directory show --note NOTE|TEXT [--json]\n\n"
     "Shows what a directory names, without checking who signed it.\n"
     "\nExample:\n  lianban directory show --note directory.note\n",
     run_show},
};

const struct lb_tool_set lb_directory_tools = {
    .name = "directory",
    .help = "lianban directory: the signed list of members and their keys.\n",
    .commands = commands,
    .num_commands = sizeof(commands) / sizeof(commands[0]),
};

int lb_directory_command(int argc, char **argv)
{
    return lb_tool_run(&lb_directory_tools, argc, argv, stdout, stderr);
}
