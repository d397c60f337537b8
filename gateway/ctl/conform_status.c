#include "gateway/ctl/conform.h"

#include <string.h>
#include <time.h>

#include "gateway/crypto/hash.h"
#include "gateway/token/status_list.h"
#include "gateway/wire/pb.h"

/* Status lists as the broker hands them on, and what they do to consents. */

#define INDEX 7
#define LONG_S 600
#define SHORT_S 3

static lb_status sign_list(struct lb_ctl_kit *kit, uint64_t seq, int64_t life_s,
                           const struct lb_sign_key *key, const char **out_token)
{
    struct lb_span token = LB_SPAN_EMPTY;
    LB_TRY(lb_status_list_sign("kit-office", "o1", LB_CTL_KIT_STATUS_URI, seq,
                               lb_clock_unix_s(kit->env->clock), life_s,
                               lb_span_of(kit->states, sizeof(kit->states)), key,
                               kit->check_arena, &token));
    *out_token = lb_arena_str(kit->check_arena, token);
    LB_ENSURE(*out_token != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* The acknowledgement of a list has to come with the adapter's own entry about it. */
static lb_status check_ack(const struct lb_ctl_kit *kit, const char *token,
                           const Lianban__V1__StatusAck *ack)
{
    struct lb_checkpoint checkpoint;
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint8_t digest[32];
    lb_sha256(lb_span_str(token), digest);
    LB_ENSURE(ack->log != NULL && ack->entry != NULL &&
                  lb_watch_check(&kit->watch, ack->log, &checkpoint) == LB_OK &&
                  lb_link_verify(ack->entry, &checkpoint, &leaf, &hash) == LB_OK,
              LB_RECEIPT_INVALID, "the list was acknowledged without an entry that holds");
    LB_ENSURE(leaf.type == LB_LEAF_ADMIN && strcmp(leaf.code, "STATUS_LIST") == 0 &&
                  memcmp(leaf.request_hash, digest, 32) == 0,
              LB_RECEIPT_INVALID, "the acknowledgement's entry is about something else");
    return LB_OK;
}

static lb_status push(struct lb_ctl_kit *kit, const char *token, const char **out_code)
{
    Lianban__V1__StatusAck *ack = NULL;
    LB_TRY(kit->port.push(kit->port.ctx, token, kit->check_arena, &ack));
    *out_code = ack->code;
    if (strcmp(ack->code, "OK") != 0)
        return LB_OK;
    LB_TRY(check_ack(kit, token, ack));
    kit->num_entries++;
    return LB_OK;
}

static lb_status push_list(struct lb_ctl_kit *kit, uint64_t seq, int64_t life_s,
                           const struct lb_sign_key *key, const char **out_code)
{
    const char *token = NULL;
    LB_TRY(sign_list(kit, seq, life_s, key, &token));
    return push(kit, token, out_code);
}

/* A newer list in which the consents of this run have a state. */
static lb_status set_state(struct lb_ctl_kit *kit, enum lb_grant_state state, int64_t life_s,
                           const char **out_code)
{
    kit->states[INDEX] = (uint8_t)state;
    return push_list(kit, ++kit->status_seq, life_s, kit->office_key, out_code);
}

static lb_status ask_consent(struct lb_ctl_kit *kit, const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    struct lb_ctl_kit_answer answer;
    LB_TRY(lb_ctl_kit_ask_consent(kit, &ask));
    LB_TRY(lb_ctl_kit_try(kit, &ask, &answer));
    *out_found = answer.outer;
    return LB_OK;
}

static lb_status list_accepted(struct lb_ctl_kit *kit, const char **out_found)
{
    return set_state(kit, LB_STATE_VALID, LONG_S, out_found);
}

static lb_status after_state(struct lb_ctl_kit *kit, enum lb_grant_state state,
                             const char **out_found)
{
    LB_TRY(set_state(kit, state, LONG_S, out_found));
    return strcmp(*out_found, "OK") == 0 ? ask_consent(kit, out_found) : LB_OK;
}

static lb_status valid(struct lb_ctl_kit *kit, const char **out_found)
{
    return after_state(kit, LB_STATE_VALID, out_found);
}

static lb_status suspended(struct lb_ctl_kit *kit, const char **out_found)
{
    return after_state(kit, LB_STATE_SUSPENDED, out_found);
}

static lb_status resumed(struct lb_ctl_kit *kit, const char **out_found)
{
    LB_TRY(suspended(kit, out_found));
    return strcmp(*out_found, "GRANT_SUSPENDED") == 0 ? valid(kit, out_found) : LB_OK;
}

static lb_status revoked(struct lb_ctl_kit *kit, const char **out_found)
{
    return after_state(kit, LB_STATE_INVALID, out_found);
}

/* Whatever is said of the older list: what was withdrawn stays so. */
static lb_status older(struct lb_ctl_kit *kit, const char **out_found)
{
    const char *unused = "";
    LB_TRY(valid(kit, out_found));
    if (strcmp(*out_found, "ANSWERED") == 0)
        LB_TRY(revoked(kit, out_found));
    if (strcmp(*out_found, "GRANT_REVOKED") != 0)
        return LB_OK;
    kit->states[INDEX] = LB_STATE_VALID;
    LB_TRY(push_list(kit, kit->status_seq - 1, LONG_S, kit->office_key, &unused));
    return ask_consent(kit, out_found);
}

static lb_status forked(struct lb_ctl_kit *kit, const char **out_found)
{
    LB_TRY(set_state(kit, LB_STATE_INVALID, LONG_S, out_found));
    if (strcmp(*out_found, "OK") != 0)
        return LB_OK;
    kit->states[INDEX] = LB_STATE_VALID;
    return push_list(kit, kit->status_seq, LONG_S, kit->office_key, out_found);
}

static lb_status forged(struct lb_ctl_kit *kit, const char **out_found)
{
    kit->states[INDEX] = LB_STATE_VALID;
    return push_list(kit, kit->status_seq + 1, LONG_S, kit->stranger_key, out_found);
}

static lb_status no_list(struct lb_ctl_kit *kit, const char **out_found)
{
    return push(kit, "eyJhbGciOiJub25lIn0.e30.", out_found);
}

/* --- consents that only a list in force lets come so far --- */

static lb_status in_force(struct lb_ctl_kit *kit)
{
    const char *code = "";
    LB_TRY(set_state(kit, LB_STATE_VALID, LONG_S, &code));
    LB_ENSURE(strcmp(code, "OK") == 0, LB_STATUS_STALE, "the list before it was refused");
    return LB_OK;
}

static lb_status office_signs_mandate(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask)
{
    ask->grant.issuer = "kit-office";
    ask->grant.kid = "o1";
    ask->grant.status_uri = LB_CTL_KIT_STATUS_URI;
    ask->grant.status_index = INDEX;
    ask->grant_key = kit->office_key;
    return in_force(kit);
}

static lb_status relative(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask)
{
    ask->section.relative = "child";
    ask->section.interest = "inheritance";
    return in_force(kit);
}

/* Without news the adapter stops by itself. */
static lb_status stale(struct lb_ctl_kit *kit, const char **out_found)
{
    const struct timespec past_its_end = {.tv_sec = SHORT_S + 1};
    LB_TRY(set_state(kit, LB_STATE_VALID, SHORT_S, out_found));
    if (strcmp(*out_found, "OK") != 0)
        return LB_OK;
    (void)nanosleep(&past_its_end, NULL);
    return ask_consent(kit, out_found);
}

const struct lb_ctl_check lb_ctl_checks_status[] = {
    {"status.accepted", "a new status list, acknowledged with its entry", "新状态列表及其存证",
     "OK", .run = list_accepted},
    {"status.valid", "a consent that the list calls valid", "列表载明有效的同意", "ANSWERED",
     .run = valid},
    {"status.office-mandate", "a mandate signed by the consent office",
     "同意服务机构签发的职权授权", "BASIS_NOT_ALLOWED", .spoil = office_signs_mandate},
    {"status.relative", "a relative where none is accepted", "不接受近亲属代为同意",
     "GIVER_NOT_ALLOWED", .spoil = relative, .consent = true},
    {"status.suspended", "a consent that the next list suspends", "其后列表暂停的同意",
     "GRANT_SUSPENDED", .run = suspended},
    {"status.resumed", "the same, resumed", "恢复后的同一同意", "ANSWERED", .run = resumed},
    {"status.revoked", "a consent that the next list revokes", "其后列表撤回的同意",
     "GRANT_REVOKED", .run = revoked},
    {"status.older", "the list of before, brought back", "重放的旧列表", "GRANT_REVOKED",
     .run = older},
    {"status.forked", "another list under the number in force", "同一序号的另一份列表",
     "STATUS_FORK", .run = forked},
    {"status.forged", "a list signed by somebody else", "他人签名的列表", "SIGNATURE_INVALID",
     .run = forged},
    {"status.none", "a list that is none", "不成列表的令牌", "GRANT_MALFORMED", .run = no_list},
    {"status.stale", "a consent once the list's time is over", "列表过期之后的同意", "STATUS_STALE",
     .run = stale},
    {.id = NULL},
};
