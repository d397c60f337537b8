#include "gateway/trust/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/trust/pins.h"

#define STATE_HEAD "lianban-trust-state/v1"
#define STATE_END "end"  /* without it, a file cut at a line would lose pins in silence */
#define STATE_FILE "trust-state"
#define ACCEPT_FILE "accept"
#define MAX_STATE_BYTES (2 * LB_MAX_DIRECTORY_BYTES)
#define STATE_ARENA_BYTES (4 * LB_FILE_ARENA_BYTES)
#define NO_KEY "-"

struct memory {
    uint64_t version;  /* 0: nothing accepted yet */
    uint8_t sha256[32];
    struct lb_pins pins;
};

/* --- reading lines --- */

/* Cuts the next line off a NUL-terminated text, in place; NULL at its end. */
static char *next_line(char **rest)
{
    char *line = *rest;
    if (*line == 0)
        return NULL;
    char *end = strchr(line, '\n');
    if (end == NULL) {
        *rest = line + strlen(line);
        return line;
    }
    *end = 0;
    *rest = end + 1;
    return line;
}

/* Splits "<a> <b>" in place; false when it is not two words. */
static bool split_pair(char *line, char **out_a, char **out_b)
{
    char *space = strchr(line, ' ');
    if (space == NULL || space == line || space[1] == 0 || strchr(space + 1, ' ') != NULL)
        return false;
    *space = 0;
    *out_a = line;
    *out_b = space + 1;
    return true;
}

static size_t count_lines(const char *text)
{
    size_t num = 1;
    for (; *text != 0; text++)
        num += *text == '\n';
    return num;
}

/* Reads a file that may be missing; *out NULL then. */
static lb_status read_if(const char *path, struct lb_arena *arena, struct lb_diag *diag,
                         char **out_text)
{
    *out_text = NULL;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return LB_OK;
    struct lb_span text;
    lb_status status = lb_file_read(path, MAX_STATE_BYTES, arena, &text);
    if (status != LB_OK) {
        lb_diag_set(diag, "%s: cannot be read", path);
        return status;
    }
    *out_text = lb_arena_str(arena, text);
    if (*out_text == NULL) {
        lb_diag_set(diag, "%s: is damaged", path);
        LB_FAIL(LB_CONFIG_INVALID, "state file is damaged");
    }
    return LB_OK;
}

static lb_status damaged(const char *path, struct lb_diag *diag)
{
    lb_diag_set(
        diag,
        "%s: is damaged; restore it from a backup, or check the directory and every key in it "
        "by hand and remove the file",
        path);
    LB_FAIL(LB_CONFIG_INVALID, "state file is damaged");
}

static bool parse_version(const char *line, uint64_t *out_version)
{
    static const char label[] = "version ";
    if (strncmp(line, label, sizeof(label) - 1) != 0)
        return false;
    const char *digits = line + sizeof(label) - 1;
    size_t len = strspn(digits, "0123456789");
    if (len == 0 || len > 19 || digits[len] != 0)
        return false;
    *out_version = strtoull(digits, NULL, 10);
    return *out_version > 0;
}

static bool parse_sha256(const char *line, uint8_t out[32])
{
    static const char label[] = "sha256 ";
    return strncmp(line, label, sizeof(label) - 1) == 0 &&
           lb_hex_decode(lb_span_str(line + sizeof(label) - 1), out, 32) == LB_OK;
}

static bool parse_pin(char *line, struct lb_pins *pins)
{
    static const char label[] = "pin ";
    char *name = NULL;
    char *key = NULL;
    return strncmp(line, label, sizeof(label) - 1) == 0 &&
           split_pair(line + sizeof(label) - 1, &name, &key) &&
           lb_pins_add(pins, name, key) == LB_OK;
}

static bool parse_memory(char *rest, struct memory *memory)
{
    char *line = next_line(&rest);
    if (line == NULL || strcmp(line, STATE_HEAD) != 0)
        return false;
    line = next_line(&rest);
    if (line == NULL || !parse_version(line, &memory->version))
        return false;
    line = next_line(&rest);
    if (line == NULL || !parse_sha256(line, memory->sha256))
        return false;
    while ((line = next_line(&rest)) != NULL && strcmp(line, STATE_END) != 0) {
        if (!parse_pin(line, &memory->pins))
            return false;
    }
    return line != NULL && *rest == 0;
}

