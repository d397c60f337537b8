#include "gateway/trust/trust.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/crypto/x509.h"
#include "gateway/trust/belief.h"
#include "gateway/trust/chain_hashes.h"
#include "gateway/trust/peer_cache.h"
#include "gateway/trust/signers.h"
#include "gateway/trust/state.h"

#define MAX_VERIFIERS 32
#define OPTIONS_ARENA_BYTES (256 * 1024)
#define LOAD_ARENA_BYTES (LB_MAX_DIRECTORY_BYTES + LB_MAX_CRL_BYTES + 2 * LB_MAX_PEM_BYTES + 4096)

struct files {
    struct lb_file_stamp directory, accept, ca, crl;
};

struct lb_trust {
    struct lb_arena *arena;  /* the options */
    const char *directory_path;
    const char *ca_path;
    const char *crl_path;
    const char *state_folder;
    const char *accept_path;
    bool look_only;
    const struct lb_clock *clock;
    struct lb_note_verifier verifiers[MAX_VERIFIERS];
    size_t num_verifiers;

    pthread_mutex_t reloading;  /* one reload at a time; holds `files` and `retry_directory` */
    struct files files;
    bool retry_directory;       /* the last failure was not the file's fault */

    pthread_mutex_t lock;       /* holds what follows, for moments */
    struct lb_belief *belief;
    struct lb_peer_cache *cache;
    struct lb_chain_hashes *hashes;
};

/* --- loading --- */

static lb_status load_directory(const struct lb_trust *trust, struct lb_arena *arena,
                                struct lb_diag *diag, struct lb_directory **out_directory)
{
    struct lb_span note;
    struct lb_directory *directory = NULL;
    lb_status status = lb_file_read(trust->directory_path, LB_MAX_DIRECTORY_BYTES, arena, &note);
    if (status != LB_OK) {
        lb_diag_set(diag, "%s: cannot be read", trust->directory_path);
        return status;
    }
    LB_TRY(lb_signers_open(trust->state_folder, trust->verifiers, trust->num_verifiers, note,
                           lb_clock_unix_s(trust->clock), diag, &directory));
    status = lb_trust_admit(trust->state_folder, directory, !trust->look_only, diag);
    if (status != LB_OK) {
        lb_directory_unref(directory);
        return status;
    }
    *out_directory = directory;
    return LB_OK;
}

static lb_status load_ca(const struct lb_trust *trust, struct lb_arena *arena,
                         struct lb_diag *diag, struct lb_span *out_pem)
{
    struct lb_span pem;
    uint8_t pin[32];
    lb_status status = lb_file_read(trust->ca_path, LB_MAX_PEM_BYTES, arena, &pem);
    if (status != LB_OK) {
        lb_diag_set(diag, "%s: cannot be read", trust->ca_path);
        return status;
    }
    if (lb_x509_ca_pin(pem, pin) != LB_OK) {
        lb_diag_set(diag, "%s: holds no certificate", trust->ca_path);
        LB_FAIL(LB_CONFIG_INVALID, "CA file holds no certificate");
    }
    *out_pem = pem;
    return LB_OK;
}

/* A list that is gone or unreadable is an empty one, and then everyone is refused. */
static struct lb_span load_crl(const struct lb_trust *trust, struct lb_arena *arena)
{
    struct lb_span pem = LB_SPAN_EMPTY;
    lb_status status = lb_file_read(trust->crl_path, LB_MAX_CRL_BYTES, arena, &pem);
    if (status != LB_OK)
        lb_log_failure("crl_unreadable", status);
    return pem;
}

static struct files look(const struct lb_trust *trust)
{
    /* Before the files are read: what changes in between is seen as changed the next time. */
    return (struct files){
        .directory = lb_file_stamp_of(trust->directory_path),
        .accept = lb_file_stamp_of(trust->accept_path),
        .ca = lb_file_stamp_of(trust->ca_path),
        .crl = lb_file_stamp_of(trust->crl_path),
    };
}

static struct lb_belief *current(struct lb_trust *trust)
{
    (void)pthread_mutex_lock(&trust->lock);
    struct lb_belief *belief = trust->belief;
    lb_belief_ref(belief);
    (void)pthread_mutex_unlock(&trust->lock);
    return belief;
}

