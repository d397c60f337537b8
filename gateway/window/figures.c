#include "gateway/window/figures.h"

#include <string.h>

#include "gateway/window/casework.h"
#include "policy/engine/date.h"

/*
 * GetFigures: a month's figures, small cells left out. A month's alone, and only once it is over:
 * periods that overlap, or grow from one day to the next, would tell a small one by their
 * difference. What would follow from the total is left out with it.
 */

#define SMALL 10

/* --- what may be told --- */

static bool is_small(int64_t part, int64_t whole)
{
    return part < SMALL || whole - part < SMALL;
}

/* Whether a total gives away what is left out: it does not when nothing is, or when it is of two
 * rows at least that come to enough together. */
static bool gives_away(size_t hidden, int64_t cases)
{
    return hidden == 1 || (hidden > 1 && cases < SMALL);
}

static lb_status new_share(struct lb_arena *arena, bool shown, int64_t cases,
                           Lianban__V1__FigureShare **out)
{
    Lianban__V1__FigureShare *share = lb_arena_alloc(arena, sizeof(*share));
    LB_ENSURE(share != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__figure_share__init(share);
    share->shown = shown;
    share->cases = shown ? (uint64_t)cases : 0;
    *out = share;
    return LB_OK;
}

/* Which of a row's shares may be shown. */
struct shown {
    bool manual, decided, departed;
};

static struct shown shown_of(const struct lb_figures *f)
{
    const struct shown shown = {
        .manual = !is_small(f->manual, f->cases),
        .decided = !is_small(f->decided, f->cases) || f->decided == f->cases,
        .departed = !is_small(f->departed, f->decided),
    };
    return shown;
}

static lb_status write_row(const char *form, const struct lb_figures *f, struct shown shown,
                           struct lb_arena *arena, Lianban__V1__Figures **out)
{
    Lianban__V1__Figures *row = lb_arena_alloc(arena, sizeof(*row));
    LB_ENSURE(row != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__figures__init(row);
    row->form = (char *)(uintptr_t)form;
    *out = row;
    if (f == NULL)
        return LB_OK;
    row->shown = true;
    row->cases = (uint64_t)f->cases;
    row->facts = (uint64_t)f->facts;
    row->facts_prefilled = (uint64_t)f->prefilled;
    row->documents_saved = (uint64_t)f->saved;
    row->days_to_decision = shown.decided ? (uint64_t)f->days : 0;
    LB_TRY(new_share(arena, shown.manual, f->manual, &row->manual));
    LB_TRY(new_share(arena, shown.decided, f->decided, &row->decided));
    return new_share(arena, shown.decided && shown.departed, f->departed, &row->departed);
}

/* --- rows and total --- */

struct total {
    struct lb_figures sum;
    size_t hidden, hidden_manual, hidden_decided, hidden_departed;   /* rows without it */
    int64_t cases, manual, not_manual, decided, undecided, departed, followed;  /* in those */
};

static void add_sum(const struct lb_figures *f, struct lb_figures *sum)
{
    sum->cases += f->cases;
    sum->facts += f->facts;
    sum->prefilled += f->prefilled;
    sum->saved += f->saved;
    sum->manual += f->manual;
    sum->decided += f->decided;
    sum->departed += f->departed;
    sum->days += f->days;
}

static void add_to_total(const struct lb_figures *f, bool row_shown, struct shown shown,
                         struct total *total)
{
    add_sum(f, &total->sum);
    if (!row_shown) {
        total->hidden++;
        total->cases += f->cases;
    }
    if (!row_shown || !shown.manual) {
        total->hidden_manual++;
        total->manual += f->manual;
        total->not_manual += f->cases - f->manual;
    }
    if (!row_shown || !shown.decided) {
        total->hidden_decided++;
        total->decided += f->decided;
        total->undecided += f->cases - f->decided;
    }
    if (!row_shown || !shown.decided || !shown.departed) {
        total->hidden_departed++;
        total->departed += f->departed;
        total->followed += f->decided - f->departed;
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static lb_status write_total(const struct total *total, struct lb_arena *arena,
                             Lianban__V1__GetFiguresResponse *out)
{
    struct shown shown = shown_of(&total->sum);
    if (total->sum.cases < SMALL || gives_away(total->hidden, total->cases))
        return LB_OK;
    shown.manual = shown.manual && !gives_away(total->hidden_manual,
                                               least(total->manual, total->not_manual));
    shown.decided = shown.decided && !gives_away(total->hidden_decided,
                                                 least(total->decided, total->undecided));
    shown.departed = shown.departed && !gives_away(total->hidden_departed,
                                                   least(total->departed, total->followed));
    return write_row("", &total->sum, shown, arena, &out->total);
}

static lb_status write_all(const struct lb_figures_row *rows, size_t num, struct lb_arena *arena,
                           Lianban__V1__GetFiguresResponse *out)
{
    struct total total = {.hidden = 0};
    out->forms = lb_arena_array(arena, num, sizeof(out->forms[0]));
    LB_ENSURE(out->forms != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        const struct lb_figures *f = &rows[i].figures;
        bool row_shown = f->cases >= SMALL;
        struct shown shown = shown_of(f);
        add_to_total(f, row_shown, shown, &total);
        LB_TRY(write_row(rows[i].form, row_shown ? f : NULL, shown, arena, &out->forms[i]));
        out->n_forms++;
    }
    return write_total(&total, arena, out);
}

/* A month that is over, by this machine's own calendar. */
static lb_status check_month(const struct lb_window *window, const char *month)
{
    char today[LB_CASE_DATE_BYTES];
    int64_t number = 0;
    lb_case_day(lb_clock_unix_s(window->options.clock), today);
    LB_ENSURE(lb_month_parse(lb_span_str(month), &number), LB_MALFORMED, "not a month");
    LB_ENSURE(strncmp(month, today, LB_FIGURES_MONTH_BYTES - 1) < 0, LB_MALFORMED,
              "the month is not over");
    return LB_OK;
}

lb_status lb_window_figures(struct lb_window *window,
                            const Lianban__V1__GetFiguresRequest *request, struct lb_arena *arena,
                            Lianban__V1__GetFiguresResponse **out)
{
    struct lb_figures_row *rows = NULL;
    size_t num = 0;
    LB_TRY(check_month(window, request->month));
    Lianban__V1__GetFiguresResponse *response = lb_arena_alloc(arena, sizeof(*response));
    LB_ENSURE(response != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__get_figures_response__init(response);
    response->month = lb_arena_str(arena, lb_span_str(request->month));
    LB_ENSURE(response->month != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_case_store_figures(window->store, request->month, arena, &rows, &num));
    LB_TRY(write_all(rows, num, arena, response));
    *out = response;
    return LB_OK;
}
