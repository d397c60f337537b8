#include "certs/keys.h"

#include <unistd.h>

#include "certs/keys_rotate.h"
#include "certs/keys_tools.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/note/cosign.h"
#include "gateway/trust/directory.h"
#include "gateway/trust/keys.h"

#define SECRET_BYTES 32

struct key_options {
    const char *out;
    const char *name;         /* log and witness keys only */
    const char *public_file;  /* where the public form goes as well; NULL for nowhere */
};

/* How many of the options below a command takes. */
enum { TAKES_OUT = 1, TAKES_PUBLIC = 2, TAKES_NAME = 3 };

static lb_status read_options(struct lb_tool *tool, int argc, char **argv, size_t num,
                              struct key_options *options)
{
    const struct lb_option known[] = {
        {.name = "--out", .kind = LB_OPTION_TEXT, .required = true, .target = &options->out},
        {.name = "--public", .kind = LB_OPTION_TEXT, .target = &options->public_file},
        {.name = "--name", .kind = LB_OPTION_TEXT, .required = true, .target = &options->name},
    };
    LB_TRY(lb_tool_options(tool, argc, argv, known, num));
    if (access(options->out, F_OK) == 0)
        return lb_tool_fail(
            tool, "%s exists; a key that is replaced is lost, so move it away first", options->out);
    return LB_OK;
}

static lb_status write_public(struct lb_tool *tool, const struct key_options *options,
                              const char *text)
{
    if (options->public_file == NULL)
        return LB_OK;
    const char *line = lb_arena_printf(tool->arena, "%s\n", text);
    LB_ENSURE(line != NULL, LB_NO_MEMORY, "arena is full");
    return lb_tool_explain(tool, lb_file_write(options->public_file, lb_span_str(line), 0644),
                           "%s: cannot be written", options->public_file);
}

static void free_sign_key(struct lb_sign_key **key)
{
    lb_sign_key_free(*key);
}

static lb_status new_sign_key(struct lb_tool *tool, enum lb_sign_alg alg, const char *path,
                              struct lb_sign_key **out_key)
{
    LB_TRY(lb_sign_key_generate(alg, out_key));
    return lb_tool_explain(tool, lb_keys_save_sign(path, *out_key), "%s: cannot be written", path);
}

/* --- log and witness --- */