static void replace(struct lb_trust *trust, struct lb_belief *belief)
{
    (void)pthread_mutex_lock(&trust->lock);
    struct lb_belief *old = trust->belief;
    trust->belief = belief;
    (void)pthread_mutex_unlock(&trust->lock);
    lb_belief_unref(old);
}

/* The directory, or NULL when the old one stays. A failure is logged once per state of the files;
 * one that may pass by itself (a full disk under the state folder) is tried again. */
static struct lb_directory *reload_directory(struct lb_trust *trust, bool changed,
                                             struct lb_arena *arena)
{
    struct lb_directory *directory = NULL;
    struct lb_diag diag;
    if (!changed && !trust->retry_directory)
        return NULL;
    lb_status status = load_directory(trust, arena, &diag, &directory);
    enum lb_code code = lb_status_code(status);
    trust->retry_directory = code == LB_FILE_FAILED || code == LB_NO_MEMORY;
    if (status == LB_OK)
        lb_log_event(LB_LOG_INFO, "directory_accepted", "\"version\":%llu",
                     (unsigned long long)directory->version);
    else if (changed)
        lb_log_failure("directory_refused", status);
    return directory;
}

static void directory_unrefp(struct lb_directory **directory)
{
    lb_directory_unref(*directory);
}

static void apply_changes(struct lb_trust *trust, const struct files *now, struct lb_arena *arena)
{
    LB_DEFER(lb_belief_unrefp) struct lb_belief *old = current(trust);
    bool directory_changed = !lb_file_stamp_eq(&now->directory, &trust->files.directory) ||
                             !lb_file_stamp_eq(&now->accept, &trust->files.accept);
    bool ca_changed = !lb_file_stamp_eq(&now->ca, &trust->files.ca);
    bool crl_changed = !lb_file_stamp_eq(&now->crl, &trust->files.crl);
    LB_DEFER(directory_unrefp) struct lb_directory *directory =
        reload_directory(trust, directory_changed, arena);
    if (directory == NULL && !ca_changed && !crl_changed) {
        trust->files = *now;
        return;
    }
    struct lb_span ca = old->ca_pem;
    struct lb_diag diag;
    lb_status status = ca_changed ? load_ca(trust, arena, &diag, &ca) : LB_OK;
    if (status != LB_OK)
        lb_log_failure("ca_refused", status);
    struct lb_span crl = crl_changed ? load_crl(trust, arena) : old->crl_pem;
    struct lb_belief *next = NULL;
    status = lb_belief_new(old->generation + 1, directory == NULL ? old->directory : directory, ca,
                           crl, &next);
    if (status != LB_OK) {
        lb_log_failure("trust_reload_failed", status);
        return;  /* `files` stays as it was, so the next call tries again */
    }
    trust->files = *now;
    replace(trust, next);
}

void lb_trust_reload(struct lb_trust *trust)
{
    (void)pthread_mutex_lock(&trust->reloading);
    struct files now = look(trust);
    struct lb_arena *arena = lb_arena_new(LOAD_ARENA_BYTES);
    if (arena != NULL)
        apply_changes(trust, &now, arena);
    lb_arena_free(arena);
    (void)pthread_mutex_unlock(&trust->reloading);
}

/* --- life --- */

