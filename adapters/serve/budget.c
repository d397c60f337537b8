#include "adapters/serve/budget.h"

#include <string.h>

#include "gateway/crypto/hash.h"

enum statement { COUNT, SUM, PURGE, NUM_STATEMENTS };

static const char *const sql[NUM_STATEMENTS] = {
    [COUNT] = ("INSERT INTO budget(id, slot, used, ends) VALUES(?1, ?2, 1, ?3)"
               " ON CONFLICT(id, slot) DO UPDATE SET used = used + 1"),
    [SUM] = "SELECT sum(used) FROM budget WHERE id = ?1 AND slot >= ?2",
    [PURGE] = "DELETE FROM budget WHERE ends < ?1",
};

/* A window is `num_slots` full slots and the one that is running. */
struct window {
    const char *name;
    int64_t slot_s;
    int64_t num_slots;
};

static const struct window hour = {"hour", 300, 12};
static const struct window day = {"day", 3600, 24};

void lb_serve_budgets_init(struct lb_serve_budgets *budgets)
{
    *budgets = (struct lb_serve_budgets){.sql = {.texts = sql, .num = NUM_STATEMENTS}};
}

/* Whose answers in what: view, window and asker, each ended by a NUL. A person is one only within
 * an organization; a requester's own budget has no person. */
static void name_budget(const char *view, const struct window *window, const char *requester,
                        const char *person, uint8_t out[LB_SHA256_BYTES])
{
    const struct lb_span end = lb_span_of("", 1);
    const struct lb_span parts[] = {
        lb_span_str("lianban budget v1"), end, lb_span_str(view),   end, lb_span_str(window->name),
        end, lb_span_str(requester),      end, lb_span_str(person),
    };
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), out);
}

static lb_status count(struct lb_serve_budgets *budgets, struct lb_store *store, int64_t now,
                       const struct window *window, const uint8_t id[LB_SHA256_BYTES],
                       int64_t *out_sum)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    int64_t slot = now / window->slot_s;
    LB_TRY(lb_serve_sql_get(&budgets->sql, store, COUNT, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(id, LB_SHA256_BYTES)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, slot));
    LB_TRY(lb_stmt_bind_int(stmt, 3, (slot + 1 + window->num_slots) * window->slot_s));
    LB_TRY(lb_stmt_run(stmt));
    LB_TRY(lb_serve_sql_get(&budgets->sql, store, SUM, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(id, LB_SHA256_BYTES)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, slot - window->num_slots));
    LB_TRY(lb_stmt_step(stmt, &row));
    *out_sum = row ? lb_stmt_int(stmt, 0) : 0;
    lb_stmt_reset(stmt);
    return LB_OK;
}

struct ask {
    struct lb_serve_budgets *budgets;
    struct lb_store *store;
    int64_t now;
    const char *view;
};

static lb_status take(const struct ask *ask, const struct window *window, int64_t limit,
                      const char *requester, const char *person)
{
    uint8_t id[LB_SHA256_BYTES];
    int64_t used = 0;
    if (limit == 0)
        return LB_OK;
    name_budget(ask->view, window, requester, person, id);
    LB_TRY(count(ask->budgets, ask->store, ask->now, window, id, &used));
    LB_ENSURE(used <= limit, LB_BUDGET_EXHAUSTED, "the budget is used up");
    return LB_OK;
}

/* Once a minute at most: forgetting must not cost every read. */
static lb_status purge(struct lb_serve_budgets *budgets, struct lb_store *store, int64_t now)
{
    if (now < budgets->next_purge_unix_s)
        return LB_OK;
    budgets->next_purge_unix_s = now + 60;
    return lb_serve_sql_run(&budgets->sql, store, PURGE, now);
}

lb_status lb_serve_budgets_take(struct lb_serve_budgets *budgets, struct lb_store *store,
                                int64_t now_unix_s, const char *view,
                                const struct lb_budgets *limits,
                                const struct lb_budget_asker *asker)
{
    const struct ask ask = {budgets, store, now_unix_s, view};
    LB_TRY(purge(budgets, store, now_unix_s));
    LB_TRY(take(&ask, &hour, limits->each_requester.hour, asker->requester, ""));
    LB_TRY(take(&ask, &day, limits->each_requester.day, asker->requester, ""));
    LB_TRY(take(&ask, &hour, limits->each_operator.hour, asker->requester, asker->person));
    return take(&ask, &day, limits->each_operator.day, asker->requester, asker->person);
}
