#include "adapters/serve/try.h"

#include <string.h>

#include "adapters/serve/calendar.h"
#include "adapters/serve/policy.h"
#include "adapters/sources/config.h"
#include "adapters/sources/wants.h"
#include "gateway/base/clock.h"
#include "gateway/base/limits.h"

/* A shape that numbers of persons have, with a region and a date that none has. */
#define NOBODY "000000000000000000"

struct trying {
    const struct lb_source_plugin *plugin;
    struct lb_source *source;
    struct lb_source_limits limits;
    char today[LB_DATE_BYTES], this_month[LB_MONTH_BYTES], from_month[LB_MONTH_BYTES];
    int minute;  /* of the week */
    struct lb_source_param params[4];
    struct lb_arena *arena;  /* the caller's */
    struct lb_arena *rows;
};

static int64_t now_ms(void)
{
    return lb_clock_monotonic_ms(lb_clock_system());
}

static void set_params(struct trying *trying, int64_t unix_s)
{
    struct lb_clock_fixed clock;
    lb_clock_fixed_init(&clock, unix_s * 1000);
    lb_calendar_today(&clock.clock, trying->today);
    lb_calendar_month(trying->today, 0, trying->this_month);
    lb_calendar_month(trying->today, 12, trying->from_month);
    trying->minute = lb_calendar_minute(&clock.clock);
    trying->params[0] = (struct lb_source_param){"id_no", lb_span_str(NOBODY)};
    trying->params[1] = (struct lb_source_param){"today", lb_span_str(trying->today)};
    trying->params[2] = (struct lb_source_param){"this_month", lb_span_str(trying->this_month)};
    trying->params[3] = (struct lb_source_param){"from_month", lb_span_str(trying->from_month)};
}

static lb_status run_query(const struct trying *trying, struct lb_source_stmt *stmt)
{
    struct lb_source_result rows;
    return trying->plugin->read(stmt, trying->params, 4, &trying->limits, trying->rows, &rows);
}

static lb_status run_view(struct trying *trying, const struct lb_view *view, struct lb_diag *diag)
{
    struct lb_source_stmt *rows = NULL, *as_of = NULL;
    lb_arena_reset(trying->rows);
    LB_TRY(lb_sources_prepare(trying->plugin, trying->source, view, trying->arena, diag, &rows,
                              &as_of));
    LB_TRY(run_query(trying, rows));
    return as_of == NULL ? LB_OK : run_query(trying, as_of);
}

/* Whoever looks for trouble at night is no reason to ask it then. */
static lb_status try_now(struct trying *trying, const struct lb_view *view, struct lb_diag *diag)
{
    LB_ENSURE(lb_view_pause_left(view, trying->minute) == 0, LB_SOURCE_MAINTENANCE,
              "not to be asked at this hour");
    return run_view(trying, view, diag);
}

static lb_status try_view(struct trying *trying, const struct lb_view *view,
                          struct lb_tried_view *out)
{
    struct lb_diag diag = {""};
    int64_t began = now_ms();
    out->status = try_now(trying, view, &diag);
    out->took_ms = now_ms() - began;
    out->view = lb_arena_str(trying->arena, lb_span_str(view->id));
    out->word = lb_arena_str(trying->arena, lb_span_str(diag.text));
    LB_ENSURE(out->view != NULL && out->word != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status try_views(struct trying *trying, const struct lb_serve_policy *policy,
                           struct lb_tried *out)
{
    struct lb_tried_view *views =
        lb_arena_array(trying->arena, policy->num_views, sizeof(*views));
    LB_ENSURE(views != NULL, LB_NO_MEMORY, "arena is full");
    out->views = views;
    for (size_t i = 0; i < policy->num_views; i++) {
        if (policy->views[i]->source != LB_VIEW_DATABASE)
            continue;
        LB_TRY(try_view(trying, policy->views[i], &views[out->num_views]));
        out->num_views++;
    }
    return LB_OK;
}

static lb_status try_source(const struct lb_sources_config *config, const struct lb_try_ask *ask,
                            const struct lb_serve_policy *policy, struct lb_arena *arena,
                            struct lb_diag *diag, struct lb_tried *out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *rows = lb_arena_new(LB_CALL_ARENA_BYTES);
    const struct lb_source_plugin *plugin = config->plugin;
    struct lb_source_options options = config->options;
    struct trying trying = {.plugin = plugin, .arena = arena, .rows = rows,
                            .limits = lb_source_all(LB_MAX_ROWS_PER_READ, ask->timeout_ms)};
    struct lb_tried tried = {.open_ms = now_ms()};
    LB_ENSURE(rows != NULL, LB_NO_MEMORY, "arena");
    set_params(&trying, ask->unix_s);
    options.timeout_ms = ask->timeout_ms;
    LB_TRY(plugin->open(plugin->ctx, &options, diag, &trying.source));
    tried.open_ms = now_ms() - tried.open_ms;
    lb_status status = try_views(&trying, policy, &tried);
    plugin->close(trying.source);
    LB_TRY(status);
    *out = tried;
    return LB_OK;
}

static lb_status read_config(const char *path, struct lb_arena *arena, struct lb_diag *diag,
                             struct lb_sources_config *out)
{
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    const struct lb_yaml_node *source = NULL;
    LB_TRY(lb_yaml_load_file(path, diag, &yaml));
    LB_TRY(lb_yaml_need(lb_yaml_root(yaml), "source", diag, &source));
    return lb_sources_read(source, path, arena, diag, out);
}

lb_status lb_serve_try(const struct lb_try_ask *ask, struct lb_arena *arena, struct lb_diag *diag,
                       struct lb_tried *out)
{
    struct lb_serve_policy *policy = NULL;
    struct lb_sources_config config;
    LB_TRY(read_config(ask->config, arena, diag, &config));
    LB_TRY(lb_serve_policy_load(ask->policy, diag, &policy));
    lb_status status = try_source(&config, ask, policy, arena, diag, out);
    lb_serve_policy_free(policy);
    return status;
}
