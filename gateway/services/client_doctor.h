#ifndef GATEWAY_SERVICES_CLIENT_DOCTOR_H
#define GATEWAY_SERVICES_CLIENT_DOCTOR_H

#include "gateway/ctl/doctor_port.h"

/* lb_client_open_doctor makes the port of `lianban doctor` (lb_ctl_doctor_ways.open).
 * CONFIG_INVALID with a sentence in diag when certificate, key and CA don't fit together;
 * VERSION_UNSUPPORTED, NO_MEMORY. */
LB_MUST lb_status lb_client_open_doctor(const struct lb_ctl_node_files *files,
                                        const struct lb_clock *clock, struct lb_diag *diag,
                                        struct lb_ctl_doctor_port *out);

#endif
