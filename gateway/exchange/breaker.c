#include "gateway/exchange/breaker.h"

uint64_t lb_breaker_asker(const char *organization)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a; the directory gives the names */
    for (const char *at = organization; *at != 0; at++)
        hash = (hash ^ (uint8_t)*at) * UINT64_C(1099511628211);
    return hash != 0 ? hash : 1;
}

static size_t find(const struct lb_breaker *breaker, uint64_t asker)
{
    size_t i = 0;
    while (i < LB_BREAKER_ASKERS && breaker->askers[i].asker != asker)
        i++;
    return i;
}

/* LB_BREAKER_ASKERS when there is no room. */
static size_t find_or_add(struct lb_breaker *breaker, uint64_t asker)
{
    size_t at = find(breaker, asker);
    if (at < LB_BREAKER_ASKERS)
        return at;
    at = find(breaker, 0);
    if (at < LB_BREAKER_ASKERS)
        breaker->askers[at].asker = asker;
    return at;
}

static bool is_ripe(const struct lb_breaker *breaker, size_t at)
{
    return at < LB_BREAKER_ASKERS && breaker->askers[at].failures >= LB_BREAKER_FAILURES;
}

/* One more makes it ripe. */
static bool is_suspect(const struct lb_breaker *breaker, size_t at)
{
    return at < LB_BREAKER_ASKERS && breaker->askers[at].failures + 1 >= LB_BREAKER_FAILURES;
}

static size_t count_ripe(const struct lb_breaker *breaker)
{
    size_t num = 0;
    for (size_t i = 0; i < LB_BREAKER_ASKERS; i++)
        num += is_ripe(breaker, i);
    return num;
}

/* One more failure of any that had enough is enough. */
static void half_open(struct lb_breaker *breaker)
{
    breaker->state = LB_BREAKER_HALF_OPEN;
    breaker->num_probes = 0;
    for (size_t i = 0; i < LB_BREAKER_ASKERS; i++) {
        breaker->askers[i].probes = 0;
        breaker->askers[i].failures = is_ripe(breaker, i) ? LB_BREAKER_FAILURES - 1 : 0;
    }
}

static bool may_probe(struct lb_breaker *breaker, uint64_t asker)
{
    size_t at = find_or_add(breaker, asker);
    if (at == LB_BREAKER_ASKERS || breaker->askers[at].probes >= LB_BREAKER_PROBES_EACH ||
        breaker->num_probes >= LB_BREAKER_PROBES)
        return false;
    breaker->askers[at].probes++;
    breaker->num_probes++;
    return true;
}

bool lb_breaker_asks(struct lb_breaker *breaker, uint64_t asker, int64_t now_ms, bool *out_probe)
{
    *out_probe = false;
    if (breaker->state == LB_BREAKER_OPEN && now_ms >= breaker->until_ms)
        half_open(breaker);
    switch (breaker->state) {
    case LB_BREAKER_OPEN:
        return !breaker->for_all && !is_ripe(breaker, find(breaker, asker));
    case LB_BREAKER_HALF_OPEN:
        if (!breaker->for_all && !is_suspect(breaker, find(breaker, asker)))
            return true;
        *out_probe = may_probe(breaker, asker);
        return *out_probe;
    case LB_BREAKER_CLOSED:
        break;
    }
    return true;
}

void lb_breaker_good(struct lb_breaker *breaker)
{
    *breaker = (struct lb_breaker){.state = LB_BREAKER_CLOSED};
}

void lb_breaker_neither(struct lb_breaker *breaker, uint64_t asker, bool probe)
{
    size_t at = find(breaker, asker);
    if (!probe || at == LB_BREAKER_ASKERS || breaker->askers[at].probes == 0)
        return;
    breaker->askers[at].probes--;
    breaker->num_probes--;
}

static void open_for_a_while(struct lb_breaker *breaker, int64_t now_ms)
{
    int64_t pause = breaker->pause_ms == 0 ? LB_BREAKER_FIRST_MS : 2 * breaker->pause_ms;
    breaker->pause_ms = pause > LB_BREAKER_LAST_MS ? LB_BREAKER_LAST_MS : pause;
    breaker->until_ms = now_ms + breaker->pause_ms;
    breaker->state = LB_BREAKER_OPEN;
}

void lb_breaker_bad(struct lb_breaker *breaker, uint64_t asker, int64_t now_ms, bool probe)
{
    size_t at = find_or_add(breaker, asker);
    lb_breaker_neither(breaker, asker, probe);
    if (at == LB_BREAKER_ASKERS ||
        (breaker->askers[at].failures > 0 &&
         now_ms - breaker->askers[at].failed_ms < LB_BREAKER_APART_MS))
        return;
    breaker->askers[at].failures++;
    breaker->askers[at].failed_ms = now_ms;
    if (!is_ripe(breaker, at))
        return;
    if (breaker->state != LB_BREAKER_OPEN)
        open_for_a_while(breaker, now_ms);
    breaker->for_all = count_ripe(breaker) >= 2;
}

void lb_breaker_retry(struct lb_breaker *breaker, int64_t now_ms)
{
    if (breaker->state == LB_BREAKER_OPEN)
        breaker->until_ms = now_ms;
}

const char *lb_breaker_state_name(enum lb_breaker_state state)
{
    static const char *const names[] = {"closed", "open", "half-open"};
    return names[state];
}
