#include "gateway/ctl/status_parcels.h"

#include "gateway/base/hex.h"
#include "gateway/ctl/say.h"

#define NAME_BYTES 16

const struct lb_ctl_column lb_status_parcel_columns[LB_PARCEL_NUM_CELLS] = {
    [LB_PARCEL_LEVEL] = {"level", "level", "级别", LB_CTL_IN_TABLE, false},
    [LB_PARCEL_CODE] = {"code", "code", "代码", LB_CTL_IN_TABLE, false},
    [LB_PARCEL_AWAY] = {"away", "waits for", "等待原因", LB_CTL_IN_TABLE, false},
    [LB_PARCEL_SENDER] = {"sender", "from", "发送方", LB_CTL_IN_TABLE, false},
    [LB_PARCEL_RECIPIENT] = {"recipient", "for", "接收方", LB_CTL_IN_TABLE, false},
    [LB_PARCEL_SINCE] = {"since_seconds", "for s", "已存（秒）", LB_CTL_IN_TABLE, true},
    [LB_PARCEL_TRIES] = {"tries", "tries", "已试次数", LB_CTL_IN_TABLE, true},
    [LB_PARCEL_NEXT] = {"next_try_seconds", "again in s", "下次（秒后）", LB_CTL_IN_TABLE, true},
    [LB_PARCEL_LEFT] = {"left_seconds", "ends in s", "到期（秒后）", LB_CTL_NOT_SHOWN, true},
    [LB_PARCEL_NAME] = {"name", "name", "名称", LB_CTL_UNDER_ROW, false},
    [LB_PARCEL_ENTRY] = {"entry", "entry", "存证条目", LB_CTL_UNDER_ROW, true},
    [LB_PARCEL_BROKER] = {"broker", "broker", "转发节点", LB_CTL_NOT_SHOWN, false},
};

static const char *number(struct lb_arena *arena, int64_t value)
{
    return lb_arena_printf(arena, "%lld", (long long)value);
}

static const char *name_of(struct lb_arena *arena, ProtobufCBinaryData name)
{
    char hex[2 * NAME_BYTES + 1] = "";
    if (name.len == NAME_BYTES)
        lb_hex_encode(lb_span_of(name.data, name.len), hex);
    return lb_arena_str(arena, lb_span_str(hex));
}

enum lb_status_level lb_status_parcel(struct lb_arena *arena,
                                      const Lianban__V1__GetParcelsResponse *response,
                                      const Lianban__V1__ParcelStatus *parcel,
                                      const char *cells[LB_PARCEL_NUM_CELLS])
{
    int64_t now = response->unix_ms / 1000;
    bool held = strcmp(parcel->code, "HELD") == 0;
    cells[LB_PARCEL_CODE] = parcel->code;
    cells[LB_PARCEL_AWAY] = parcel->away;
    cells[LB_PARCEL_SENDER] = parcel->sender;
    cells[LB_PARCEL_RECIPIENT] = parcel->recipient;
    cells[LB_PARCEL_SINCE] = number(arena, now - parcel->since_unix_s);
    cells[LB_PARCEL_TRIES] = number(arena, parcel->tries);
    if (parcel->next_try_unix_s != 0)
        cells[LB_PARCEL_NEXT] = number(arena, parcel->next_try_unix_s - now);
    cells[LB_PARCEL_LEFT] = number(arena, parcel->expires_unix_s - now);
    cells[LB_PARCEL_NAME] = name_of(arena, parcel->name);
    cells[LB_PARCEL_ENTRY] = number(arena, (int64_t)parcel->entry);
    cells[LB_PARCEL_BROKER] = response->broker;
    bool well = strcmp(parcel->code, "DELIVERED") == 0 || (held && parcel->away[0] == 0);
    return well ? LB_STATUS_GREEN : LB_STATUS_YELLOW;
}
