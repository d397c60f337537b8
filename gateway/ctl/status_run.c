#include "gateway/ctl/status_run.h"

#include "gateway/ctl/say.h"
#include "gateway/ctl/status_channels.h"
#include "gateway/ctl/status_parcels.h"

const char *lb_status_level_word(const struct lb_ctl_env *env, enum lb_status_level level)
{
    static const char *const names[] = {"green", "yellow", "red"};
    static const char *const zh[] = {"绿", "黄", "红"};
    return env->json ? names[level] : lb_ctl_pick(env, zh[level], names[level]);
}

void lb_status_row(struct lb_status_run *status, enum lb_status_level level, const char **cells)
{
    cells[0] = lb_status_level_word(status->env, level);
    lb_ctl_sheet_row(&status->sheet, cells);
    status->num[level]++;
    if (level > status->worst)
        status->worst = level;
}

/* --- its connections --- */

void lb_status_ask_channels(struct lb_status_run *status, const struct lb_status_target *broker)
{
    Lianban__V1__GetChannelsResponse *response = NULL;
    lb_status asked = status->port.channels(status->port.ctx, broker->endpoint, broker->spiffe,
                                            status->arena, &response);
    if (asked != LB_OK) {
        const char *cells[LB_CHANNEL_NUM_CELLS] = {NULL};
        cells[LB_CHANNEL_PEER] = cells[LB_CHANNEL_BROKER] = broker->spiffe;
        cells[LB_CHANNEL_CODE] = lb_code_name(asked->code);
        lb_status_row(status, LB_STATUS_RED, cells);
        return;
    }
    for (size_t i = 0; i < response->n_channels; i++) {
        const char *cells[LB_CHANNEL_NUM_CELLS] = {NULL};
        enum lb_status_level level = lb_status_channel(status->env, status->arena, response,
                                                       response->channels[i], cells);
        lb_status_row(status, level, cells);
    }
    for (size_t i = 0; i < response->n_queues; i++) {
        const char *cells[LB_CHANNEL_NUM_CELLS] = {NULL};
        enum lb_status_level level = lb_status_queue(status->env, status->arena, response,
                                                     response->queues[i], cells);
        lb_status_row(status, level, cells);
    }
    if (response->omitted > 0)
        lb_ctl_sheet_number(&status->sheet, "omitted", "未列出", "not listed", response->omitted);
}

/* --- what it holds --- */

void lb_status_ask_parcels(struct lb_status_run *status, const struct lb_status_target *broker)
{
    Lianban__V1__GetParcelsResponse *response = NULL;
    lb_status asked = status->port.parcels(status->port.ctx, broker->endpoint, broker->spiffe,
                                           status->arena, &response);
    if (asked != LB_OK) {
        const char *cells[LB_PARCEL_NUM_CELLS] = {NULL};
        cells[LB_PARCEL_BROKER] = cells[LB_PARCEL_RECIPIENT] = broker->spiffe;
        cells[LB_PARCEL_CODE] = lb_code_name(asked->code);
        lb_status_row(status, LB_STATUS_RED, cells);
        return;
    }
    for (size_t i = 0; i < response->n_parcels; i++) {
        const char *cells[LB_PARCEL_NUM_CELLS] = {NULL};
        enum lb_status_level level =
            lb_status_parcel(status->arena, response, response->parcels[i], cells);
        lb_status_row(status, level, cells);
    }
    if (response->omitted > 0)
        lb_ctl_sheet_number(&status->sheet, "omitted", "未列出", "not listed", response->omitted);
}
