#include <string.h>

#include "gateway/exchange/inside.h"
#include "gateway/token/grant.h"

/* A grant that has just ended ends the reads under way that stand on it: their caller is told at
 * once and not when the department's database has finished. What an adapter still answers finds
 * nobody waiting; the adapter itself judges anyway. */

#define CUT_ARENA_BYTES (256U * 1024)

/* What has ended: everything under a list that it does not call valid, or one grant. */
struct cut {
    struct lb_exchange *exchange;
    int64_t now_unix_s;
    const struct lb_status_list *list;  /* NULL for one grant */
    const char *issuer;
    const char *jti;
    const char *last_grant;             /* judged last, and what came of it */
    enum lb_code last_code;
};

static enum lb_code judge(const struct cut *cut, const char *jwt)
{
    struct lb_grant grant;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(CUT_ARENA_BYTES);
    if (arena == NULL || lb_grant_peek(lb_span_str(jwt), arena, &grant) != LB_OK)
        return LB_CODE_OK;
    if (cut->list == NULL) {
        bool same = strcmp(grant.issuer, cut->issuer) == 0 && strcmp(grant.jti, cut->jti) == 0;
        return same ? LB_GRANT_REVOKED : LB_CODE_OK;
    }
    if (grant.status_uri == NULL ||
        strcmp(grant.status_uri, lb_status_list_uri(cut->list)) != 0 ||
        strcmp(grant.issuer, lb_status_list_issuer(cut->list)) != 0)
        return LB_CODE_OK;
    enum lb_code code =
        lb_status_code(lb_status_list_check(cut->list, grant.status_index, cut->now_unix_s));
    return code == LB_GRANT_REVOKED || code == LB_GRANT_SUSPENDED ? code : LB_CODE_OK;
}

static void end_read(struct lb_exchange *exchange, struct routed_read *read, enum lb_code code)
{
    if (!lb_read_claim(read))
        return;
    struct adapter *adapter = lb_exchange_adapter(exchange, read->request->audience);
    struct lb_broker_link *link =
        adapter == NULL ? NULL : lb_exchange_take_link(exchange, adapter);
    if (link != NULL) {
        if (lb_broker_link_forget(link, read))
            lb_collect_release(read->collect);
        lb_broker_link_unref(link);
    }
    lb_read_close(read, code, NULL);
}

/* The collect is held. A household's reads under one grant stand together. */
static void cut_collect(struct cut *cut, struct lb_collect *collect)
{
    for (size_t i = 0; i < collect->num_reads; i++) {
        struct routed_read *read = &collect->reads[i];
        if (!lb_read_hold_sent(read))
            continue;
        const char *grant = read->request->grant;
        if (cut->last_grant == NULL || strcmp(grant, cut->last_grant) != 0)
            cut->last_code = judge(cut, grant);
        cut->last_grant = grant;
        if (cut->last_code != LB_CODE_OK)
            end_read(cut->exchange, read, cut->last_code);
        lb_collect_release(collect);
    }
    cut->last_grant = NULL; /* it goes with the collect */
}

/* The next collect behind `last` in the list, with a reference; NULL at the end. New ones come in
 * at the front and need no cut: what they send on, the adapters judge by the newer state. */
static struct lb_collect *hold_next(struct lb_exchange *exchange, const struct lb_collect *last)
{
    struct lb_collect *found = NULL;
    (void)pthread_mutex_lock(&exchange->lock);
    struct lb_collect *c = last == NULL ? exchange->collects : last->next;
    for (; c != NULL && found == NULL; c = c->next) {
        (void)pthread_mutex_lock(&c->lock);
        if (c->refs > 0) { /* one without is being freed */
            c->refs++;
            found = c;
        }
        (void)pthread_mutex_unlock(&c->lock);
    }
    (void)pthread_mutex_unlock(&exchange->lock);
    return found;
}

static void cut_all(struct cut *cut)
{
    cut->now_unix_s = lb_clock_unix_s(cut->exchange->options.clock);
    struct lb_collect *collect = hold_next(cut->exchange, NULL);
    while (collect != NULL) {
        cut_collect(cut, collect);
        struct lb_collect *next = hold_next(cut->exchange, collect);
        lb_collect_release(collect);
        collect = next;
    }
}

void lb_cut_by_list(struct lb_exchange *exchange, const void *ended)
{
    struct cut cut = {.exchange = exchange, .list = ended};
    cut_all(&cut);
}

void lb_cut_by_withdrawal(struct lb_exchange *exchange, const void *ended)
{
    const struct lb_grant *grant = ended;
    struct cut cut = {.exchange = exchange, .issuer = grant->issuer, .jti = grant->jti};
    cut_all(&cut);
}
