#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "certs/operator_tools.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/limits.h"
#include "gateway/base/wipe.h"
#include "gateway/config/yaml.h"
#include "gateway/crypto/b64.h"
#include "gateway/trust/directory.h"
#include "policy/engine/idno.h"

/* What the commands about operators read: the window's configuration, people, devices. */

#define MAX_NUMBERS_BYTES 4096
#define ID_CHARS 18

/* --- the window's configuration --- */

static lb_status beside(struct lb_tool *tool, const char *config, const struct lb_yaml_node *map,
                        const char *key, const char **out)
{
    const char *name = NULL;
    LB_TRY(lb_yaml_need_text(map, key, &tool->diag, &name));
    const char *slash = strrchr(config, '/');
    int folder = slash == NULL || name[0] == '/' ? 0 : (int)(slash - config) + 1;
    *out = lb_arena_printf(tool->arena, "%.*s%s", folder, config, name);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status read_issuer(struct lb_tool *tool, const char *config,
                             const struct lb_yaml_node *root, struct lb_issuer_files *out)
{
    const struct lb_yaml_node *issuer = NULL;
    const char *kid = NULL;
    LB_TRY(lb_yaml_need(root, "issuer", &tool->diag, &issuer));
    LB_TRY(lb_yaml_need_text(issuer, "kid", &tool->diag, &kid));
    out->kid = lb_arena_str(tool->arena, lb_span_str(kid));
    LB_ENSURE(out->kid != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(beside(tool, config, issuer, "key", &out->path));
    if (lb_yaml_get(issuer, "folder") == NULL)
        return LB_OK;
    return beside(tool, config, issuer, "folder", &out->folder);
}

static lb_status read_node(struct lb_tool *tool, const struct lb_yaml_node *root,
                           struct lb_operator_window *window)
{
    const char *spiffe = NULL, *federation = NULL;
    enum lb_node_kind kind;
    LB_TRY(lb_yaml_need_text(root, "node", &tool->diag, &spiffe));
    if (lb_spiffe_parse(spiffe, tool->arena, &federation, &kind, &window->organization) != LB_OK ||
        kind != LB_NODE_WINDOW)
        return lb_yaml_fail(lb_yaml_get(root, "node"), &tool->diag,
                            "not a window agent's configuration; operators belong to windows");
    return LB_OK;
}

lb_status lb_operator_window_read(struct lb_tool *tool, const char *path,
                                  struct lb_operator_window *out)
{
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    struct lb_operator_window window = {0};
    LB_TRY(lb_yaml_load_file(path, &tool->diag, &yaml));
    const struct lb_yaml_node *root = lb_yaml_root(yaml);
    LB_TRY(read_node(tool, root, &window));
    LB_TRY(beside(tool, path, root, "operators", &window.folder));
    LB_TRY(beside(tool, path, root, "person_key", &window.person_key));
    LB_TRY(read_issuer(tool, path, root, &window.issuer));
    *out = window;
    return LB_OK;
}

/* --- people --- */

static lb_status read_person_key(struct lb_tool *tool, const struct lb_operator_window *window,
                                 uint8_t out[32])
{
    struct lb_span text;
    LB_TRY(lb_tool_explain(tool,
                           lb_file_read_secret(window->person_key, 66, tool->arena, &text),
                           "%s: cannot be read as a private file (chmod 600)",
                           window->person_key));
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    return lb_tool_explain(tool, lb_hex_decode(text, out, 32),
                           "%s: must hold 64 hex digits; make one with lianban keys secret",
                           window->person_key);
}

/* The terminal shows nothing of what is typed. */
static bool read_hidden(FILE *in, char *line, size_t size)
{
    struct termios before;
    int fd = fileno(in);
    bool hide = isatty(fd) == 1 && tcgetattr(fd, &before) == 0;
    if (hide) {
        struct termios quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        (void)fputs("identity number / 身份号码: ", stderr);
        (void)tcsetattr(fd, TCSAFLUSH, &quiet);
    }
    bool read = fgets(line, (int)size, in) != NULL;
    if (hide) {
        (void)tcsetattr(fd, TCSAFLUSH, &before);
        (void)fputc('\n', stderr);
    }
    return read;
}

static lb_status read_source(struct lb_tool *tool, const char *source, struct lb_span *out)
{
    if (source != NULL && strcmp(source, "-") != 0)
        return lb_tool_explain(tool, lb_file_read(source, MAX_NUMBERS_BYTES, tool->arena, out),
                               "%s: cannot be read", source);
    char *line = lb_arena_alloc(tool->arena, MAX_NUMBERS_BYTES);
    LB_ENSURE(line != NULL, LB_NO_MEMORY, "arena is full");
    if (!read_hidden(stdin, line, MAX_NUMBERS_BYTES))
        return lb_tool_fail(tool, "no identity number came; type it, or give --identity FILE");
    *out = lb_span_str(line);
    return LB_OK;
}

/* Takes the next line off a text; an empty one at its end. */
static struct lb_span next_line(struct lb_span *rest)
{
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != '\n')
        len++;
    struct lb_span line = lb_span_of(rest->ptr, len);
    size_t taken = len < rest->len ? len + 1 : len;
    *rest = lb_span_of(rest->ptr + taken, rest->len - taken);
    while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == ' '))
        line.len--;
    return line;
}