static lb_status load_memory(const char *folder, struct lb_arena *arena, struct lb_diag *diag,
                             struct memory *out)
{
    char *text = NULL;
    char *path = lb_arena_printf(arena, "%s/" STATE_FILE, folder);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(read_if(path, arena, diag, &text));
    LB_TRY(lb_pins_new(&out->pins, text == NULL ? 0 : count_lines(text), arena));
    if (text == NULL)
        return LB_OK;
    size_t len = strlen(text);
    if (len == 0 || text[len - 1] != '\n' || !parse_memory(text, out))
        return damaged(path, diag);
    lb_pins_sort(&out->pins);
    return LB_OK;
}

static lb_status load_accepted(const char *folder, struct lb_arena *arena, struct lb_diag *diag,
                               struct lb_pins *out)
{
    char *rest = NULL;
    char *path = lb_arena_printf(arena, "%s/" ACCEPT_FILE, folder);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(read_if(path, arena, diag, &rest));
    LB_TRY(lb_pins_new(out, rest == NULL ? 0 : count_lines(rest), arena));
    int number = 0;
    char *line = NULL;
    while (rest != NULL && (line = next_line(&rest)) != NULL) {
        char *name = NULL;
        char *key = NULL;
        number++;
        if (line[0] == 0 || line[0] == '#')
            continue;
        if (!split_pair(line, &name, &key)) {
            lb_diag_set(diag, "%s:%d: not \"<name> <key>\"; write one pair a line", path, number);
            LB_FAIL(LB_CONFIG_INVALID, "accept file is not readable");
        }
        LB_TRY(lb_pins_add(out, name, key));
    }
    return LB_OK;
}

/* --- judging --- */

