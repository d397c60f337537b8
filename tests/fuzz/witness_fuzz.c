#include "gateway/evidence/add_checkpoint.h"
#include "gateway/evidence/witness_policy.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* What logs and witnesses send each other, and the policies that name them. */

#define ARENA_BYTES (16U << 20)
#define NAME "test.gov/auditor/office"
#define ORIGIN "test.gov/adapter/tax"
#define TIME INT64_C(1679315147)

static struct lb_cosigner cosigner_of(void)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_cosigner cosigner;
    (void)lb_sign_key_public(fuzz_keys()->ed25519, raw);
    FUZZ_OK(lb_cosigner_init(NAME, raw, &cosigner));
    return cosigner;
}

static struct lb_span checkpoint_of(uint64_t size, struct lb_arena *arena)
{
    struct lb_checkpoint checkpoint = {.origin = ORIGIN, .size = size, .root = {{7}}};
    struct lb_span note;
    FUZZ_OK(lb_checkpoint_sign(&checkpoint, fuzz_keys()->ed25519, arena, &note));
    return note;
}

/* --- cosignatures --- */

/* What verifies was signed at that time: signing again gives the line that was found. */
static bool try_cosigned(struct lb_span note, struct lb_arena *arena)
{
    struct lb_cosigner cosigner = cosigner_of();
    struct lb_span line = LB_SPAN_EMPTY, again;
    int64_t unix_s = 0;
    lb_status status = lb_cosign_verify(note, &cosigner, &unix_s, &line);
    lb_cosigner_cleanup(&cosigner);
    if (status != LB_OK)
        return false;
    FUZZ_CHECK(unix_s > 0);
    FUZZ_OK(lb_cosign(note, NAME, fuzz_keys()->ed25519, unix_s, arena, &again));
    FUZZ_CHECK(lb_span_eq(line, again));
    return true;
}

static bool try_cosigner_key(struct lb_span in, struct lb_arena *arena)
{
    struct lb_cosigner cosigner;
    if (lb_cosigner_parse(in, &cosigner) != LB_OK)
        return false;
    const char *text = lb_cosigner_format(&cosigner, arena);
    FUZZ_CHECK(text != NULL && lb_span_is(in, text));
    lb_cosigner_cleanup(&cosigner);
    return true;
}

bool fuzz_cosignature(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    if ((fuzz_u8(&in) & 1) != 0)
        return try_cosigner_key(in, arena);
    return try_cosigned(in, arena);
}

void seed_cosignature(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_cosigner cosigner = cosigner_of();
    struct lb_span note = checkpoint_of(8, arena), line;
    FUZZ_OK(lb_cosign(note, NAME, fuzz_keys()->ed25519, TIME, arena, &line));
    const char *both = lb_arena_printf(arena, "%.*s%.*s", (int)note.len, (const char *)note.ptr,
                                       (int)line.len, (const char *)line.ptr);
    fuzz_seed(sink, 0, lb_span_str(both));
    fuzz_seed(sink, 1, lb_span_str(lb_cosigner_format(&cosigner, arena)));
    lb_cosigner_cleanup(&cosigner);
}

/* --- add-checkpoint --- */

/* Every body has one text, and none is judged otherwise than by the specification's numbers. */
bool fuzz_add_checkpoint(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_add_checkpoint request;
    struct lb_span again;
    if (lb_add_checkpoint_parse(in, &request) != LB_OK)
        return false;
    FUZZ_CHECK(request.num_proof <= LB_ADD_CHECKPOINT_MAX_PROOF && request.origin.len > 0);
    FUZZ_OK(lb_add_checkpoint_write(request.old_size, request.proof, request.num_proof,
                                    request.note, arena, &again));
    FUZZ_CHECK(lb_span_eq(in, again));
    const struct lb_checkpoint next = {.size = 8, .root = {{7}}};
    const struct lb_hash latest = {{5}};
    enum lb_witness_answer answer = lb_add_checkpoint_judge(&request, &next, 5, &latest);
    FUZZ_CHECK(answer == LB_WITNESS_BAD_REQUEST ? request.old_size > 8
               : answer == LB_WITNESS_CONFLICT  ? request.old_size != 5
                                                : answer == LB_WITNESS_INCONSISTENT);
    return true;
}

void seed_add_checkpoint(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const struct lb_hash proof[3] = {{{1}}, {{2}}, {{3}}};
    struct lb_span body;
    FUZZ_OK(lb_add_checkpoint_write(0, proof, 0, checkpoint_of(0, arena), arena, &body));
    fuzz_seed_plain(sink, body);
    FUZZ_OK(lb_add_checkpoint_write(5, proof, 3, checkpoint_of(8, arena), arena, &body));
    fuzz_seed_plain(sink, body);
}

/* --- policies --- */

/* Whatever is read: more cosignatures never meet less, and groups know only what is there. */
bool fuzz_witness_policy(struct lb_span in)
{
    struct lb_witness_policy *policy = NULL;
    struct lb_diag diag = {""};
    lb_status status = lb_witness_policy_parse(in, "fuzz", &diag, &policy);
    if (status != LB_OK) {
        FUZZ_CHECK(status->code == LB_CONFIG_INVALID && strncmp(diag.text, "fuzz:", 5) == 0);
        return false;
    }
    uint64_t members = 0;
    for (size_t i = 0; i < policy->num_groups; i++) {
        FUZZ_CHECK((members & policy->groups[i].members) == 0);
        FUZZ_CHECK(policy->groups[i].threshold >= 1);
        members |= policy->groups[i].members;
        FUZZ_CHECK(policy->groups[i].members >> (32 + i) == 0);
    }
    uint32_t mask = 0;
    bool met = lb_witness_policy_met(policy, 0);
    FUZZ_CHECK(met == (policy->quorum == LB_QUORUM_NONE));
    for (size_t i = 0; i < policy->num_witnesses; i++) {
        mask |= UINT32_C(1) << i;
        FUZZ_CHECK(!met || lb_witness_policy_met(policy, mask));
        met = lb_witness_policy_met(policy, mask);
    }
    FUZZ_CHECK(met); /* all of them meet any quorum */
    lb_witness_policy_free(policy);
    return true;
}

void seed_witness_policy(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_cosigner cosigner = cosigner_of();
    const char *vkey = lb_cosigner_format(&cosigner, arena);
    fuzz_seed_text(sink, "# nobody\nquorum none\n");
    fuzz_seed_text(
        sink, lb_arena_printf(
                  arena,
                  "log monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT\n"
                  "witness office %s spiffe://test.gov/auditor/office\n"
                  "witness remora remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7on"
                  "lmtw2\n"
                  "group one any office\n\tgroup two 2  one remora\nquorum two\n",
                  vkey));
    lb_cosigner_cleanup(&cosigner);
}
