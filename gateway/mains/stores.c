#include "gateway/mains/stores.h"

#include "adapters/serve/serve.h"
#include "gateway/consent/consent.h"
#include "gateway/evidence/cosigned.h"
#include "gateway/evidence/log.h"
#include "gateway/exchange/exchange.h"
#include "gateway/window/window.h"
#include "gateway/witness/witness.h"

#define MAX_KINDS 4

lb_status lb_stores_of(enum lb_node_kind kind, struct lb_arena *arena,
                       const struct lb_store_schema **out_kinds, size_t *out_num)
{
    struct lb_store_schema *kinds = lb_arena_array(arena, MAX_KINDS, sizeof(*kinds));
    LB_ENSURE(kinds != NULL, LB_NO_MEMORY, "arena is full");
    /* An adapter's memory of requests, and a broker's parcels, stand beside its log in one file. */
    const char *const *beside = NULL;
    if (kind == LB_NODE_ADAPTER)
        beside = lb_serve_migrations;
    else if (kind == LB_NODE_BROKER)
        beside = lb_outbox_migrations;
    LB_TRY(lb_log_kind(beside, arena, &kinds[0]));
    kinds[1] = lb_cosigned_schema;
    kinds[2] = lb_witness_schema;
    size_t num = 3;
    if (kind == LB_NODE_BROKER)
        kinds[num++] = lb_exchange_schema;
    if (kind == LB_NODE_CONSENT)
        kinds[num++] = lb_consent_schema;
    if (kind == LB_NODE_WINDOW)
        kinds[num++] = lb_window_schema;
    *out_kinds = kinds;
    *out_num = num;
    return LB_OK;
}
