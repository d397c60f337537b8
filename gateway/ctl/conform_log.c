#include "gateway/ctl/conform.h"

#include <string.h>

#include "gateway/evidence/merkle.h"
#include "gateway/wire/pb.h"

/* The adapter's log, as any member may read it. Receipts are checked with every read. */

static lb_status checkpoint_from(struct lb_ctl_kit *kit, uint64_t from, const char **out_code,
                                 Lianban__V1__LogProgress **out)
{
    Lianban__V1__GetCheckpointRequest request = LIANBAN__V1__GET_CHECKPOINT_REQUEST__INIT;
    struct lb_span bytes = LB_SPAN_EMPTY;
    request.from_size = from;
    *out_code = lb_ctl_kit_call(kit, LB_CTL_KIT_WINDOW, "/lianban.v1.Evidence/GetCheckpoint",
                                &request, &bytes);
    if (strcmp(*out_code, "OK") != 0)
        return LB_OK;
    return lb_pb_unpack(&lianban__v1__log_progress__descriptor, bytes, kit->check_arena, out);
}

/* From what was seen before the first check: nothing may have been taken back meanwhile. */
static lb_status extends(struct lb_ctl_kit *kit, const char **out_found)
{
    Lianban__V1__LogProgress *progress = NULL;
    struct lb_checkpoint checkpoint;
    uint64_t before = kit->watch.size;
    LB_TRY(checkpoint_from(kit, before, out_found, &progress));
    if (progress == NULL)
        return LB_OK;
    lb_status status = lb_watch_advance(&kit->watch, progress, &checkpoint);
    *out_found = status != LB_OK ? lb_code_name(lb_status_code(status))
                 : checkpoint.size >= before + kit->num_entries
                     ? "OK"
                     : "fewer entries than it has shown";
    return LB_OK;
}

/* Times of grants and seals are judged by the adapter's clock, which its entries tell, those of
 * refusals too. */
static lb_status clock_agrees(struct lb_ctl_kit *kit, const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    struct lb_ctl_kit_answer answer;
    LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
    LB_TRY(lb_ctl_kit_try(kit, &ask, &answer));
    *out_found = answer.outer;
    if (answer.leaf.time_ms == 0)
        return LB_OK; /* refused without an entry */
    int64_t ahead_s = (answer.leaf.time_ms - lb_clock_unix_ms(kit->env->clock)) / 1000;
    *out_found = "within a minute";
    if (ahead_s >= -LB_CLOCK_SKEW_S && ahead_s <= LB_CLOCK_SKEW_S)
        return LB_OK;
    *out_found = lb_arena_printf(kit->check_arena, "%lld s ahead", (long long)ahead_s);
    LB_ENSURE(*out_found != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status longer(struct lb_ctl_kit *kit, const char **out_found)
{
    Lianban__V1__LogProgress *progress = NULL;
    return checkpoint_from(kit, UINT64_C(1) << 62, out_found, &progress);
}

static lb_status ask_proof(struct lb_ctl_kit *kit, uint64_t index, const struct lb_hash *leaf,
                           const char **out_found)
{
    Lianban__V1__GetProofRequest request = LIANBAN__V1__GET_PROOF_REQUEST__INIT;
    struct lb_span bytes = LB_SPAN_EMPTY;
    request.index = index;
    if (leaf != NULL)
        request.leaf_hash = lb_pb_bytes(lb_span_of(leaf->bytes, sizeof(leaf->bytes)));
    *out_found = lb_ctl_kit_call(kit, LB_CTL_KIT_WINDOW, "/lianban.v1.Evidence/GetProof",
                                 &request, &bytes);
    return LB_OK;
}

static lb_status bare_number(struct lb_ctl_kit *kit, const char **out_found)
{
    return ask_proof(kit, 0, NULL, out_found);
}

static lb_status other_leaf(struct lb_ctl_kit *kit, const char **out_found)
{
    const struct lb_hash nothing = {{0}};
    return ask_proof(kit, 0, &nothing, out_found);
}

static lb_status tile(struct lb_ctl_kit *kit, const char **out_found)
{
    Lianban__V1__GetTileRequest request = LIANBAN__V1__GET_TILE_REQUEST__INIT;
    Lianban__V1__GetTileResponse *reply = NULL;
    struct lb_span bytes = LB_SPAN_EMPTY;
    request.width = 1;
    *out_found =
        lb_ctl_kit_call(kit, LB_CTL_KIT_WINDOW, "/lianban.v1.Evidence/GetTile", &request, &bytes);
    if (strcmp(*out_found, "OK") != 0)
        return LB_OK;
    LB_TRY(lb_pb_unpack(&lianban__v1__get_tile_response__descriptor, bytes, kit->check_arena,
                        &reply));
    if (reply->hashes.len != LB_HASH_BYTES)
        *out_found = "a tile of another width";
    return LB_OK;
}

static lb_status absent_tile(struct lb_ctl_kit *kit, const char **out_found)
{
    Lianban__V1__GetTileRequest request = LIANBAN__V1__GET_TILE_REQUEST__INIT;
    struct lb_span bytes = LB_SPAN_EMPTY;
    request.width = 256;
    request.level = 60;
    *out_found =
        lb_ctl_kit_call(kit, LB_CTL_KIT_WINDOW, "/lianban.v1.Evidence/GetTile", &request, &bytes);
    return LB_OK;
}

const struct lb_ctl_check lb_ctl_checks_log[] = {
    {"clock.entry", "the time of the entry of a read", "查询存证的时间", "within a minute",
     .run = clock_agrees},
    {"log.extends", "the log extends what it was before the first check", "存证只增不减", "OK",
     .run = extends},
    {"log.longer", "a log longer than it is", "声称更长的日志", "LOG_BEHIND", .run = longer},
    {"log.bare-number", "an entry by its number alone", "仅凭序号索取条目", "ROLE_NOT_ALLOWED",
     .run = bare_number},
    {"log.other-leaf", "a proof of what is not there", "索取不存在条目的证明", "MALFORMED",
     .run = other_leaf},
    {"log.tile", "a tile of the log", "存证日志的分块", "OK", .run = tile},
    {"log.absent-tile", "a tile that the log does not have", "不存在的分块", "MALFORMED",
     .run = absent_tile},
    {.id = NULL},
};
