#include "gateway/trust/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"

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
    lb_status status = lb_file_read(path, LB_MEMORY_MAX_BYTES, arena, &text);
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

static bool parse_signer(const char *line, struct lb_memory *memory)
{
    static const char label[] = "signer ";
    if (strncmp(line, label, sizeof(label) - 1) != 0 || memory->num_signers == LB_MAX_SIGNERS)
        return false;
    memory->signers[memory->num_signers++] = line + sizeof(label) - 1;
    return true;
}

static bool parse_memory(char *rest, struct lb_memory *memory)
{
    char *line = next_line(&rest);
    if (line == NULL || strcmp(line, LB_MEMORY_HEAD) != 0)
        return false;
    line = next_line(&rest);
    if (line == NULL || !parse_version(line, &memory->version))
        return false;
    line = next_line(&rest);
    if (line == NULL || !parse_sha256(line, memory->sha256))
        return false;
    while ((line = next_line(&rest)) != NULL && strcmp(line, LB_MEMORY_END) != 0) {
        if (!parse_signer(line, memory) && !parse_pin(line, &memory->pins))
            return false;
    }
    return line != NULL && *rest == 0;
}

lb_status lb_memory_load(const char *folder, struct lb_arena *arena, struct lb_diag *diag,
                         struct lb_memory *out)
{
    char *text = NULL;
    char *path = lb_arena_printf(arena, "%s/" LB_MEMORY_FILE, folder);
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

lb_status lb_memory_accepted(const char *folder, struct lb_arena *arena, struct lb_diag *diag,
                             struct lb_pins *out)
{
    char *rest = NULL;
    char *path = lb_arena_printf(arena, "%s/" LB_ACCEPT_FILE, folder);
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
