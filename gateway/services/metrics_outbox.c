#include <inttypes.h>

#include "gateway/services/metrics_text.h"

/* What waits in a broker's outbox, by whom it is for. */

#define MAX_PARTIES 1024

/* Only whom the directory lists: what is for a member that was struck off waits for its end. */
static size_t drop_unlisted(struct lb_trust *trust, struct lb_outbox_party *parties, size_t num)
{
    struct lb_directory *directory = lb_trust_directory(trust);
    size_t kept = 0;
    for (size_t i = 0; i < num; i++) {
        if (lb_directory_node(directory, parties[i].party) != NULL)
            parties[kept++] = parties[i];
    }
    lb_directory_unref(directory);
    return kept;
}

lb_status lb_metrics_put_outbox(const struct lb_metrics_options *options, struct lb_arena *arena,
                                struct lb_buf *out)
{
    if (options->outbox == NULL)
        return LB_OK;
    int64_t now = lb_clock_unix_s(options->clock);
    struct lb_outbox_party *parties = lb_arena_array(arena, MAX_PARTIES, sizeof(*parties));
    LB_ENSURE(parties != NULL, LB_NO_MEMORY, "arena is full");
    size_t num = drop_unlisted(options->trust, parties,
                               lb_outbox_parties(options->outbox, parties, MAX_PARTIES));
    lb_metrics_gauge(out, "lianban_outbox_full_percent",
                     "How full the outbox is, by the limit that is nearest.",
                     (int64_t)lb_outbox_percent(options->outbox));
    lb_metrics_head(out, "lianban_parcels_waiting", "gauge", "Parcels held for a member.");
    for (size_t i = 0; i < num; i++)
        lb_buf_printf(out, "lianban_parcels_waiting{peer=\"%s\"} %zu\n", parties[i].party,
                      parties[i].num_waiting);
    lb_metrics_head(out, "lianban_parcels_oldest_seconds", "gauge",
                    "Since the oldest of them came; 0 for none.");
    for (size_t i = 0; i < num; i++)
        lb_buf_printf(out, "lianban_parcels_oldest_seconds{peer=\"%s\"} %" PRId64 "\n",
                      parties[i].party,
                      parties[i].num_waiting == 0 ? 0 : now - parties[i].oldest_unix_s);
    lb_metrics_head(out, "lianban_parcels_untold", "gauge",
                    "Parcels of a member that are over, of which it does not know yet.");
    for (size_t i = 0; i < num; i++)
        lb_buf_printf(out, "lianban_parcels_untold{peer=\"%s\"} %zu\n", parties[i].party,
                      parties[i].num_untold);
    return LB_OK;
}
