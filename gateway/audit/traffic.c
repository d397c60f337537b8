#include "gateway/audit/traffic.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/traffic_inside.h"
#include "gateway/base/hex.h"

/* Who works where, and the rows as the index would give them. */

uint64_t traffic_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

unsigned traffic_below(struct traffic *traffic, unsigned below)
{
    return (unsigned)(traffic_next(&traffic->random) % below);
}

bool traffic_chance(struct traffic *traffic, unsigned per_mille)
{
    return traffic_below(traffic, 1000) < per_mille;
}

void traffic_person(uint64_t person, uint8_t out[32])
{
    uint64_t state = person * UINT64_C(0x100000001B3) + 7;
    for (int i = 0; i < 4; i++) {
        uint64_t word = traffic_next(&state);
        memcpy(out + 8 * i, &word, 8);
    }
}

static void actor_name(unsigned operator_no, char out[33])
{
    uint64_t state = operator_no + 1000003U;
    uint64_t words[2] = {traffic_next(&state), traffic_next(&state)};
    lb_hex_encode(lb_span_of(words, sizeof(words)), out);
}

void traffic_add(struct traffic *traffic, const struct traffic_event *event)
{
    if (traffic->num == traffic->cap) {
        traffic->cap = traffic->cap == 0 ? 4096 : 2 * traffic->cap;
        struct traffic_event *grown =
            realloc(traffic->events, traffic->cap * sizeof(*traffic->events));
        if (grown == NULL)
            abort();
        traffic->events = grown;
    }
    traffic->events[traffic->num] = *event;
    traffic->events[traffic->num].made = traffic->num;
    traffic->num++;
}

static int by_time(const void *a, const void *b)
{
    const struct traffic_event *left = a, *right = b;
    if (left->time_ms != right->time_ms)
        return left->time_ms < right->time_ms ? -1 : 1;
    return (left->made > right->made) - (left->made < right->made);
}

struct traffic *traffic_new(const struct traffic_options *options)
{
    struct traffic *traffic = calloc(1, sizeof(*traffic));
    if (traffic == NULL)
        return NULL;
    traffic->options = *options;
    traffic->random = options->seed;
    traffic_live(traffic);
    if (options->misuse)
        traffic_misuse(traffic);
    qsort(traffic->events, traffic->num, sizeof(*traffic->events), by_time);
    return traffic;
}

void traffic_free(struct traffic *traffic)
{
    if (traffic == NULL)
        return;
    free(traffic->events);
    free(traffic);
}

size_t traffic_num(const struct traffic *traffic)
{
    return traffic->num;
}

enum traffic_kind traffic_kind_of(const struct traffic *traffic, uint64_t index)
{
    return traffic->events[index].kind;
}

/* --- rows --- */

static void fill_texts(struct traffic *traffic, const struct traffic_event *event)
{
    unsigned office = event->place / TRAFFIC_UNITS, unit = event->place % TRAFFIC_UNITS;
    actor_name(event->operator_no, traffic->actor);
    (void)snprintf(traffic->organization, sizeof(traffic->organization), "office-%u", office);
    (void)snprintf(traffic->requester, sizeof(traffic->requester),
                   "spiffe://city.gov/window/office-%u/hall-%u", office, unit);
    (void)snprintf(traffic->unit, sizeof(traffic->unit), "hall-%u", unit);
    (void)snprintf(traffic->case_no, sizeof(traffic->case_no), "SA2026-%06u", event->case_no);
}

static lb_status next_row(void *ctx, const struct lb_audit_row **out_row, bool *out_missed)
{
    struct traffic *traffic = ctx;
    *out_row = NULL;
    if (traffic->at >= traffic->num)
        return LB_OK;
    const struct traffic_event *event = &traffic->events[traffic->at];
    bool answered = strcmp(event->code, "ANSWERED") == 0;
    bool released = answered && strcmp(event->inner, "OK") == 0;
    fill_texts(traffic, event);
    traffic->row = (struct lb_audit_row){
        .index = traffic->at++, .time_ms = event->time_ms, .type = LB_LEAF_READ,
        .decision = !released          ? LB_AUDIT_DENY
                    : event->emergency ? LB_AUDIT_EMERGENCY
                                       : LB_AUDIT_ALLOW,
        .code = event->code, .views = "household", .count = 1, .retry = event->retry,
        .detail = LB_AUDIT_DETAIL_OPEN, .inner = answered ? event->inner : event->code,
        .requester = traffic->requester, .organization = traffic->organization,
        .actor = traffic->actor, .unit = traffic->unit, .purpose = event->purpose,
        .basis = event->emergency ? "emergency" : "consent", .role = "applicant",
        .issuer = "consent-hall", .grant = "g", .case_no = traffic->case_no,
        .on_behalf_of = "", .form = "social-assistance", .has_subject = answered,
        .class_max = event->class_max, .verified = true, .note = "",
    };
    traffic_person(event->person, traffic->row.subject);
    *out_missed = event->missed;
    *out_row = &traffic->row;
    return LB_OK;
}

struct lb_review_source traffic_source(struct traffic *traffic, uint64_t from)
{
    traffic->at = from;
    return (struct lb_review_source){
        .ctx = traffic, .origin = "city.gov/adapter/civil-affairs", .next = next_row};
}

/* --- the officer's lists --- */

static void put_person(struct lb_buf *out, uint64_t person)
{
    uint8_t subject[32];
    char hex[65];
    traffic_person(person, subject);
    lb_hex_encode(lb_span_of(subject, 32), hex);
    lb_buf_put_str(out, hex);
}

void traffic_lists(const struct traffic *traffic, struct lb_buf *out_yaml)
{
    lb_buf_put_str(out_yaml, "protected:\n");
    for (unsigned i = 0; i < 8; i++) { /* of all who may come by in a month, a few are listed */
        lb_buf_put_str(out_yaml, "  - ");
        put_person(out_yaml, 31 + i * 1009U);
        lb_buf_put_str(out_yaml, "\n");
    }
    lb_buf_put_str(out_yaml, "honey:\n  - ");
    put_person(out_yaml, TRAFFIC_HONEY_PERSON);
    lb_buf_put_str(out_yaml, "\nkin:\n");
    for (unsigned i = 0; i < traffic->options.num_operators; i++) {
        for (unsigned k = 0; k < 5; k++) {
            char actor[33];
            actor_name(i, actor);
            lb_buf_printf(out_yaml, "  - {actor: %s, relation: %s, subject: ", actor,
                          k < 3 ? "relative" : "colleague");
            put_person(out_yaml, TRAFFIC_KIN + 10 * i + k);
            lb_buf_put_str(out_yaml, "}\n");
        }
    }
}
