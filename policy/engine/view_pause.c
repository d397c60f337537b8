#include "policy/engine/view_private.h"

/* The hours at which a department does not want its database asked. */

#define MAX_PAUSES 8
#define DAY_MINUTES 1440
#define WEEK_MINUTES (7 * DAY_MINUTES)
#define EVERY_DAY 0x7FU

static const char *const day_names[7] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

/* HH:MM, 24:00 being the end of the day. */
static bool read_time(const char *text, int *out)
{
    if (strlen(text) != 5 || text[2] != ':')
        return false;
    for (size_t i = 0; i < 5; i++)
        if (i != 2 && (text[i] < '0' || text[i] > '9'))
            return false;
    int hour = (text[0] - '0') * 10 + text[1] - '0';
    int minute = (text[3] - '0') * 10 + text[4] - '0';
    *out = hour * 60 + minute;
    return minute < 60 && *out <= DAY_MINUTES;
}

static lb_status need_time(const struct lb_view_loader *loader, const struct lb_yaml_node *map,
                           const char *key, int *out)
{
    const struct lb_yaml_node *node = NULL;
    const char *text = NULL;
    LB_TRY(lb_yaml_need(map, key, loader->diag, &node));
    LB_TRY(lb_yaml_text(node, loader->diag, &text));
    if (!read_time(text, out))
        return lb_yaml_fail(node, loader->diag,
                            "%s is a time of the department's day; write it as in \"02:30\"", key);
    return LB_OK;
}

static lb_status load_day(const struct lb_view_loader *loader, const struct lb_yaml_node *node,
                          unsigned *days)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_text(node, loader->diag, &text));
    for (unsigned i = 0; i < 7; i++) {
        if (strcmp(day_names[i], text) != 0)
            continue;
        *days |= 1U << i;
        return LB_OK;
    }
    return lb_yaml_fail(node, loader->diag,
                        "a day is mon, tue, wed, thu, fri, sat or sun; write one of them");
}

static lb_status load_pause(const struct lb_view_loader *loader, const struct lb_yaml_node *node,
                            struct lb_view_pause *out)
{
    static const char *const keys[] = {"days", "from", "to", NULL};
    LB_TRY(lb_yaml_only(node, keys, loader->diag));
    const struct lb_yaml_node *days = lb_yaml_get(node, "days");
    out->days = days == NULL ? EVERY_DAY : 0;
    if (days != NULL)
        LB_TRY(lb_word_list(days, 7, loader->diag));
    for (size_t i = 0; days != NULL && i < lb_yaml_len(days); i++)
        LB_TRY(load_day(loader, lb_yaml_item(days, i), &out->days));
    LB_TRY(need_time(loader, node, "from", &out->from));
    LB_TRY(need_time(loader, node, "to", &out->to));
    if (out->from == out->to || out->from == DAY_MINUTES)
        return lb_yaml_fail(node, loader->diag,
                            "a pause begins and ends at different times of the day; a view that is "
                            "never to be asked is shut by `lianban view close`");
    return LB_OK;
}

lb_status lb_view_load_pauses(const struct lb_view_loader *loader, const struct lb_yaml_node *root,
                              struct lb_view *view)
{
    const struct lb_yaml_node *list = lb_yaml_get(root, "maintenance");
    if (list == NULL)
        return LB_OK;
    LB_TRY(lb_word_list(list, MAX_PAUSES, loader->diag));
    size_t num = lb_yaml_len(list);
    struct lb_view_pause *pauses = lb_arena_array(loader->arena, num, sizeof(*pauses));
    LB_ENSURE(pauses != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++)
        LB_TRY(load_pause(loader, lb_yaml_item(list, i), &pauses[i]));
    view->pauses = pauses;
    view->num_pauses = num;
    return LB_OK;
}

/* Of one pause, from its beginning on one day: the minutes that are left of it. */
static int left_of(const struct lb_view_pause *pause, int day, int minute_of_week)
{
    int length = pause->to - pause->from + (pause->to > pause->from ? 0 : DAY_MINUTES);
    int gone = minute_of_week - day * DAY_MINUTES - pause->from;
    gone = (gone + 2 * WEEK_MINUTES) % WEEK_MINUTES;
    return gone < length ? length - gone : 0;
}

int lb_view_pause_left(const struct lb_view *view, int minute_of_week)
{
    int longest = 0;
    for (size_t i = 0; i < view->num_pauses; i++)
        for (int day = 0; day < 7; day++) {
            const struct lb_view_pause *pause = &view->pauses[i];
            int left = (pause->days & 1U << day) != 0 ? left_of(pause, day, minute_of_week) : 0;
            longest = left > longest ? left : longest;
        }
    return longest;
}

void lb_view_put_pauses(const struct lb_view *view, struct lb_buf *line)
{
    for (size_t i = 0; i < view->num_pauses; i++) {
        const struct lb_view_pause *pause = &view->pauses[i];
        lb_buf_printf(line, " %02d:%02d-%02d:%02d", pause->from / 60, pause->from % 60,
                      pause->to / 60, pause->to % 60);
        const char *before = " on ";
        for (unsigned day = 0; day < 7 && pause->days != EVERY_DAY; day++) {
            if ((pause->days & 1U << day) == 0)
                continue;
            lb_buf_printf(line, "%s%s", before, day_names[day]);
            before = ",";
        }
    }
}