static lb_status format_vkey(struct lb_tool *tool, const char *name,
                             const struct lb_sign_key *key, const char **out_vkey)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(key, raw);
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {0};
    if (lb_note_verifier_init(lb_spiffe_log_origin(name), raw, &verifier) != LB_OK)
        return lb_tool_usage(tool, "--name must be without white space and '+'");
    *out_vkey = lb_note_verifier_format(&verifier, tool->arena);
    LB_ENSURE(*out_vkey != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status format_cosigner(struct lb_tool *tool, const char *name,
                                 const struct lb_sign_key *key, const char **out_vkey)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(key, raw);
    LB_DEFER(lb_cosigner_cleanup) struct lb_cosigner cosigner = {0};
    if (lb_cosigner_init(lb_spiffe_log_origin(name), raw, &cosigner) != LB_OK)
        return lb_tool_usage(tool, "--name must be without white space and '+'");
    *out_vkey = lb_cosigner_format(&cosigner, tool->arena);
    LB_ENSURE(*out_vkey != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* A key with a vkey: a log's or, for cosigning, a witness's. */
static lb_status run_note_key(struct lb_tool *tool, int argc, char **argv, const char *kind)
{
    struct key_options options = {0};
    const char *vkey = NULL;
    LB_TRY(read_options(tool, argc, argv, TAKES_NAME, &options));
    LB_DEFER(free_sign_key) struct lb_sign_key *key = NULL;
    LB_TRY(lb_sign_key_generate(LB_SIGN_ED25519, &key));
    LB_TRY(strcmp(kind, "log") == 0 ? format_vkey(tool, options.name, key, &vkey)
                                    : format_cosigner(tool, options.name, key, &vkey));
    LB_TRY(lb_tool_explain(tool, lb_keys_save_sign(options.out, key), "%s: cannot be written",
                           options.out));
    LB_TRY(write_public(tool, &options, vkey));
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "kind", kind);
    lb_json_set_cstr(result, "file", options.out);
    lb_json_set_cstr(result, "vkey", vkey);
    return lb_tool_result(tool, result);
}

static lb_status run_log(struct lb_tool *tool, int argc, char **argv)
{
    return run_note_key(tool, argc, argv, "log");
}

static lb_status run_witness(struct lb_tool *tool, int argc, char **argv)
{
    return run_note_key(tool, argc, argv, "witness");
}

/* --- issuer and device: P-256 --- */

static lb_status run_p256(struct lb_tool *tool, int argc, char **argv, const char *kind)
{
    struct key_options options = {0};
    LB_TRY(read_options(tool, argc, argv, TAKES_PUBLIC, &options));
    LB_DEFER(free_sign_key) struct lb_sign_key *key = NULL;
    LB_TRY(new_sign_key(tool, LB_SIGN_ES256, options.out, &key));
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(key, raw);
    const char *x = lb_b64url_encode(tool->arena, lb_span_of(raw, 32));
    const char *y = lb_b64url_encode(tool->arena, lb_span_of(raw + 32, 32));
    LB_ENSURE(x != NULL && y != NULL, LB_NO_MEMORY, "arena is full");
    const char *jwk = lb_arena_printf(
        tool->arena, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
    LB_ENSURE(jwk != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(write_public(tool, &options, jwk));
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "kind", kind);
    lb_json_set_cstr(result, "file", options.out);
    lb_json_set_cstr(result, "kty", "EC");
    lb_json_set_cstr(result, "crv", "P-256");
    lb_json_set_cstr(result, "x", x);
    lb_json_set_cstr(result, "y", y);
    return lb_tool_result(tool, result);
}

static lb_status run_issuer(struct lb_tool *tool, int argc, char **argv)
{
    return run_p256(tool, argc, argv, "issuer");
}

static lb_status run_device(struct lb_tool *tool, int argc, char **argv)
{
    return run_p256(tool, argc, argv, "device");
}

/* --- seal, share and officer: X25519 --- */

static void wipe_x25519(struct lb_x25519_key *key)
{
    lb_wipe(key, sizeof(*key));
}

static lb_status run_x25519(struct lb_tool *tool, int argc, char **argv, const char *kind)
{
    struct key_options options = {0};
    LB_TRY(read_options(tool, argc, argv, TAKES_PUBLIC, &options));
    LB_DEFER(wipe_x25519) struct lb_x25519_key key = {0};
    LB_TRY(lb_x25519_generate(&key));
    LB_TRY(lb_tool_explain(tool, lb_keys_save_x25519(options.out, &key), "%s: cannot be written",
                           options.out));
    const char *text =
        lb_b64url_encode(tool->arena, lb_span_of(key.public_key, sizeof(key.public_key)));
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(write_public(tool, &options, text));
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "kind", kind);
    lb_json_set_cstr(result, "file", options.out);
    lb_json_set_cstr(result, "public", text);
    return lb_tool_result(tool, result);
}

static lb_status run_seal(struct lb_tool *tool, int argc, char **argv)
{
    return run_x25519(tool, argc, argv, "seal");
}

static lb_status run_share(struct lb_tool *tool, int argc, char **argv)
{
    return run_x25519(tool, argc, argv, "share");
}

static lb_status run_officer(struct lb_tool *tool, int argc, char **argv)
{
    return run_x25519(tool, argc, argv, "officer");
}

/* --- secret --- */

static lb_status run_secret(struct lb_tool *tool, int argc, char **argv)
{
    struct key_options options = {0};
    LB_TRY(read_options(tool, argc, argv, TAKES_OUT, &options));
    uint8_t raw[SECRET_BYTES];
    LB_TRY(lb_crypto_random(raw, sizeof(raw)));
    char *line = lb_arena_alloc(tool->arena, 2 * SECRET_BYTES + 2);
    LB_ENSURE(line != NULL, LB_NO_MEMORY, "arena is full");
    lb_hex_encode(lb_span_of(raw, sizeof(raw)), line);
    lb_wipe(raw, sizeof(raw));
    line[2 * SECRET_BYTES] = '\n';
    LB_TRY(lb_tool_explain(tool, lb_file_write(options.out, lb_span_str(line), 0600),
                           "%s: cannot be written", options.out));
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "kind", "secret");
    lb_json_set_cstr(result, "file", options.out);
    return lb_tool_result(tool, result);
}

