#ifndef GATEWAY_CTL_STATUS_CHANNELS_H
#define GATEWAY_CTL_STATUS_CHANNELS_H

#include "gateway/ctl/sheet.h"
#include "gateway/ctl/status_judge.h"

/* Inside gateway/ctl: the rows of `lianban status --channels`. */
enum lb_status_channel_cell {
    LB_CHANNEL_LEVEL, LB_CHANNEL_PEER, LB_CHANNEL_STATE, LB_CHANNEL_SINCE, LB_CHANNEL_STARTED,
    LB_CHANNEL_SUCCEEDED, LB_CHANNEL_FAILED, LB_CHANNEL_OPEN, LB_CHANNEL_WAITING,
    LB_CHANNEL_TARGET, LB_CHANNEL_CODE, LB_CHANNEL_CODE_SINCE, LB_CHANNEL_BYTES,
    LB_CHANNEL_BROKER, LB_CHANNEL_NUM_CELLS
};
extern const struct lb_ctl_column lb_status_channel_columns[LB_CHANNEL_NUM_CELLS];

/* lb_status_channel fills in all cells but the level, which it returns: yellow for one that can't
 * be reached. Texts are in the arena, or the message's. */
enum lb_status_level lb_status_channel(const struct lb_ctl_env *env, struct lb_arena *arena,
                                       const Lianban__V1__GetChannelsResponse *response,
                                       const Lianban__V1__ChannelStatus *channel,
                                       const char *cells[LB_CHANNEL_NUM_CELLS]);
/* lb_status_queue does the same for what waits inside the broker. */
enum lb_status_level lb_status_queue(const struct lb_ctl_env *env, struct lb_arena *arena,
                                     const Lianban__V1__GetChannelsResponse *response,
                                     const Lianban__V1__QueueStatus *queue,
                                     const char *cells[LB_CHANNEL_NUM_CELLS]);

#endif
