#include "gateway/trust/directory.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "gateway/trust/directory_read.h"

#define DIRECTORY_ARENA_BYTES LB_FILE_ARENA_BYTES

static void box_free(struct lb_directory_box *box)
{
    if (box == NULL)
        return;
    for (size_t i = 0; i < box->num_keys; i++)
        lb_verify_key_free(box->keys[i]);
    lb_arena_free(box->arena);
    free(box);
}

static void box_freep(struct lb_directory_box **box)
{
    box_free(*box);
}

static lb_status box_new(struct lb_directory_box **out_box)
{
    struct lb_directory_box *box = calloc(1, sizeof(*box));
    LB_ENSURE(box != NULL, LB_NO_MEMORY, "no memory for a directory");
    atomic_init(&box->refs, 1);
    box->arena = lb_arena_new(DIRECTORY_ARENA_BYTES);
    if (box->arena == NULL) {
        free(box);
        LB_FAIL(LB_NO_MEMORY, "no memory for a directory");
    }
    *out_box = box;
    return LB_OK;
}

lb_status lb_directory_check_text(struct lb_span text, int64_t now_unix_s, struct lb_diag *diag,
                                  struct lb_directory **out_directory)
{
    LB_DEFER(box_freep) struct lb_directory_box *box = NULL;
    LB_TRY(box_new(&box));
    LB_TRY(lb_directory_read(text, now_unix_s, diag, box));
    *out_directory = &box->directory;
    box = NULL;
    return LB_OK;
}

lb_status lb_directory_open(struct lb_span note, const struct lb_note_verifier *verifiers,
                            size_t num_verifiers, int64_t now_unix_s, struct lb_diag *diag,
                            struct lb_directory **out_directory)
{
    struct lb_span text;
    uint32_t mask = 0;
    lb_status status = lb_note_open(note, verifiers, num_verifiers, &text, &mask);
    if (status != LB_OK || mask == 0) {
        lb_diag_set(diag, lb_status_code(status) == LB_MALFORMED
                              ? "directory: it is not a signed note"
                              : "directory: no key that may sign it has signed it");
        LB_FAIL(LB_DIRECTORY_INVALID, "directory's signature does not verify");
    }
    return lb_directory_check_text(text, now_unix_s, diag, out_directory);
}

static struct lb_directory_box *box_of(struct lb_directory *directory)
{
    return (struct lb_directory_box *)directory;
}

void lb_directory_ref(struct lb_directory *directory)
{
    (void)atomic_fetch_add_explicit(&box_of(directory)->refs, 1, memory_order_relaxed);
}

void lb_directory_unref(struct lb_directory *directory)
{
    if (directory == NULL)
        return;
    struct lb_directory_box *box = box_of(directory);
    if (atomic_fetch_sub_explicit(&box->refs, 1, memory_order_acq_rel) == 1)
        box_free(box);
}

const char *lb_directory_name(const struct lb_directory *directory, const char *organization,
                              const char *language)
{
    for (size_t i = 0; i < directory->num_organizations; i++) {
        const struct lb_organization *named = &directory->organizations[i];
        if (strcmp(named->id, organization) != 0)
            continue;
        const char *name = strcmp(language, "zh") == 0 ? named->zh : named->en;
        return name[0] != 0 ? name : organization;
    }
    return organization;
}

const struct lb_node *lb_directory_node(const struct lb_directory *directory, const char *spiffe)
{
    const struct lb_node key = {.spiffe = spiffe};
    return bsearch(&key, directory->nodes, directory->num_nodes, sizeof(key), lb_node_order);
}

const struct lb_issuer *lb_directory_issuer(const struct lb_directory *directory,
                                            const char *organization, const char *kid)
{
    const struct lb_issuer key = {.organization = organization, .kid = kid};
    return bsearch(&key, directory->issuers, directory->num_issuers, sizeof(key),
                   lb_issuer_order);
}

const struct lb_listed *lb_listed_find(const struct lb_listed *list, size_t num, const char *id,
                                       uint32_t version)
{
    const struct lb_listed key = {.id = id, .version = version};
    return num == 0 ? NULL : bsearch(&key, list, num, sizeof(key), lb_listed_order);
}

const struct lb_seal_key_entry *lb_node_seal_key(const struct lb_node *node, const char *id,
                                                 int64_t now_unix_s)
{
    const struct lb_seal_key_entry *newest = NULL;
    int64_t latest = now_unix_s + LB_SEAL_KEY_LIFE_S + LB_CLOCK_SKEW_S;
    for (size_t i = 0; i < node->num_seal_keys; i++) {
        const struct lb_seal_key_entry *entry = &node->seal_keys[i];
        if (now_unix_s >= entry->not_after || entry->not_after > latest)
            continue;
        if (id != NULL && strcmp(entry->id, id) == 0)
            return entry;
        if (id == NULL && (newest == NULL || entry->not_after > newest->not_after))
            newest = entry;
    }
    return newest;
}

static bool comes_after(const struct lb_seal_key_entry *entry,
                        const struct lb_seal_key_entry *other)
{
    return other == NULL || entry->not_before > other->not_before ||
           (entry->not_before == other->not_before && entry->not_after > other->not_after);
}

const struct lb_seal_key_entry *lb_node_share_key(const struct lb_node *node,
                                                  int64_t started_unix_s)
{
    const struct lb_seal_key_entry *last = NULL;
    for (size_t i = 0; i < node->num_share_keys; i++) {
        const struct lb_seal_key_entry *entry = &node->share_keys[i];
        if (started_unix_s >= entry->not_before && started_unix_s < entry->not_after &&
            comes_after(entry, last))
            last = entry;
    }
    return last;
}

const struct lb_recovery *lb_node_recovery(const struct lb_node *node)
{
    return node->num_recoveries == 0 ? NULL : &node->recoveries[node->num_recoveries - 1];
}

bool lb_node_log_follows(const struct lb_node *node, const uint8_t log_key[32])
{
    if (node->log_origin == NULL)
        return false;
    bool found = memcmp(node->log_key, log_key, sizeof(node->log_key)) == 0;
    for (size_t i = 0; i < node->num_former && !found; i++)
        found = memcmp(node->former[i].raw, log_key, sizeof(node->log_key)) == 0;
    return found;
}