static lb_status node_key(const struct lb_node *node, struct lb_arena *arena, const char **out_key)
{
    *out_key = NO_KEY;
    if (node->log_origin == NULL)
        return LB_OK;
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {0};
    LB_TRY(lb_note_verifier_init(node->log_origin, node->log_key, &verifier));
    *out_key = lb_note_verifier_format(&verifier, arena);
    LB_ENSURE(*out_key != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status issuer_pin(const struct lb_issuer *issuer, struct lb_arena *arena,
                            const char **out_name, const char **out_key)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    size_t len = lb_verify_key_raw(issuer->key, raw);
    *out_name = lb_arena_printf(arena, "%s/%s", issuer->organization, issuer->kid);
    *out_key = lb_b64url_encode(arena, lb_span_of(raw, len));
    LB_ENSURE(*out_name != NULL && *out_key != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status refuse_change(const char *folder, const char *name, const char *key,
                               struct lb_diag *diag)
{
    lb_diag_set(
        diag,
        "directory: the key of %s is not the one known here, or is of a further adapter of its "
        "department; if its owner confirms it by another way, add the line \"%s %s\" to "
        "%s/" ACCEPT_FILE,
        name, name, key, folder);
    LB_FAIL(LB_KEY_CHANGED, "a member's key changed");
}

/* Judges one key and puts it among the keys to remember. `fresh_ok`: the name may be new. */
static lb_status judge(const char *folder, const char *name, const char *key, bool fresh_ok,
                       const struct lb_pins *known, const struct lb_pins *accepted,
                       struct lb_pins *next, struct lb_diag *diag)
{
    const char *before = lb_pins_find(known, name);
    bool same = before == NULL ? fresh_ok : strcmp(before, key) == 0;
    if (!same && !lb_pins_has(accepted, name, key))
        return refuse_change(folder, name, key, diag);
    return strcmp(key, NO_KEY) == 0 ? LB_OK : lb_pins_add(next, name, key);
}

/* Requests are sealed to a department's adapter, whoever that is by the directory: a further one
 * would be shown who they are about. So it is as good as a changed key. */
static lb_status may_be_new(const struct lb_directory *directory, const struct lb_node *node,
                            const struct lb_pins *known, struct lb_arena *arena, bool *out_fresh_ok)
{
    *out_fresh_ok = true;
    if (node->kind != LB_NODE_ADAPTER)
        return LB_OK;
    char *department = lb_arena_printf(arena, "spiffe://%s/%s/%s/", directory->federation,
                                       lb_node_kind_name(node->kind), node->organization);
    LB_ENSURE(department != NULL, LB_NO_MEMORY, "arena is full");
    size_t len = strlen(department);
    bool has_named = lb_pins_has_prefix(known, department, len);
    department[len - 1] = 0;
    *out_fresh_ok = !has_named && lb_pins_find(known, department) == NULL;
    return LB_OK;
}

static lb_status judge_all(const char *folder, const struct lb_directory *directory,
                           const struct lb_pins *known, struct lb_arena *arena,
                           struct lb_pins *next, struct lb_diag *diag)
{
    struct lb_pins accepted;
    const char *name = NULL;
    const char *key = NULL;
    LB_TRY(load_accepted(folder, arena, diag, &accepted));
    bool fresh_ok = false;
    for (size_t i = 0; i < directory->num_nodes; i++) {
        name = directory->nodes[i].spiffe;
        LB_TRY(node_key(&directory->nodes[i], arena, &key));
        LB_TRY(may_be_new(directory, &directory->nodes[i], known, arena, &fresh_ok));
        LB_TRY(judge(folder, name, key, fresh_ok, known, &accepted, next, diag));
    }
    for (size_t i = 0; i < directory->num_issuers; i++) {
        const struct lb_issuer *issuer = &directory->issuers[i];
        LB_TRY(issuer_pin(issuer, arena, &name, &key));
        /* Policies name an issuer by its organization, so a further key of one is a changed key. */
        fresh_ok = !lb_pins_has_prefix(known, name, strlen(issuer->organization) + 1);
        LB_TRY(judge(folder, name, key, fresh_ok, known, &accepted, next, diag));
    }
    return LB_OK;
}

/* A log key that was given up with consent must not come back from the old memory. */
static bool is_member(const struct lb_directory *directory, const char *name)
{
    return lb_directory_node(directory, name) != NULL;
}

static lb_status merge(const struct lb_directory *directory, const struct lb_pins *known,
                       struct lb_pins *next)
{
    lb_pins_sort(next);
    size_t num = next->num;
    for (size_t i = 0; i < known->num; i++) {
        const struct lb_pins current = {.list = next->list, .num = num};
        const char *name = known->list[i].name;
        if (lb_pins_find(&current, name) == NULL && !is_member(directory, name))
            LB_TRY(lb_pins_add(next, name, known->list[i].key));
    }
    lb_pins_sort(next);
    return LB_OK;
}

static lb_status save(const char *folder, const struct lb_directory *directory,
                      const struct lb_pins *pins, struct lb_arena *arena, struct lb_diag *diag)
{
    char hex[65];
    lb_hex_encode(lb_span_of(directory->sha256, 32), hex);
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, MAX_STATE_BYTES);
    lb_buf_printf(&text, STATE_HEAD "\nversion %" PRIu64 "\nsha256 %s\n", directory->version, hex);
    for (size_t i = 0; i < pins->num; i++)
        lb_buf_printf(&text, "pin %s %s\n", pins->list[i].name, pins->list[i].key);
    lb_buf_put_str(&text, STATE_END "\n");
    LB_TRY(lb_buf_check(&text));
    char *path = lb_arena_printf(arena, "%s/" STATE_FILE, folder);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    lb_status status = lb_file_write(path, lb_buf_span(&text), 0600);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: cannot be written", path);
    return status;
}

static lb_status check_version(const struct memory *memory, const struct lb_directory *directory,
                               struct lb_diag *diag)
{
    if (directory->version < memory->version) {
        lb_diag_set(diag, "directory: version %" PRIu64 " is older than %" PRIu64
                          ", which was accepted here; get the newest",
                    directory->version, memory->version);
        LB_FAIL(LB_DIRECTORY_ROLLBACK, "directory is older than the accepted one");
    }
    if (directory->version == memory->version &&
        memcmp(directory->sha256, memory->sha256, 32) != 0) {
        lb_diag_set(diag,
                    "directory: version %" PRIu64 " was accepted here with another content; ask "
                    "who signs it why there are two",
                    directory->version);
        LB_FAIL(LB_DIRECTORY_ROLLBACK, "two directories of one version");
    }
    return LB_OK;
}

lb_status lb_trust_admit(const char *folder, const struct lb_directory *directory, bool commit,
                         struct lb_diag *diag)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(STATE_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "no memory for an arena");
    struct memory memory = {0};
    LB_TRY(load_memory(folder, arena, diag, &memory));
    LB_TRY(check_version(&memory, directory, diag));
    if (directory->version == memory.version)
        return LB_OK;
    struct lb_pins next;
    LB_TRY(lb_pins_new(&next, memory.pins.num + directory->num_nodes + directory->num_issuers,
                       arena));
    LB_TRY(judge_all(folder, directory, &memory.pins, arena, &next, diag));
    if (!commit)
        return LB_OK;
    LB_TRY(merge(directory, &memory.pins, &next));
    return save(folder, directory, &next, arena, diag);
}
