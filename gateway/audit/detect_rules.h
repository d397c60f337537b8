#ifndef GATEWAY_AUDIT_DETECT_RULES_H
#define GATEWAY_AUDIT_DETECT_RULES_H

#include "policy/engine/work_calendar.h"

/*
 * What is noticed by itself, as data (policy/review/rules.yaml): which kind of look-ups raise an
 * alert, past which numbers, how grave it is, and why in plain words. A kind takes exactly its own
 * parameters; an unknown kind or parameter, a missing one and an impossible number are refused with
 * file and line.
 *
 *   kind              parameters under `with`; an alert is raised when
 *   case_less         none; data left without a case, or was asked for without one
 *   after_hours       records, window_minutes; an operator has so many records while windows are
 *                     closed
 *   bulk              subjects, window_minutes; an operator looked up so many persons
 *   enumeration       misses, window_minutes; so many persons that nobody knows, or not the grant's
 *   many_offices      offices, window_minutes; so many organizations looked up one person
 *   kin               relations; the person is declared as the operator's own (self, relative,
 *                     colleague)
 *   listed            list; the person is on an officer's list (protected, honey)
 *   dormant           days; an operator comes back after so long
 *   deny_then_allow   denials, window_minutes, codes; so many refusals with these codes and then an
 *                     answer; one is enough when another purpose or basis was given in between
 *   first_class       min_class, learn_days, learn_records; a known operator's first look-up of
 * this                     class or a higher one
 *   shared_credential window_minutes; one operator at two windows
 *   volume            percent, factor_percent, peer_factor_percent, min_records, history_days,
 *                     min_days; more records in a day than the quantile of the operator's own days
 *                     and of the colleagues' days, each times its factor
 */
enum lb_detect_kind {
    LB_DETECT_CASE_LESS,
    LB_DETECT_AFTER_HOURS,
    LB_DETECT_BULK,
    LB_DETECT_ENUMERATION,
    LB_DETECT_MANY_OFFICES,
    LB_DETECT_KIN,
    LB_DETECT_LISTED,
    LB_DETECT_DORMANT,
    LB_DETECT_DENY_THEN_ALLOW,
    LB_DETECT_FIRST_CLASS,
    LB_DETECT_SHARED_CREDENTIAL,
    LB_DETECT_VOLUME,
    LB_DETECT_NUM_KINDS
};

enum lb_detect_param {
    LB_DETECT_WINDOW_MINUTES,
    LB_DETECT_RECORDS,
    LB_DETECT_SUBJECTS,
    LB_DETECT_MISSES,
    LB_DETECT_OFFICES,
    LB_DETECT_DAYS,
    LB_DETECT_DENIALS,
    LB_DETECT_MIN_CLASS,
    LB_DETECT_LEARN_DAYS,
    LB_DETECT_LEARN_RECORDS,
    LB_DETECT_PERCENT,
    LB_DETECT_FACTOR_PERCENT,
    LB_DETECT_PEER_FACTOR_PERCENT,
    LB_DETECT_MIN_RECORDS,
    LB_DETECT_HISTORY_DAYS,
    LB_DETECT_MIN_DAYS,
    LB_DETECT_NUM_PARAMS
};

enum lb_detect_severity {
    LB_DETECT_LOW = 1,
    LB_DETECT_MEDIUM,
    LB_DETECT_HIGH,
    LB_DETECT_CRITICAL,
    LB_DETECT_SEVERITY_END
};

/* Relations of `kin`, as bits. */
enum lb_detect_relation {
    LB_DETECT_SELF = 1,
    LB_DETECT_RELATIVE = 2,
    LB_DETECT_COLLEAGUE = 4,
};

enum lb_detect_list { LB_DETECT_PROTECTED = 1, LB_DETECT_HONEY };

#define LB_DETECT_MAX_RULES 64
#define LB_DETECT_MAX_CODES 32
#define LB_DETECT_MAX_WINDOW_MINUTES 1440
#define LB_DETECT_MAX_WINDOW_ROWS 2000  /* rows of one operator or person that a window looks at */
#define LB_DETECT_MAX_DENIALS 64
#define LB_DETECT_WORDS_BYTES 400    /* a title or a why, as written */

struct lb_detect_rule {
    const char *id;
    enum lb_detect_kind kind;
    enum lb_detect_severity severity;
    const char *title_zh, *title_en;
    const char *why_zh, *why_en;     /* {count} and the kind's numbers stand in braces */
    int64_t param[LB_DETECT_NUM_PARAMS];
    const char *codes[LB_DETECT_MAX_CODES];
    size_t num_codes;
    unsigned relations;
    enum lb_detect_list list;
};

struct lb_detect_rules {
    struct lb_yaml *yaml;
    struct lb_work_calendar *calendar;
    uint8_t sha256[32];              /* of the rules' file */
    struct lb_detect_rule *rules;
    size_t num;
    int64_t due_days[LB_DETECT_SEVERITY_END];  /* an alert is overdue after so many */
};

/* lb_detect_rules_load reads a rules file and the calendar it names, relative to it.
 * CONFIG_INVALID, FILE_FAILED, TOO_LARGE, NO_MEMORY, with file, line and advice in diag. */
LB_MUST lb_status lb_detect_rules_load(const char *path, struct lb_diag *diag,
                                       struct lb_detect_rules **out_rules);
/* lb_detect_rules_free releases them; NULL is allowed. */
void lb_detect_rules_free(struct lb_detect_rules *rules);
void lb_detect_rules_freep(struct lb_detect_rules **rules);  /* for LB_DEFER */

/* lb_detect_kind_name, _severity_name and _param_name return the words of the file. */
const char *lb_detect_kind_name(enum lb_detect_kind kind);
const char *lb_detect_severity_name(enum lb_detect_severity severity);
const char *lb_detect_param_name(enum lb_detect_param param);
/* lb_detect_severity_by_name finds one; false if there is none. */
bool lb_detect_severity_by_name(const char *name, enum lb_detect_severity *out);
/* lb_detect_takes says whether a kind takes a number. */
bool lb_detect_takes(enum lb_detect_kind kind, enum lb_detect_param param);

/* lb_detect_why writes a rule's words with their numbers; cut at LB_DETECT_WHY_BYTES. */
#define LB_DETECT_WHY_BYTES 1024
void lb_detect_why(const struct lb_detect_rule *rule, const char *words, int64_t count,
                   char out[LB_DETECT_WHY_BYTES]);

#endif
