#include "gateway/share/share.h"

#include "gateway/base/buf.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/share/pairs.h"

#define SET_LABEL "lianban share set v1"
#define MASK_LABEL "lianban share mask v1"
#define MAX_SET_BYTES (64 * 1024)

static lb_status check_sizes(const struct lb_share_run *run)
{
    LB_ENSURE(run->num_parts >= 1 && run->num_parts <= LB_MAX_SHARE_CONTRIBUTIONS, LB_TOO_LARGE,
              "contributions of a sum");
    LB_ENSURE(run->num_persons >= 1 && run->num_persons <= LB_MAX_HOUSEHOLD, LB_TOO_LARGE,
              "persons of a sum");
    for (size_t i = 0; i < run->num_parts; i++)
        LB_ENSURE(strlen(run->parts[i].spiffe) < LB_MAX_SPIFFE_BYTES &&
                      strlen(run->parts[i].key_id) < LB_MAX_SPIFFE_BYTES,
                  LB_TOO_LARGE, "names of a sum");
    return LB_OK;
}

static void put_part(struct lb_buf *text, const struct lb_share_part *part)
{
    lb_buf_put_field16(text, lb_span_str(part->spiffe));
    lb_buf_put_field16(text, lb_span_str(part->key_id));
    lb_buf_put(text, lb_span_of(part->public_key, sizeof(part->public_key)));
    lb_buf_put_field16(text, lb_span_str(part->view));
    lb_buf_put_field16(text, lb_span_str(part->field));
    lb_buf_put_u32(text, part->months);
}

lb_status lb_share_set(const struct lb_share_run *run, uint8_t out_set[LB_SHARE_SET_BYTES])
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) text;
    lb_buf_init(&text, MAX_SET_BYTES);
    LB_TRY(check_sizes(run));
    lb_buf_put_str(&text, SET_LABEL);
    lb_buf_put_field16(&text, lb_span_str(run->form));
    lb_buf_put_u32(&text, run->form_version);
    lb_buf_put(&text, lb_span_of(run->form_sha256, sizeof(run->form_sha256)));
    lb_buf_put_field16(&text, lb_span_str(run->slot));
    lb_buf_put_u16(&text, (uint16_t)run->num_parts);
    for (size_t i = 0; i < run->num_parts; i++)
        put_part(&text, &run->parts[i]);
    lb_buf_put_u16(&text, (uint16_t)run->num_persons);
    for (size_t i = 0; i < run->num_persons; i++)
        lb_buf_put(&text, lb_span_of(run->persons[i], sizeof(run->persons[i])));
    LB_TRY(lb_buf_check(&text));
    lb_sha256(lb_buf_span(&text), out_set);
    return LB_OK;
}

/* The keys that one department has in common with each part's, its own included. */
struct pair_keys {
    uint8_t of[LB_MAX_SHARE_CONTRIBUTIONS][LB_SHARE_PAIR_BYTES];
};

static void wipe_keys(struct pair_keys *keys)
{
    lb_wipe(keys, sizeof(*keys));
}

/* Several parts may be one department's: one key serves them all. */
static lb_status make_keys(const struct lb_share_run *run, size_t part,
                           const struct lb_x25519_key *own, struct lb_share_pairs *pairs,
                           struct pair_keys *keys)
{
    for (size_t i = 0; i < run->num_parts; i++) {
        size_t same = 0;
        while (strcmp(run->parts[same].spiffe, run->parts[i].spiffe) != 0)
            same++;
        if (same < i)
            memcpy(keys->of[i], keys->of[same], LB_SHARE_PAIR_BYTES);
        else
            LB_TRY(lb_share_pair(pairs, &run->parts[part], &run->parts[i], own, keys->of[i]));
    }
    return LB_OK;
}

/* What two participants have in common; `low` is the lesser number of the two. */
static uint64_t common_mask(const uint8_t key[LB_SHARE_PAIR_BYTES], struct lb_buf *text,
                            size_t fixed, size_t low, size_t high)
{
    uint8_t hash[LB_SHA256_BYTES];
    uint64_t mask = 0;
    text->len = fixed;
    lb_buf_put_u16(text, (uint16_t)low);
    lb_buf_put_u16(text, (uint16_t)high);
    lb_hmac_sha256(lb_span_of(key, LB_SHARE_PAIR_BYTES), lb_buf_span(text), hash);
    for (size_t i = 0; i < sizeof(mask); i++)
        mask = mask << 8 | hash[i];
    lb_wipe(hash, sizeof(hash));
    return mask;
}

static lb_status check_own(const struct lb_share_run *run, const struct lb_share_place *place,
                           const struct lb_x25519_key *own)
{
    LB_TRY(check_sizes(run));
    LB_ENSURE(place->person < run->num_persons && place->part < run->num_parts, LB_INTERNAL,
              "no such participant");
    LB_ENSURE(memcmp(run->parts[place->part].public_key, own->public_key, LB_X25519_BYTES) == 0,
              LB_INTERNAL, "not the part's own key");
    return LB_OK;
}

lb_status lb_share_mask(const struct lb_share_run *run, const uint8_t set[LB_SHARE_SET_BYTES],
                        const struct lb_share_place *place, const struct lb_x25519_key *own,
                        struct lb_share_pairs *pairs, uint64_t *out_mask)
{
    struct pair_keys LB_DEFER(wipe_keys) keys = {0};
    struct lb_buf LB_DEFER(lb_buf_cleanup) text;
    lb_buf_init(&text, 256);
    LB_TRY(check_own(run, place, own));
    LB_TRY(make_keys(run, place->part, own, pairs, &keys));
    lb_buf_put_str(&text, MASK_LABEL);
    lb_buf_put(&text, lb_span_of(run->nonce, sizeof(run->nonce)));
    lb_buf_put_u64(&text, (uint64_t)run->started_unix_s);
    lb_buf_put(&text, lb_span_of(set, LB_SHARE_SET_BYTES));
    size_t fixed = text.len;
    size_t mine = place->person * run->num_parts + place->part;
    uint64_t mask = 0;
    for (size_t other = 0; other < run->num_persons * run->num_parts; other++) {
        const uint8_t *key = keys.of[other % run->num_parts];
        if (mine < other)
            mask += common_mask(key, &text, fixed, mine, other);
        else if (mine > other)
            mask -= common_mask(key, &text, fixed, other, mine);
    }
    LB_TRY(lb_buf_check(&text));
    *out_mask = mask;
    return LB_OK;
}

lb_status lb_share_total(const uint64_t *shares, size_t num, int64_t *out_total)
{
    uint64_t total = 0;
    for (size_t i = 0; i < num; i++)
        total += shares[i];
    LB_ENSURE(total <= (uint64_t)LB_MAX_SHARE_VALUE, LB_MALFORMED, "shares that make no total");
    *out_total = (int64_t)total;
    return LB_OK;
}
