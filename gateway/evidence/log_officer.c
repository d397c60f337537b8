#include <stdio.h>
#include <stdlib.h>

#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/log_state.h"
#include "gateway/seal/hpke.h"

/* Another officer, while the log is in use. */

struct change {
    struct lb_log_entry entry;
    char detail[96];
};

void lb_log_officer_hash(const uint8_t officer_key[32], uint8_t out[32])
{
    const struct lb_span parts[] = {lb_span_str("lianban officer key v1"),
                                    lb_span_of(officer_key, 32)};
    lb_sha256_parts(parts, 2, out);
}

/* A key of small order would stop the log at the first detail. */
static lb_status check_key(const uint8_t officer_key[32])
{
    uint8_t sealed[32 + 1 + LB_AEAD_TAG_BYTES];
    LB_ENSURE(lb_hpke_seal_base(officer_key, LB_SPAN_EMPTY, LB_SPAN_EMPTY, lb_span_of("", 1),
                                sealed) == LB_OK,
              LB_CONFIG_INVALID, "nothing can be sealed to this officer's key");
    return LB_OK;
}

static lb_status describe(const uint8_t officer_key[32], struct change *change)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(4096);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "officer");
    const char *key = lb_b64url_encode(arena, lb_span_of(officer_key, 32));
    LB_ENSURE(key != NULL, LB_NO_MEMORY, "officer");
    int len = snprintf(change->detail, sizeof(change->detail), "{\"officer_key\":\"%s\"}", key);
    change->entry.leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .code = "OFFICER_KEY"};
    change->entry.detail = lb_span_of(change->detail, (size_t)len);
    lb_log_officer_hash(officer_key, change->entry.leaf.request_hash);
    change->entry.next_officer = officer_key;
    return LB_OK;
}

lb_status lb_log_change_officer(struct lb_log *log, const uint8_t officer_key[32])
{
    LB_ENSURE(log->writer.keyring != NULL, LB_CONFIG_INVALID, "this log keeps no details");
    LB_TRY(check_key(officer_key));
    struct change *change = calloc(1, sizeof(*change));
    LB_ENSURE(change != NULL, LB_NO_MEMORY, "officer");
    lb_status status = describe(officer_key, change);
    if (status == LB_OK)
        status = lb_log_append_wait(log, &change->entry);
    free(change);
    return status;
}
