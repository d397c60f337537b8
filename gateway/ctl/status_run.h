#ifndef GATEWAY_CTL_STATUS_RUN_H
#define GATEWAY_CTL_STATUS_RUN_H

#include "gateway/ctl/doctor_config.h"
#include "gateway/ctl/doctor_port.h"
#include "gateway/ctl/sheet.h"
#include "gateway/ctl/status_judge.h"

/* Inside gateway/ctl: one `lianban status`, and what it may ask of a broker but the members. */
#define LB_STATUS_MAX_BROKERS 16

struct lb_status_target {
    const char *spiffe;
    const char *endpoint;
};

struct lb_status_run {
    struct lb_ctl_env *env;
    struct lb_arena *arena;       /* of one round */
    struct lb_doctor_config config;
    struct lb_ctl_doctor_port port;
    struct lb_status_target brokers[LB_STATUS_MAX_BROKERS];
    size_t num_brokers;
    bool channels;                /* the brokers' own connections */
    bool parcels;                 /* what they hold */
    struct lb_ctl_sheet sheet;
    enum lb_status_level worst;
    size_t num[3];
};

/* lb_status_level_word is a level for people, or for programs. */
const char *lb_status_level_word(const struct lb_ctl_env *env, enum lb_status_level level);
/* lb_status_row adds a row, whose first cell is its level, and counts it. */
void lb_status_row(struct lb_status_run *status, enum lb_status_level level, const char **cells);

/* lb_status_ask_channels asks a broker for its own connections, lb_status_ask_parcels for what it
 * holds, and adds a row for each; a broker that does not answer is one in red. */
void lb_status_ask_channels(struct lb_status_run *status, const struct lb_status_target *broker);
void lb_status_ask_parcels(struct lb_status_run *status, const struct lb_status_target *broker);

#endif
