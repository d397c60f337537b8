#ifndef GATEWAY_CTL_STATUS_PARCELS_H
#define GATEWAY_CTL_STATUS_PARCELS_H

#include "gateway/ctl/sheet.h"
#include "gateway/ctl/status_judge.h"

/* Inside gateway/ctl: the rows of `lianban status --parcels`. */
enum lb_status_parcel_cell {
    LB_PARCEL_LEVEL, LB_PARCEL_CODE, LB_PARCEL_AWAY, LB_PARCEL_SENDER, LB_PARCEL_RECIPIENT,
    LB_PARCEL_SINCE, LB_PARCEL_TRIES, LB_PARCEL_NEXT, LB_PARCEL_LEFT, LB_PARCEL_NAME,
    LB_PARCEL_ENTRY, LB_PARCEL_BROKER, LB_PARCEL_NUM_CELLS
};
extern const struct lb_ctl_column lb_status_parcel_columns[LB_PARCEL_NUM_CELLS];

/* lb_status_parcel fills in all cells but the level, which it returns: yellow for one that came to
 * nothing, or that waits for somebody. Texts are in the arena, or the message's. */
enum lb_status_level lb_status_parcel(struct lb_arena *arena,
                                      const Lianban__V1__GetParcelsResponse *response,
                                      const Lianban__V1__ParcelStatus *parcel,
                                      const char *cells[LB_PARCEL_NUM_CELLS]);

#endif
