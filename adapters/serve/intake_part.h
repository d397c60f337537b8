#ifndef ADAPTERS_SERVE_INTAKE_PART_H
#define ADAPTERS_SERVE_INTAKE_PART_H

#include "gateway/base/status.h"
#include "lianban/v1/parcel.pb-c.h"

/* What a part may hold, besides what proto/lianban/v1/parcel.proto says. */
#define LB_INTAKE_MAX_FACTS 512
#define LB_INTAKE_MAX_PAPERS 32
#define LB_INTAKE_MAX_NOTE_BYTES 2048
#define LB_INTAKE_MAX_LAW_BYTES 256

/* lb_intake_part_check judges a part by itself, whoever sent it: a known kind with the `about` it
 * needs; every text one line of UTF-8 within its bound; 1 to LB_MAX_HOUSEHOLD people with valid
 * identity numbers, the first of whom it is about; facts of these people, in known states and
 * grades; hashes of their size. MALFORMED; pure. */
LB_MUST lb_status lb_intake_part_check(const Lianban__V1__Part *part);

#endif
