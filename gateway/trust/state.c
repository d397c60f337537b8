#include "gateway/trust/state.h"

#include <inttypes.h>

#include "gateway/base/buf.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/trust/memory.h"

#define STATE_ARENA_BYTES (4 * LB_FILE_ARENA_BYTES)
#define NO_KEY "-"
#define DIRECTORY_NAME "directory"

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
        "directory: the key of %s is not the one known here, and the old one has not handed over "
        "to it, or it is of a further adapter of its department; if its owner confirms it by "
        "another way, add the line \"%s %s\" to %s/" LB_ACCEPT_FILE,
        name, name, key, folder);
    LB_FAIL(LB_KEY_CHANGED, "a member's key changed");
}

/* A key as the directory has it. */
struct claim {
    const char *name, *key;
    bool fresh_ok;  /* the name may be new */
    bool is_log;    /* a node's, and not an issuer's */
    size_t num_former;
    const struct lb_former_key *former;
    const struct lb_recovery *recovery;
};

struct judging {
    const char *folder;
    const struct lb_directory *directory;
    struct lb_arena *arena;
    const struct lb_pins *known;
    struct lb_pins accepted;
    struct lb_pins *next;  /* the keys to remember */
    struct lb_diag *diag;
};

/* Whether a key known here has handed over, by itself or through those between. */
static bool inherits(const struct lb_pins *known, const struct claim *claim)
{
    for (size_t i = 0; i < claim->num_former; i++) {
        if (lb_pins_has(known, claim->former[i].name, claim->former[i].key))
            return true;
    }
    return false;
}

/* A key's name is its log's: before the first '+'. */
static bool is_of(const char *vkey, const char *origin)
{
    size_t len = strcspn(vkey, "+");
    return strlen(origin) == len && strncmp(vkey, origin, len) == 0;
}

static bool is_key_of(const struct claim *claim, const char *vkey)
{
    bool is = strcmp(claim->key, vkey) == 0;
    for (size_t i = 0; i < claim->num_former && !is; i++)
        is = strcmp(claim->former[i].key, vkey) == 0;
    return is;
}

static lb_status are_listed(const struct judging *judging, const struct lb_recovery *recovery,
                            bool *out_are)
{
    *out_are = true;
    for (size_t i = 0; i < LB_RECOVERY_OFFICERS; i++) {
        const struct lb_recovery_officer *officer = &recovery->officers[i];
        const struct lb_node *node = lb_directory_node(judging->directory, officer->spiffe);
        const char *key = NO_KEY;
        if (node != NULL)
            LB_TRY(node_key(node, judging->arena, &key));
        *out_are = *out_are && strcmp(key, officer->key) == 0;
    }
    return LB_OK;
}

/* Whether a log key is of another log than the one known here. */
static bool is_other_log(const struct claim *claim, const char *before)
{
    size_t len = strcspn(before, "+");
    return claim->is_log && strcmp(claim->key, NO_KEY) != 0 &&
           (strncmp(before, claim->key, len) != 0 || claim->key[len] != '+');
}

/* Another log in the place of the one known here: only by a recovery of that very log, to this key,
 * by officers whom the directory lists. An old recovery, or the way back, is none. */
static lb_status check_succession(const struct judging *judging, const struct claim *claim,
                                  const char *before)
{
    const struct lb_recovery *recovery = claim->recovery;
    bool listed = false;
    if (recovery != NULL && is_of(before, recovery->lost_origin) &&
        is_key_of(claim, recovery->log_key))
        LB_TRY(are_listed(judging, recovery, &listed));
    if (listed)
        return LB_OK;
    lb_diag_set(judging->diag,
                "directory: the log of %s is another than the one known here, and no recovery of "
                "that one by two officers whom the directory lists says so", claim->name);
    LB_FAIL(LB_KEY_CHANGED, "a member's log was replaced without a recovery");
}

/* That a log is replaced is confirmed by people alone: its key hands over within it (former.h). */
static lb_status judge(struct judging *judging, const struct claim *claim)
{
    const char *before = lb_pins_find(judging->known, claim->name);
    bool same = before == NULL ? claim->fresh_ok : strcmp(before, claim->key) == 0;
    if (before != NULL && is_other_log(claim, before))
        LB_TRY(check_succession(judging, claim, before));
    if (!same && !inherits(judging->known, claim) &&
        !lb_pins_has(&judging->accepted, claim->name, claim->key))
        return refuse_change(judging->folder, claim->name, claim->key, judging->diag);
    return strcmp(claim->key, NO_KEY) == 0 ? LB_OK
                                           : lb_pins_add(judging->next, claim->name, claim->key);
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
    struct judging judging = {.folder = folder, .directory = directory, .arena = arena,
                              .known = known, .next = next, .diag = diag};
    LB_TRY(lb_memory_accepted(folder, arena, diag, &judging.accepted));
    for (size_t i = 0; i < directory->num_nodes; i++) {
        const struct lb_node *node = &directory->nodes[i];
        struct claim claim = {.name = node->spiffe, .is_log = true,
                              .recovery = lb_node_recovery(node),
                              .num_former = node->num_former, .former = node->former};
        LB_TRY(node_key(node, arena, &claim.key));
        LB_TRY(may_be_new(directory, node, known, arena, &claim.fresh_ok));
        LB_TRY(judge(&judging, &claim));
    }
    for (size_t i = 0; i < directory->num_issuers; i++) {
        const struct lb_issuer *issuer = &directory->issuers[i];
        struct claim claim = {.num_former = issuer->num_former, .former = issuer->former};
        LB_TRY(issuer_pin(issuer, arena, &claim.name, &claim.key));
        /* Policies name an issuer by its organization, so a further key of one is a changed key. */
        claim.fresh_ok = !lb_pins_has_prefix(known, claim.name, strlen(issuer->organization) + 1);
        LB_TRY(judge(&judging, &claim));
    }
    return LB_OK;
}

