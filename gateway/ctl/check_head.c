#include "gateway/ctl/check_head.h"

#include "gateway/base/hex.h"

void lb_ctl_put_head(const struct lb_ctl_env *env, const char *id, uint32_t version,
                     const uint8_t sha256[32])
{
    char hex[65];
    lb_hex_encode(lb_span_of(sha256, 32), hex);
    (void)fprintf(env->out, "%s v%u sha256 %s\n", id, version, hex);
}

struct lb_json *lb_ctl_head_json(const char *id, uint32_t version, const uint8_t sha256[32])
{
    char hex[65];
    struct lb_json *out = lb_json_object();
    lb_hex_encode(lb_span_of(sha256, 32), hex);
    lb_json_set_cstr(out, "id", id);
    lb_json_set_int(out, "version", version);
    lb_json_set_cstr(out, "sha256", hex);
    return out;
}
