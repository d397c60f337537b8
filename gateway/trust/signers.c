#include "gateway/trust/signers.h"

#include "gateway/trust/state.h"

#define SIGNERS_ARENA_BYTES (4 * LB_FILE_ARENA_BYTES)

struct verifiers {
    size_t num;
    struct lb_note_verifier list[2 * LB_MAX_SIGNERS];
};

static void cleanup(struct verifiers *verifiers)
{
    for (size_t i = 0; i < verifiers->num; i++)
        lb_note_verifier_cleanup(&verifiers->list[i]);
}

static lb_status parse(const struct lb_trust_signers *signers, struct lb_diag *diag,
                       struct verifiers *out)
{
    for (size_t i = 0; i < signers->num; i++) {
        if (lb_note_verifier_parse(lb_span_str(signers->vkeys[i]), &out->list[out->num]) != LB_OK) {
            lb_diag_set(diag, "directory signer %zu is not a verifier key (<name>+<id>+<base64>)",
                        i + 1);
            LB_FAIL(LB_CONFIG_INVALID, "a signer is no verifier key");
        }
        out->num++;
    }
    return LB_OK;
}

/* By the configured keys, but only what was accepted here already. */
static lb_status open_known(const struct lb_trust_signers *signers,
                            const struct lb_note_verifier *configured, size_t num_configured,
                            struct lb_span note, int64_t now_unix_s,
                            struct lb_directory **out_directory)
{
    struct lb_diag unused;
    struct lb_directory *directory = NULL;
    LB_TRY(lb_directory_open(note, configured, num_configured, now_unix_s, &unused, &directory));
    if (directory->version != signers->version ||
        memcmp(directory->sha256, signers->sha256, 32) != 0) {
        lb_directory_unref(directory);
        LB_FAIL(LB_DIRECTORY_INVALID, "signed by a key that may not sign any more");
    }
    *out_directory = directory;
    return LB_OK;
}

lb_status lb_signers_open(const char *folder, const struct lb_note_verifier *configured,
                          size_t num_configured, struct lb_span note, int64_t now_unix_s,
                          struct lb_diag *diag, struct lb_directory **out_directory)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(SIGNERS_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "no memory for an arena");
    LB_DEFER(cleanup) struct verifiers verifiers = {.num = 0};
    struct lb_trust_signers signers;
    LB_TRY(lb_trust_signers(folder, arena, diag, &signers));
    if (signers.num == 0)
        return lb_directory_open(note, configured, num_configured, now_unix_s, diag, out_directory);
    LB_TRY(parse(&signers, diag, &verifiers));
    lb_status status = lb_directory_open(note, verifiers.list, verifiers.num, now_unix_s, diag,
                                         out_directory);
    if (status == LB_OK || open_known(&signers, configured, num_configured, note, now_unix_s,
                                      out_directory) == LB_OK)
        return LB_OK;
    return status;
}
