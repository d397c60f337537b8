#include "gateway/base/loopback.h"

#include <string.h>

#define MAX_PORT 65535

static lb_status parse_port(const char *text, uint16_t *out)
{
    uint32_t port = 0;
    LB_ENSURE(text[0] != 0 && (text[0] != '0' || text[1] == 0), LB_CONFIG_INVALID, "no port");
    for (; *text != 0; text++) {
        LB_ENSURE(*text >= '0' && *text <= '9', LB_CONFIG_INVALID, "port is not a number");
        port = port * 10 + (uint32_t)(*text - '0');
        LB_ENSURE(port <= MAX_PORT, LB_CONFIG_INVALID, "no such port");
    }
    *out = (uint16_t)port;
    return LB_OK;
}

lb_status lb_loopback_parse(const char *address, struct lb_loopback *out)
{
    static const char v4[] = "127.0.0.1:", v6[] = "[::1]:";
    struct lb_loopback found = {0};
    found.is_v6 = strncmp(address, v6, sizeof(v6) - 1) == 0;
    LB_ENSURE(found.is_v6 || strncmp(address, v4, sizeof(v4) - 1) == 0, LB_CONFIG_INVALID,
              "not an address of the loopback");
    LB_TRY(parse_port(address + (found.is_v6 ? sizeof(v6) : sizeof(v4)) - 1, &found.port));
    *out = found;
    return LB_OK;
}