static lb_status copy_options(struct lb_trust *trust, const struct lb_trust_options *options)
{
    struct lb_arena *arena = trust->arena;
    trust->clock = options->clock;
    trust->look_only = options->look_only;
    trust->directory_path = lb_arena_str(arena, lb_span_str(options->directory_path));
    trust->ca_path = lb_arena_str(arena, lb_span_str(options->ca_path));
    trust->crl_path = lb_arena_str(arena, lb_span_str(options->crl_path));
    trust->state_folder = lb_arena_str(arena, lb_span_str(options->state_folder));
    trust->accept_path = lb_arena_printf(arena, "%s/accept", options->state_folder);
    LB_ENSURE(trust->directory_path != NULL && trust->ca_path != NULL && trust->crl_path != NULL &&
                  trust->state_folder != NULL && trust->accept_path != NULL,
              LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status parse_verifiers(struct lb_trust *trust, const struct lb_trust_options *options,
                                 struct lb_diag *diag)
{
    if (options->num_directory_vkeys == 0 || options->num_directory_vkeys > MAX_VERIFIERS) {
        lb_diag_set(diag, "directory keys: name 1 to %d", MAX_VERIFIERS);
        LB_FAIL(LB_CONFIG_INVALID, "no directory key, or too many");
    }
    for (size_t i = 0; i < options->num_directory_vkeys; i++) {
        lb_status status = lb_note_verifier_parse(lb_span_str(options->directory_vkeys[i]),
                                                  &trust->verifiers[trust->num_verifiers]);
        if (status != LB_OK) {
            lb_diag_set(diag, "directory key %zu: not a verifier key (<name>+<id>+<base64>)",
                        i + 1);
            LB_FAIL(LB_CONFIG_INVALID, "directory key is not a verifier key");
        }
        trust->num_verifiers++;
    }
    return LB_OK;
}

static lb_status load_first(struct lb_trust *trust, struct lb_diag *diag)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LOAD_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "no memory for an arena");
    LB_DEFER(directory_unrefp) struct lb_directory *directory = NULL;
    struct lb_span ca;
    trust->files = look(trust);
    lb_status status = trust->look_only ? LB_OK : lb_file_mkdirs(trust->state_folder);
    if (status != LB_OK) {
        lb_diag_set(diag, "%s: folder cannot be made", trust->state_folder);
        return status;
    }
    LB_TRY(load_ca(trust, arena, diag, &ca));
    LB_TRY(load_directory(trust, arena, diag, &directory));
    return lb_belief_new(1, directory, ca, load_crl(trust, arena), &trust->belief);
}

static void trust_freep(struct lb_trust **trust)
{
    lb_trust_free(*trust);
}

lb_status lb_trust_new(const struct lb_trust_options *options, struct lb_diag *diag,
                       struct lb_trust **out_trust)
{
    LB_DEFER(trust_freep) struct lb_trust *trust = calloc(1, sizeof(*trust));
    LB_ENSURE(trust != NULL, LB_NO_MEMORY, "no memory for trust");
    (void)pthread_mutex_init(&trust->reloading, NULL);
    (void)pthread_mutex_init(&trust->lock, NULL);
    trust->arena = lb_arena_new(OPTIONS_ARENA_BYTES);
    trust->cache = lb_peer_cache_new();
    trust->hashes = lb_chain_hashes_new();
    LB_ENSURE(trust->arena != NULL && trust->cache != NULL && trust->hashes != NULL, LB_NO_MEMORY,
              "no memory for trust");
    LB_TRY(copy_options(trust, options));
    LB_TRY(parse_verifiers(trust, options, diag));
    LB_TRY(load_first(trust, diag));
    *out_trust = trust;
    trust = NULL;
    return LB_OK;
}

void lb_trust_free(struct lb_trust *trust)
{
    if (trust == NULL)
        return;
    for (size_t i = 0; i < trust->num_verifiers; i++)
        lb_note_verifier_cleanup(&trust->verifiers[i]);
    lb_belief_unref(trust->belief);
    lb_peer_cache_free(trust->cache);
    lb_chain_hashes_free(trust->hashes);
    lb_arena_free(trust->arena);
    (void)pthread_mutex_destroy(&trust->reloading);
    (void)pthread_mutex_destroy(&trust->lock);
    free(trust);
}

struct lb_directory *lb_trust_directory(struct lb_trust *trust)
{
    LB_DEFER(lb_belief_unrefp) struct lb_belief *belief = current(trust);
    lb_directory_ref(belief->directory);
    return belief->directory;
}

/* --- judging peers --- */

/* Whether the chain was verified lately; its hash is filled in in any case. */
static bool find_cached(struct lb_trust *trust, const char *spiffe, struct lb_span chain_pem,
                        struct lb_peer_entry *like, struct lb_peer_entry *out_entry)
{
    (void)pthread_mutex_lock(&trust->lock);
    bool known = lb_chain_hashes_find(trust->hashes, spiffe, chain_pem, like->sha256);
    bool found = known && lb_peer_cache_find(trust->cache, like, out_entry);
    (void)pthread_mutex_unlock(&trust->lock);
    if (known)
        return found;
    lb_sha256(chain_pem, like->sha256);
    (void)pthread_mutex_lock(&trust->lock);
    found = lb_peer_cache_find(trust->cache, like, out_entry);
    if (found)
        lb_chain_hashes_put(trust->hashes, spiffe, chain_pem, like->sha256);
    (void)pthread_mutex_unlock(&trust->lock);
    return found;
}

