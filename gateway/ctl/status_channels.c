#include "gateway/ctl/status_channels.h"

#include "gateway/ctl/say.h"

const struct lb_ctl_column lb_status_channel_columns[LB_CHANNEL_NUM_CELLS] = {
    [LB_CHANNEL_LEVEL] = {"level", "level", "级别", LB_CTL_IN_TABLE, false},
    [LB_CHANNEL_PEER] = {"peer", "peer", "对方", LB_CTL_IN_TABLE, false},
    [LB_CHANNEL_STATE] = {"state", "state", "状态", LB_CTL_IN_TABLE, false},
    [LB_CHANNEL_SINCE] = {"since_seconds", "for s", "持续（秒）", LB_CTL_IN_TABLE, true},
    [LB_CHANNEL_STARTED] = {"started", "calls", "调用", LB_CTL_IN_TABLE, true},
    [LB_CHANNEL_SUCCEEDED] = {"succeeded", "ok", "成功", LB_CTL_IN_TABLE, true},
    [LB_CHANNEL_FAILED] = {"failed", "failed", "失败", LB_CTL_IN_TABLE, true},
    [LB_CHANNEL_OPEN] = {"open", "open", "进行中", LB_CTL_IN_TABLE, true},
    [LB_CHANNEL_WAITING] = {"waiting", "waiting", "排队", LB_CTL_IN_TABLE, true},
    [LB_CHANNEL_TARGET] = {"target", "address", "地址", LB_CTL_NOT_SHOWN, false},
    [LB_CHANNEL_CODE] = {"last_failure", "last failure", "最近失败", LB_CTL_UNDER_ROW, false},
    [LB_CHANNEL_CODE_SINCE] = {"last_failure_seconds", "s ago", "秒前", LB_CTL_UNDER_ROW, true},
    [LB_CHANNEL_BYTES] = {"waiting_bytes", "bytes", "字节", LB_CTL_NOT_SHOWN, true},
    [LB_CHANNEL_BROKER] = {"broker", "broker", "转发节点", LB_CTL_NOT_SHOWN, false},
};

static const char *number(struct lb_arena *arena, uint64_t value)
{
    return lb_arena_printf(arena, "%llu", (unsigned long long)value);
}

static const char *seconds(struct lb_arena *arena, int64_t now_ms, int64_t then_ms)
{
    bool known = then_ms > 0 && then_ms <= now_ms;
    return known ? number(arena, (uint64_t)(now_ms - then_ms) / 1000) : "";
}

static const char *state_word(const struct lb_ctl_env *env, Lianban__V1__ChannelStatus__State state)
{
    static const char *const names[] = {"idle", "connecting", "ready", "failing", "listening"};
    static const char *const zh[] = {"空闲", "连接中", "已连接", "连不上", "监听"};
    size_t i = (size_t)state < sizeof(names) / sizeof(names[0]) ? (size_t)state : 0;
    return env->json ? names[i] : lb_ctl_pick(env, zh[i], names[i]);
}

enum lb_status_level lb_status_channel(const struct lb_ctl_env *env, struct lb_arena *arena,
                                       const Lianban__V1__GetChannelsResponse *response,
                                       const Lianban__V1__ChannelStatus *channel,
                                       const char *cells[LB_CHANNEL_NUM_CELLS])
{
    int64_t now = response->unix_ms;
    uint64_t over = channel->succeeded + channel->failed;
    cells[LB_CHANNEL_PEER] = channel->peer[0] == 0 ? channel->target : channel->peer;
    cells[LB_CHANNEL_STATE] = state_word(env, channel->state);
    cells[LB_CHANNEL_SINCE] = seconds(arena, now, channel->since_unix_ms);
    cells[LB_CHANNEL_STARTED] = number(arena, channel->started);
    cells[LB_CHANNEL_SUCCEEDED] = number(arena, channel->succeeded);
    cells[LB_CHANNEL_FAILED] = number(arena, channel->failed);
    cells[LB_CHANNEL_OPEN] = number(arena, channel->started > over ? channel->started - over : 0);
    cells[LB_CHANNEL_WAITING] = number(arena, channel->queued_messages);
    cells[LB_CHANNEL_TARGET] = channel->target;
    cells[LB_CHANNEL_CODE] = channel->last_failure;
    cells[LB_CHANNEL_CODE_SINCE] = seconds(arena, now, channel->last_failed_unix_ms);
    cells[LB_CHANNEL_BYTES] = number(arena, channel->queued_bytes);
    cells[LB_CHANNEL_BROKER] = response->broker;
    return channel->state == LIANBAN__V1__CHANNEL_STATUS__STATE__FAILING ? LB_STATUS_YELLOW
                                                                         : LB_STATUS_GREEN;
}

enum lb_status_level lb_status_queue(const struct lb_ctl_env *env, struct lb_arena *arena,
                                     const Lianban__V1__GetChannelsResponse *response,
                                     const Lianban__V1__QueueStatus *queue,
                                     const char *cells[LB_CHANNEL_NUM_CELLS])
{
    cells[LB_CHANNEL_PEER] = queue->name;
    cells[LB_CHANNEL_STATE] = env->json ? "queue" : lb_ctl_pick(env, "队列", "queue");
    cells[LB_CHANNEL_WAITING] = number(arena, queue->waiting);
    cells[LB_CHANNEL_BROKER] = response->broker;
    return LB_STATUS_GREEN;
}
