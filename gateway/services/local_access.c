#include "gateway/services/local_access.h"

#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define SCHEME "Bearer "

lb_status lb_local_access_check(const uint8_t *secret, struct lb_span authorization)
{
    size_t scheme = sizeof(SCHEME) - 1;
    uint8_t shown[LB_LOCAL_SECRET_BYTES];
    LB_ENSURE(authorization.len == scheme + 2 * sizeof(shown) &&
                  memcmp(authorization.ptr, SCHEME, scheme) == 0,
              LB_AGENT_SECRET_WRONG, "no bearer secret");
    lb_status status = lb_hex_decode(
        lb_span_of(authorization.ptr + scheme, 2 * sizeof(shown)), shown, sizeof(shown));
    bool same = status == LB_OK && lb_crypto_equal(lb_span_of(shown, sizeof(shown)),
                                                       lb_span_of(secret, sizeof(shown)));
    lb_wipe(shown, sizeof(shown));
    LB_ENSURE(same, LB_AGENT_SECRET_WRONG, "another secret");
    return LB_OK;
}

lb_status lb_local_access_admit_http(void *ctx, struct lb_span authorization)
{
    return lb_local_access_check(ctx, authorization);
}

lb_status lb_local_access_admit_rpc(void *ctx, const struct lb_rpc_call_info *info)
{
    return lb_local_access_check(ctx, lb_rpc_call_metadata(info, "authorization"));
}
