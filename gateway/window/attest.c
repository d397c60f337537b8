#include <stdio.h>

#include "gateway/base/hex.h"
#include "gateway/window/case_key.h"
#include "gateway/window/inside.h"

/*
 * What is said of a case that was closed: its key is destroyed. It is said only once the key is out
 * of the write-ahead log too: an entry of the evidence log, and a note for whoever asks.
 */

#define HEADER "lianban case key destroyed v1"
#define MAX_TEXT_BYTES 1024

/* Nothing in it leads to a case, unless one has the attestation. */
static lb_status write_entry(struct lb_window *window, const struct lb_case_end *end,
                             uint64_t *out_index)
{
    struct lb_log_entry entry = {.leaf = {.type = LB_LEAF_ADMIN, .count = 1}};
    (void)snprintf(entry.leaf.code, sizeof(entry.leaf.code), "%s", "CASE_KEY_DESTROYED");
    memcpy(entry.leaf.request_hash, end->commitment, sizeof(end->commitment));
    LB_TRY(lb_log_append_wait(window->options.log, &entry));
    *out_index = entry.index;
    return LB_OK;
}

static lb_status find_end(struct lb_window *window, struct lb_case_end *out)
{
    struct lb_case_store *store = window->store;
    (void)pthread_mutex_lock(&store->lock);
    lb_status status = lb_case_end_next(store, out);
    if (status == LB_OK)
        status = lb_case_wal_empty(store);
    (void)pthread_mutex_unlock(&store->lock);
    return status;
}

/* Dying between the entry and the note of it makes a second entry, which says the same. */
static lb_status log_end(struct lb_window *window, const struct lb_case_end *end)
{
    struct lb_case_store *store = window->store;
    uint64_t index = 0;
    LB_TRY(write_entry(window, end, &index));
    (void)pthread_mutex_lock(&store->lock);
    lb_status status = lb_case_end_logged(store, end, index);
    (void)pthread_mutex_unlock(&store->lock);
    return status;
}

static lb_status log_ends(struct lb_window *window)
{
    for (;;) {
        struct lb_case_end end;
        lb_status status = find_end(window, &end);
        if (lb_status_code(status) == LB_ABSENT)
            return LB_OK;
        LB_TRY(status);
        LB_TRY(log_end(window, &end));
    }
}

/* In turn: those who close cases at once find theirs done by who came first. */
lb_status lb_window_log_ends(struct lb_window *window)
{
    (void)pthread_mutex_lock(&window->ending);
    lb_status status = log_ends(window);
    (void)pthread_mutex_unlock(&window->ending);
    return status;
}

static lb_status find(struct lb_window *window, const char *case_id, struct lb_case_end *out)
{
    (void)pthread_mutex_lock(&window->store->lock);
    lb_status status = lb_case_end_get(window->store, case_id, out);
    (void)pthread_mutex_unlock(&window->store->lock);
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_CASE_UNKNOWN, "no such case was closed");
    return status;
}

lb_status lb_window_attest(struct lb_window *window, const char *case_id, struct lb_arena *arena,
                           struct lb_span *out_note)
{
    const struct lb_window_witness *witness = &window->options.witness;
    struct lb_case_end end;
    char text[MAX_TEXT_BYTES], commitment[2 * 32 + 1];
    LB_ENSURE(strnlen(case_id, LB_CASE_ID_BYTES) == LB_CASE_ID_BYTES - 1, LB_CASE_UNKNOWN,
              "not a case id");
    LB_TRY(find(window, case_id, &end));
    if (!end.logged) {
        LB_TRY(lb_window_log_ends(window));
        LB_TRY(find(window, case_id, &end));
    }
    lb_hex_encode(lb_span_of(end.commitment, sizeof(end.commitment)), commitment);
    int len = snprintf(text, sizeof(text),
                       HEADER "\nwindow %s\ncase %s\nkey %s\ntime %lld\nentry %llu\n",
                       window->options.self, case_id, commitment, (long long)end.time_s,
                       (unsigned long long)end.entry);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(text), LB_TOO_LARGE, "an attestation");
    return witness->sign(witness->ctx, lb_span_str(text), arena, out_note);
}