#define COMMON_HELP                                                                                \
    "  --out FILE     the private key, mode 0600; an existing file is refused\n"                   \
    "  --public FILE  write the public form there as well\n"                                       \
    "  --json         print the result as JSON\n"

static const struct lb_tool_command commands[] = {
    {"log",
     "lianban keys log --out FILE --name NAME [--public FILE] [--json]\n\n"
     "Makes an Ed25519 key that signs a node's evidence log, or a directory, and prints\n"
     "its verifier key (vkey).\n\n"
     "  --name NAME    the node's SPIFFE id, or the name of a directory's signer\n" COMMON_HELP
     "\nExamples:\n"
     "  lianban keys log --out log.pem --public log.vkey --name spiffe://city.gov/adapter/tax/one\n"
     "  lianban keys log --out directory.pem --name city.gov/directory\n",
     run_log},
    {"witness",
     "lianban keys witness --out FILE --name NAME [--public FILE] [--json]\n\n"
     "Makes an Ed25519 key with which a node cosigns the logs of others, and prints its verifier\n"
     "key (vkey, cosignature/v1) for their witness policies. It is never the node's log key.\n\n"
     "  --name NAME    the node's SPIFFE id\n" COMMON_HELP
     "\nExample:\n"
     "  lianban keys witness --out witness.pem --name spiffe://city.gov/auditor/audit-office\n",
     run_witness},
    {"seal",
     "lianban keys seal --out FILE [--public FILE] [--json]\n\n"
     "Makes an X25519 key that opens what is sealed to a node, and prints its public half\n"
     "(base64url). `lianban directory seal-key` makes a signed entry of it.\n\n" COMMON_HELP
     "\nExample:\n  lianban keys seal --out seal.key\n",
     run_seal},
    {"share",
     "lianban keys share --out FILE [--public FILE] [--json]\n\n"
     "Makes an X25519 key under which a department takes part in blind household sums, and prints\n"
     "its public half (base64url). `lianban directory share-key` makes a signed entry of it.\n\n"
     COMMON_HELP "\nExample:\n  lianban keys share --out share.key\n",
     run_share},
    {"issuer",
     "lianban keys issuer --out FILE [--public FILE] [--json]\n\n"
     "Makes a P-256 key that signs grants, status lists or operator tokens, and prints its public\n"
     "half (JWK x and y).\n\n" COMMON_HELP
     "\nExample:\n  lianban keys issuer --out issuer.pem --public issuer.json\n",
     run_issuer},
    {"device",
     "lianban keys device --out FILE [--public FILE] [--json]\n\n"
     "Makes a P-256 key for an operator's device, on that device, and prints its public half (JWK\n"
     "x and y) for lianban operator add --device.\n\n" COMMON_HELP
     "\nExample:\n  lianban keys device --out device.pem --public device.json\n",
     run_device},
    {"officer",
     "lianban keys officer --out FILE [--public FILE] [--json]\n\n"
     "Makes an X25519 key with which a security officer reads evidence details, and prints its\n"
     "public half (base64url).\n\n" COMMON_HELP
     "\nExample:\n  lianban keys officer --out officer.key\n",
     run_officer},
    {"secret",
     "lianban keys secret --out FILE [--json]\n\n"
     "Makes 32 random bytes as 64 hex digits, for what a node keys by itself (pseudonyms, cases,\n"
     "persons). There is no public form, and it is not printed.\n\n"
     "  --out FILE     the secret, mode 0600; an existing file is refused\n"
     "  --json         print the result as JSON\n"
     "\nExample:\n  lianban keys secret --out pseudonym.key\n",
     run_secret},
    {"rotate", lb_keys_help_rotate, lb_keys_run_rotate},
    {"handover", lb_keys_help_handover, lb_keys_run_handover},
    {"use", lb_keys_help_use, lb_keys_run_use},
    {"destroy", lb_keys_help_destroy, lb_keys_run_destroy},
};

const struct lb_tool_set lb_keys_tools = {
    .name = "keys",
    .help = "lianban keys: make the keys of a node, and replace them.\n",
    .commands = commands,
    .num_commands = sizeof(commands) / sizeof(commands[0]),
};

int lb_keys_command(int argc, char **argv)
{
    return lb_tool_run(&lb_keys_tools, argc, argv, stdout, stderr);
}
