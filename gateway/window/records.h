#ifndef GATEWAY_WINDOW_RECORDS_H
#define GATEWAY_WINDOW_RECORDS_H

#include "gateway/base/arena.h"

/*
 * Inside gateway/window: the records of a case, what was suggested and what persons did, in order.
 * Each is a signed note (gateway/note/record.h) that names the hash of the one before it, is an
 * entry of the agent's evidence log before it stands here, and is never changed: who corrects
 * something adds a record that follows the old one. What a case has beyond what the departments
 * said is read from its records alone.
 *
 * A record that was made is kept as pending before it goes into the log. Should the agent die
 * between the log and the case, it is entered again and stands then; the two entries name the same
 * record. All of it happens under the case's lock.
 */
struct lb_window_case;

#define LB_CASE_MAX_RECORDS 256U
#define LB_CASE_MAX_ACTS 192U  /* of persons; the rest is kept for what is suggested upon them */

enum lb_record_kind {
    LB_RECORD_SUGGESTED,
    LB_RECORD_FACT,
    LB_RECORD_HEARD,
    LB_RECORD_DECIDED,
    LB_RECORD_CORRECTION,
    LB_RECORD_ANSWER,
    LB_NUM_RECORD_KINDS
};

struct lb_case_record {
    enum lb_record_kind kind;
    char *note;
    struct lb_span lines;  /* of the note, behind its header */
    struct lb_span body;   /* those behind the time: what the record says */
    int64_t at_unix_s;
    uint64_t log_entry;
};

struct lb_case_records {
    size_t num;
    struct lb_case_record *list;  /* record number i stands at i - 1 */
    char *pending;                /* a note that may be in the log already; NULL for none */
};

/* lb_record_kind_name is the kind's word in the record. */
const char *lb_record_kind_name(enum lb_record_kind kind);

/* lb_records_free wipes and frees what is in it. */
void lb_records_free(struct lb_case_records *records);

/* lb_records_settle enters what a crash left pending, and says so in *out_any (which may be NULL).
 * LOG_UNAVAILABLE and the like: it stays pending. */
LB_MUST lb_status lb_records_settle(struct lb_window_case *entry, bool *out_any);

/* lb_records_append makes, signs and enters a record whose body is lines of ours, each with its
 * LF; `follows` is the number of the record it corrects, or 0. The caller keeps the case
 * afterwards. TOO_LARGE past LB_CASE_MAX_RECORDS; what the log, the key and the store say: then no
 * such record stands. */
LB_MUST lb_status lb_records_append(struct lb_window_case *entry, enum lb_record_kind kind,
                                    size_t follows, struct lb_span body);

/* lb_records_newest is the number of the newest record of a kind, lb_records_newest_fact that of
 * one about a member's fact; 0 when there is none. */
size_t lb_records_newest(const struct lb_case_records *records, enum lb_record_kind kind);
size_t lb_records_newest_fact(const struct lb_case_records *records, enum lb_record_kind kind,
                              size_t member, const char *fact);
/* lb_records_at gives a record by its number, from 1. */
const struct lb_case_record *lb_records_at(const struct lb_case_records *records, size_t number);
/* lb_record_is compares a line's value; lb_record_number reads it as a number, 0 for none. */
bool lb_record_is(const struct lb_case_record *record, const char *key, const char *value);
size_t lb_record_number(const struct lb_case_record *record, const char *key);

/* lb_records_take puts a stored record behind the others. TOO_LARGE past LB_CASE_MAX_RECORDS,
 * MALFORMED for what was not written here, NO_MEMORY. */
LB_MUST lb_status lb_records_take(struct lb_case_records *records, struct lb_span note,
                                  uint64_t log_entry);

#endif