static lb_status hash_line(struct lb_tool *tool, const uint8_t person_key[32], struct lb_span line,
                           char out[LB_REGISTER_HASH_CHARS + 1])
{
    char id_no[ID_CHARS + 1];
    if (lb_idno_normalise(line, id_no) != LB_OK)
        return lb_tool_fail(tool, "what was given is no valid identity number of 18 characters; "
                                  "read the document again");
    lb_register_hash(person_key, id_no, out);
    lb_wipe(id_no, sizeof(id_no));
    return LB_OK;
}

lb_status lb_operator_person(struct lb_tool *tool, const struct lb_operator_window *window,
                             const char *source, char out[LB_REGISTER_HASH_CHARS + 1])
{
    uint8_t person_key[32];
    struct lb_span text;
    LB_TRY(read_person_key(tool, window, person_key));
    lb_status status = read_source(tool, source, &text);
    if (status == LB_OK) {
        struct lb_span line = next_line(&text);
        status = text.len > 0 ? lb_tool_fail(tool, "one identity number and nothing else")
                              : hash_line(tool, person_key, line, out);
    }
    lb_wipe(person_key, sizeof(person_key));
    return status;
}

static lb_status hash_lines(struct lb_tool *tool, const uint8_t person_key[32],
                            struct lb_span text, const char **hashes, size_t *num)
{
    while (text.len > 0) {
        struct lb_span line = next_line(&text);
        if (line.len == 0)
            continue;
        if (*num == LB_REGISTER_MAX_RELATIVES)
            return lb_tool_fail(tool, "more than %d relatives", LB_REGISTER_MAX_RELATIVES);
        char *hash = lb_arena_alloc(tool->arena, LB_REGISTER_HASH_CHARS + 1);
        LB_ENSURE(hash != NULL, LB_NO_MEMORY, "arena is full");
        LB_TRY(hash_line(tool, person_key, line, hash));
        hashes[(*num)++] = hash;
    }
    return LB_OK;
}

lb_status lb_operator_relatives(struct lb_tool *tool, const struct lb_operator_window *window,
                                const char *path, const char *const **out_hashes, size_t *out_num)
{
    uint8_t person_key[32];
    struct lb_span text;
    size_t num = 0;
    const char **hashes = lb_arena_array(tool->arena, LB_REGISTER_MAX_RELATIVES, sizeof(*hashes));
    LB_ENSURE(hashes != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_tool_explain(tool, lb_file_read(path, MAX_NUMBERS_BYTES, tool->arena, &text),
                           "%s: cannot be read", path));
    LB_TRY(read_person_key(tool, window, person_key));
    lb_status status = hash_lines(tool, person_key, text, hashes, &num);
    lb_wipe(person_key, sizeof(person_key));
    LB_TRY(status);
    *out_hashes = hashes;
    *out_num = num;
    return LB_OK;
}

/* --- devices --- */

static bool read_half(const struct lb_json *jwk, const char *key, struct lb_arena *arena,
                      uint8_t out[32])
{
    struct lb_span text, raw;
    if (lb_json_get_str(jwk, key, &text) != LB_OK ||
        lb_b64url_decode(arena, text, &raw) != LB_OK || raw.len != 32)
        return false;
    memcpy(out, raw.ptr, 32);
    return true;
}

static void free_key(struct lb_verify_key **key)
{
    lb_verify_key_free(*key);
}

lb_status lb_operator_device(struct lb_tool *tool, const char *path,
                             uint8_t out[LB_P256_PUBLIC_BYTES])
{
    struct lb_span text;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    LB_TRY(lb_tool_explain(tool, lb_file_read(path, LB_MAX_PEM_BYTES, tool->arena, &text),
                           "%s: cannot be read", path));
    LB_DEFER(lb_json_freep) struct lb_json *jwk = NULL;
    LB_DEFER(free_key) struct lb_verify_key *key = NULL;
    if (lb_json_parse(text, &jwk) != LB_OK || !read_half(jwk, "x", tool->arena, raw) ||
        !read_half(jwk, "y", tool->arena, raw + 32) ||
        lb_verify_key_new(LB_SIGN_ES256, lb_span_of(raw, sizeof(raw)), &key) != LB_OK)
        return lb_tool_fail(tool, "%s: is not the public form of lianban keys device", path);
    memcpy(out, raw, sizeof(raw));
    return LB_OK;
}