static void put_cached(struct lb_trust *trust, const struct lb_peer_entry *entry)
{
    (void)pthread_mutex_lock(&trust->lock);
    lb_peer_cache_put(trust->cache, entry);
    (void)pthread_mutex_unlock(&trust->lock);
}

static lb_status check_chain(struct lb_trust *trust, const struct lb_belief *belief,
                             const char *spiffe, struct lb_span chain_pem,
                             struct lb_peer_entry *out_entry)
{
    struct lb_peer_entry entry = {
        .generation = belief->generation,
        .checked_unix_s = lb_clock_unix_s(trust->clock),
    };
    if (find_cached(trust, spiffe, chain_pem, &entry, out_entry))
        return LB_OK;
    const struct lb_x509_anchors anchors = {
        .ca_pem = belief->ca_pem,
        .crl_pem = belief->crl_pem,
        .ca_spki_pins = belief->directory->pins,
        .num_pins = belief->directory->num_pins,
    };
    struct lb_cert_info leaf;
    LB_TRY(lb_x509_verify_until(&anchors, chain_pem, entry.checked_unix_s, &leaf,
                                &entry.until_unix_s));
    memcpy(entry.spiffe, leaf.spiffe, sizeof(entry.spiffe));
    put_cached(trust, &entry);
    *out_entry = entry;
    return LB_OK;
}

static lb_status find_node(const struct lb_trust *trust, const struct lb_belief *belief,
                           const char *spiffe, const struct lb_node **out_node)
{
    LB_ENSURE(lb_clock_unix_s(trust->clock) < belief->directory->expires, LB_DIRECTORY_INVALID,
              "the directory has expired");
    const struct lb_node *node = lb_directory_node(belief->directory, spiffe);
    LB_ENSURE(node != NULL, LB_PEER_UNLISTED, "the peer is not in the directory");
    *out_node = node;
    return LB_OK;
}

lb_status lb_trust_verify_peer(struct lb_trust *trust, const char *spiffe,
                               struct lb_span chain_pem)
{
    LB_DEFER(lb_belief_unrefp) struct lb_belief *belief = current(trust);
    LB_ENSURE(belief->crl_pem.len > 0, LB_CRL_STALE, "there is no revocation list");
    LB_ENSURE(chain_pem.len > 0 && chain_pem.len <= LB_MAX_PEM_BYTES, LB_PEER_UNVERIFIED,
              "chain is empty or too large");
    struct lb_peer_entry leaf;
    const struct lb_node *node = NULL;
    LB_TRY(check_chain(trust, belief, spiffe, chain_pem, &leaf));
    LB_ENSURE(leaf.spiffe[0] != 0 && strcmp(leaf.spiffe, spiffe) == 0, LB_PEER_UNVERIFIED,
              "certificate is of another id");
    return find_node(trust, belief, spiffe, &node);
}

lb_status lb_trust_need_kind(struct lb_trust *trust, const char *spiffe, enum lb_node_kind kind)
{
    LB_DEFER(lb_belief_unrefp) struct lb_belief *belief = current(trust);
    const struct lb_node *node = NULL;
    lb_status status = find_node(trust, belief, spiffe, &node);
    if (lb_status_code(status) == LB_PEER_UNLISTED)
        LB_FAIL(LB_ROLE_NOT_ALLOWED, "the peer is not in the directory");
    LB_TRY(status);
    LB_ENSURE(node->kind == kind, LB_ROLE_NOT_ALLOWED, "the peer is of another kind");
    return LB_OK;
}

lb_status lb_trust_need_log(struct lb_trust *trust, const char *spiffe, const char *origin)
{
    LB_DEFER(lb_belief_unrefp) struct lb_belief *belief = current(trust);
    const struct lb_node *node = lb_directory_node(belief->directory, spiffe);
    LB_ENSURE(node != NULL && node->log_origin != NULL && strcmp(node->log_origin, origin) == 0,
              LB_KEY_CHANGED, "the directory lists another log of this member");
    return LB_OK;
}
