#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/window/case_key.h"
#include "gateway/window/inside.h"

/*
 * What is said of a case that was closed: its key is destroyed. It is said only once the key is out
 * of the write-ahead log too: an entry of the evidence log, and a note for whoever asks.
 */

#define HEADER "lianban case key destroyed v1"
#define MAX_TEXT_BYTES 1024
#define ENDS_AT_ONCE 64U

/* Nothing in them leads to a case, unless one has the attestation. */
static lb_status write_entries(struct lb_window *window, struct lb_case_end *ends, size_t num)
{
    struct lb_log_entry *entries = calloc(num, sizeof(*entries));
    LB_ENSURE(entries != NULL, LB_NO_MEMORY, "entries");
    for (size_t i = 0; i < num; i++) {
        struct lb_leaf *leaf = &entries[i].leaf;
        *leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .count = 1};
        (void)snprintf(leaf->code, sizeof(leaf->code), "%s", "CASE_KEY_DESTROYED");
        memcpy(leaf->request_hash, ends[i].commitment, sizeof(ends[i].commitment));
    }
    lb_status status = lb_log_append_all(window->options.log, entries, num);
    for (size_t i = 0; i < num; i++)
        ends[i].entry = entries[i].index;
    free(entries);
    return status;
}

static lb_status find_ends(struct lb_window *window, struct lb_case_end *ends, size_t *out_num)
{
    struct lb_case_store *store = window->store;
    lb_case_store_enter(store);
    lb_status status = lb_case_ends_open(store, ends, ENDS_AT_ONCE, out_num);
    if (status == LB_OK && *out_num > 0)
        status = lb_case_wal_empty(store);
    return lb_case_store_leave(store, status);
}

/* Dying between the entries and the note of them makes second entries, which say the same. */
static lb_status log_some(struct lb_window *window, struct lb_case_end *ends, size_t num)
{
    LB_TRY(write_entries(window, ends, num));
    lb_case_store_enter(window->store);
    return lb_case_store_leave(window->store, lb_case_ends_logged(window->store, ends, num));
}

static lb_status log_ends(struct lb_window *window)
{
    for (;;) {
        struct lb_case_end ends[ENDS_AT_ONCE];
        size_t num = 0;
        LB_TRY(find_ends(window, ends, &num));
        if (num == 0)
            return LB_OK;
        LB_TRY(log_some(window, ends, num));
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
    lb_case_store_enter(window->store);
    lb_status status =
        lb_case_store_leave(window->store, lb_case_end_get(window->store, case_id, out));
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