/* A log key that was given up with consent must not come back from the old memory. */
static bool is_member(const struct lb_directory *directory, const char *name)
{
    return lb_directory_node(directory, name) != NULL;
}

/* A key that handed over and is listed no more is at its end: it hands over no second time. */
static bool is_done(const struct lb_directory *directory, const char *name)
{
    for (size_t i = 0; i < directory->num_issuers; i++) {
        const struct lb_issuer *issuer = &directory->issuers[i];
        for (size_t k = 0; k < issuer->num_former; k++) {
            if (strcmp(issuer->former[k].name, name) == 0)
                return true;
        }
    }
    return false;
}

static lb_status merge(const struct lb_directory *directory, const struct lb_pins *known,
                       struct lb_pins *next)
{
    lb_pins_sort(next);
    size_t num = next->num;
    for (size_t i = 0; i < known->num; i++) {
        const struct lb_pins current = {.list = next->list, .num = num};
        const char *name = known->list[i].name;
        if (lb_pins_find(&current, name) == NULL && !is_member(directory, name) &&
            !is_done(directory, name))
            LB_TRY(lb_pins_add(next, name, known->list[i].key));
    }
    lb_pins_sort(next);
    return LB_OK;
}

/* Who may sign the next one: what this one says, or else what was said before. */
static void put_signers(struct lb_buf *text, const struct lb_directory *directory,
                        const struct lb_memory *memory)
{
    bool renamed = directory->num_signers > 0;
    size_t num = renamed ? directory->num_signers : memory->num_signers;
    for (size_t i = 0; i < num; i++)
        lb_buf_printf(text, "signer %s\n", renamed ? directory->signers[i] : memory->signers[i]);
}

static lb_status save(const char *folder, const struct lb_directory *directory,
                      const struct lb_memory *memory, const struct lb_pins *pins,
                      struct lb_arena *arena, struct lb_diag *diag)
{
    char hex[65];
    lb_hex_encode(lb_span_of(directory->sha256, 32), hex);
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, LB_MEMORY_MAX_BYTES);
    lb_buf_printf(&text, LB_MEMORY_HEAD "\nversion %" PRIu64 "\nsha256 %s\n", directory->version,
                  hex);
    put_signers(&text, directory, memory);
    for (size_t i = 0; i < pins->num; i++)
        lb_buf_printf(&text, "pin %s %s\n", pins->list[i].name, pins->list[i].key);
    lb_buf_put_str(&text, LB_MEMORY_END "\n");
    LB_TRY(lb_buf_check(&text));
    char *path = lb_arena_printf(arena, "%s/" LB_MEMORY_FILE, folder);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    lb_status status = lb_file_write(path, lb_buf_span(&text), 0600);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: cannot be written", path);
    return status;
}

static lb_status check_version(const struct lb_memory *memory, const struct lb_directory *directory,
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
    struct lb_memory memory = {0};
    LB_TRY(lb_memory_load(folder, arena, diag, &memory));
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
    return save(folder, directory, &memory, &next, arena, diag);
}

lb_status lb_trust_signers(const char *folder, struct lb_arena *arena, struct lb_diag *diag,
                           struct lb_trust_signers *out)
{
    struct lb_memory memory = {0};
    struct lb_pins accepted;
    LB_TRY(lb_memory_load(folder, arena, diag, &memory));
    LB_TRY(lb_memory_accepted(folder, arena, diag, &accepted));
    *out = (struct lb_trust_signers){.version = memory.version, .num = memory.num_signers};
    memcpy(out->sha256, memory.sha256, sizeof(out->sha256));
    memcpy(out->vkeys, memory.signers, sizeof(memory.signers));
    for (size_t i = 0; i < accepted.num && out->num < 2 * LB_MAX_SIGNERS; i++) {
        if (strcmp(accepted.list[i].name, DIRECTORY_NAME) == 0)
            out->vkeys[out->num++] = accepted.list[i].key;
    }
    return LB_OK;
}
