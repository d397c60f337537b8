#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/status_list.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* Status lists: a token, its claims, and the zlib stream inside. */

#define ARENA_BYTES (16U << 20)
#define HEADER "{\"alg\":\"ES256\",\"typ\":\"statuslist+jwt\",\"kid\":\"hall-1\"}"
#define PAYLOAD                                                                                    \
    "{\"iss\":\"hall\",\"sub\":\"https://hall.example/1\",\"iat\":1800000000,"                     \
    "\"exp\":1800003600,\"ttl\":60,\"seq\":7,\"status_list\":{\"bits\":2,\"lst\":\"%s\"}}"
#define NOW INT64_C(1800000100)

static void check_list(const struct lb_status_list *list, struct lb_span token)
{
    uint8_t digest[32];
    lb_sha256(token, digest);
    FUZZ_CHECK(memcmp(digest, lb_status_list_sha256(list), 32) == 0);
    FUZZ_CHECK(lb_status_list_issuer(list)[0] != 0 && lb_status_list_uri(list)[0] != 0);
    /* Past the end there is no state, whether or not the list is in force now. */
    bool in_force = lb_status_code(lb_status_list_check(list, 0, NOW)) != LB_STATUS_STALE;
    enum lb_code past_end = in_force ? LB_GRANT_MALFORMED : LB_STATUS_STALE;
    FUZZ_CODE(lb_status_list_check(list, LB_MAX_STATUS_ENTRIES + 3, NOW), past_end);
    FUZZ_CODE(lb_status_list_check(list, UINT64_MAX, NOW), past_end);
    FUZZ_CHECK(lb_status_list_check(list, 0, INT64_MAX) != LB_OK);
    static const enum lb_code known[] = {LB_CODE_OK,         LB_GRANT_REVOKED, LB_GRANT_SUSPENDED,
                                         LB_USE_EXHAUSTED,   LB_STATUS_STALE,  LB_GRANT_MALFORMED};
    for (uint64_t i = 0; i < 64; i++) {
        enum lb_code code = lb_status_code(lb_status_list_check(list, i * i * i, NOW));
        bool is_known = false;
        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
            is_known = is_known || code == known[k];
        FUZZ_CHECK(is_known);
    }
}

/* 0: a token; 1: a payload; 2: a zlib stream. */
bool fuzz_status_list(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    uint8_t which = fuzz_u8(&in) % 3;
    struct lb_span token = in;
    struct lb_status_list *list = NULL;
    const char *issuer = NULL, *kid = NULL;
    if (which == 2)
        in = lb_span_str(lb_arena_printf(arena, PAYLOAD, lb_b64url_encode(arena, in)));
    if (which != 0)
        token = fuzz_jws(arena, lb_span_str(HEADER), in);
    lb_status peeked = lb_status_list_peek(token, arena, &issuer, &kid);
    if (lb_status_list_open(token, fuzz_keys()->es256_public, &list) != LB_OK) {
        FUZZ_CHECK(list == NULL);
        return false;
    }
    FUZZ_OK(peeked);
    FUZZ_CHECK(token.len <= LB_MAX_STATUS_LIST_BYTES);
    FUZZ_CHECK(strcmp(issuer, lb_status_list_issuer(list)) == 0 && kid[0] != 0);
    check_list(list, token);
    lb_status_list_unref(list);
    return true;
}

void seed_status_list(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    static const uint8_t states[100] = {0, 1, 2, 3, 0, 0, 1};
    struct lb_span token = LB_SPAN_EMPTY, payload = LB_SPAN_EMPTY;
    FUZZ_OK(lb_status_list_sign("hall", "hall-1", "https://hall.example/1", 7, 1800000000, 3600,
                                lb_span_of(states, sizeof(states)), fuzz_keys()->es256, arena,
                                &token));
    fuzz_seed(sink, 0, token);
    const uint8_t *first = memchr(token.ptr, '.', token.len);
    FUZZ_CHECK(first != NULL);
    const uint8_t *second =
        memchr(first + 1, '.', token.len - (size_t)(first + 1 - token.ptr));
    FUZZ_CHECK(second != NULL);
    FUZZ_OK(lb_b64url_decode(arena, lb_span_of(first + 1, (size_t)(second - first - 1)),
                             &payload));
    fuzz_seed(sink, 1, payload);
    /* The draft's own example of two bits, section 4.1. */
    struct lb_span zlib = LB_SPAN_EMPTY;
    FUZZ_OK(lb_b64url_decode(arena, lb_span_str("eNo76fITAAPfAgc"), &zlib));
    fuzz_seed(sink, 2, zlib);
}
