#ifndef POLICY_ENGINE_OPERATOR_H
#define POLICY_ENGINE_OPERATOR_H

#include "gateway/base/arena.h"
#include "gateway/base/limits.h"
#include "policy/engine/rules.h"
#include "policy/engine/value.h"

/*
 * The minimization operators (DESIGN §4; docs/OPERATORS.md has every rule): pure functions from a
 * department's rows to one fact. They see no clock, no network and no requester; thresholds, sets,
 * tables and edges come by name from the provider's own rule set. What else they need (the day, a
 * key, fresh bytes) is handed in.
 */
enum lb_op {
    LB_OP_OMIT,        /* OMIT: nothing leaves, and the field is not even named */
    LB_OP_PASS,        /* PASS: the value itself */
    LB_OP_EXISTS,      /* EXISTS: a row exists */
    LB_OP_EQ,          /* EQ: the citizen's claim matches (one value, or a set of them) */
    LB_OP_CMP,         /* CMP(<|<=|>|>=, threshold) */
    LB_OP_IN,          /* IN(set): the code, or any row's code, is in the set */
    LB_OP_BUCKET,      /* BUCKET(edges): number of the right-open interval, -1 below the first */
    LB_OP_ROUND,       /* ROUND(unit, floor|half_even): to a multiple of the unit */
    LB_OP_TOPCODE,     /* TOPCODE(threshold): the value, at most the threshold */
    LB_OP_BOTTOMCODE,  /* BOTTOMCODE(threshold): the value, at least the threshold */
    LB_OP_COUNT,       /* COUNT(cap): rows, at most cap */
    LB_OP_SUM,         /* SUM(months): total over [this month - months, this month) */
    LB_OP_AVG_M,       /* AVG_M(months): the same total per month, half to even */
    LB_OP_RATIO_CMP,   /* RATIO_CMP(<|<=|>|>=, threshold): value to the field's denominator, bp */
    LB_OP_TREND,       /* TREND(months, threshold): fell by so many bp against the months before */
    LB_OP_DATE_TRUNC,  /* DATE_TRUNC(Y|M): YYYY or YYYY-MM */
    LB_OP_AGE_AT,      /* AGE_AT(today|YYYY-MM-DD): full years, the birthday counting */
    LB_OP_AGE_GE,      /* AGE_GE(threshold): age in full years reached, on the birthday */
    LB_OP_MASK,        /* MASK(left, right): code points kept at the ends, '*' for the others */
    LB_OP_NAME_MASK,   /* NAME_MASK: surname and last character */
    LB_OP_ID_MASK,     /* ID_MASK: first and last of 18 characters */
    LB_OP_PHONE_MASK,  /* PHONE_MASK: first three and last four digits of a mobile number */
    LB_OP_ADDR_LEVEL,  /* ADDR_LEVEL(2|4|6|9|12): leading digits of a region code */
    LB_OP_MAP,         /* MAP(table): coarse code; one not in the table is unknown */
    LB_OP_PSEUDO,      /* PSEUDO: a name for the person that only this requester and purpose gets */
    LB_OP_TOKEN,       /* TOKEN(days): the value sealed for the provider itself to open again */
    LB_OP_SHARE,       /* SHARE(months): SUM(months), to be masked before it is released */
    LB_OP_LIST,        /* LIST: every row's text, a line each; of the officer's station alone */
    LB_NUM_OPS
};

struct lb_op_call {
    enum lb_op op;
    size_t num_args;
    const char *args[LB_MAX_OPERATOR_ARGS];
};

/* lb_op_parse reads the text form, "EXISTS" or "CMP(<=,area.mean)": no blanks, numbers without
 * leading zeros, so that a call has one spelling. OPERATOR_UNKNOWN for a name, an argument count or
 * an argument we do not know. Strings go into the arena; NO_MEMORY. */
LB_MUST lb_status lb_op_parse(struct lb_span text, struct lb_arena *arena,
                              struct lb_op_call *out_call);
/* lb_op_build does the same from a wire operator and its arguments. */
LB_MUST lb_status lb_op_build(const char *name, const char *const *args, size_t num_args,
                              struct lb_arena *arena, struct lb_op_call *out_call);
/* lb_op_format writes the text form; NULL past the arena's cap. */
const char *lb_op_format(const struct lb_op_call *call, struct lb_arena *arena);
/* lb_op_name returns the wire name. */
const char *lb_op_name(enum lb_op op);
/* lb_op_result tells the kind of a known fact; UNKNOWN for PASS, whose kind is its field's, and for
 * OMIT, which has no fact. */
enum lb_fact_kind lb_op_result(enum lb_op op);
/* lb_op_max_text is how long a text of this operator may be, in bytes. */
size_t lb_op_max_text(enum lb_op op);
/* lb_op_reads_month and lb_op_reads_denominator say whether the call needs that column of its
 * field; lb_op_sums_all says whether it adds up all rows of a field that has no month: SUM(0),
 * SHARE(0). */
bool lb_op_reads_month(const struct lb_op_call *call);
bool lb_op_sums_all(const struct lb_op_call *call);
bool lb_op_reads_denominator(const struct lb_op_call *call);

/*
 * lb_op_at_least_as_strict says whether a's output is a function of b's, arguments included and
 * UNKNOWN preserved, for any rows of one field on one day (DESIGN §4). docs/OPERATORS.md lists what
 * is true; in short: equal calls; OMIT from all; everything about one value from PASS; among
 * operators on one number, when every step of a is a step of b; EXISTS and COUNT from a COUNT of
 * the same cap or a higher one; AGE_GE from AGE_AT(today); the year from the month; AVG_M from SUM
 * of the same months; coarser masks as listed. All else is incomparable: false, ADDR_LEVEL of
 * another level included, since a short code has the coarse level and not the fine.
 */
bool lb_op_at_least_as_strict(const struct lb_op_call *a, const struct lb_op_call *b,
                              const struct lb_rules *rules);

/* How an operator sees its field. */
enum lb_field_type {
    LB_FIELD_TEXT,
    LB_FIELD_NAME,    /* a person's name: normalised before EQ */
    LB_FIELD_ID,      /* a GB 11643 number, of 18 characters or 15 digits */
    LB_FIELD_CODE,
    LB_FIELD_REGION,  /* digits of a region code */
    LB_FIELD_DATE,    /* YYYY-MM-DD */
    LB_FIELD_INT,
    LB_FIELD_CENTS,
    LB_FIELD_ROW,     /* no column: the row itself, for EXISTS and COUNT */
};

#define LB_OP_KEY_BYTES 32
#define LB_OP_NONCE_BYTES 16

/* What PSEUDO and TOKEN need beyond the data. All is borrowed. */
struct lb_op_secrets {
    const uint8_t *pseudo_key;   /* LB_OP_KEY_BYTES, of one requester, purpose and epoch; or NULL */
    const uint8_t *token_key;    /* LB_OP_KEY_BYTES, the provider's own; or NULL */
    struct lb_span token_bind;   /* what a token is for; the same bytes open it */
    const uint8_t *token_nonce;  /* LB_OP_NONCE_BYTES, random, for this one call */
    int64_t now_unix_s;
    /* Of one use, instead of token_key and bind, and only to open; or NULL. */
    const uint8_t *token_use_key;
};

struct lb_op_input {
    const struct lb_rows *rows;
    size_t column;              /* ignored for LB_FIELD_ROW */
    size_t month_column;        /* SIZE_MAX when the field has none */
    size_t denominator_column;  /* for RATIO_CMP; SIZE_MAX when the field has none */
    enum lb_field_type type;
    bool many;                  /* the view may have several rows per subject */
    bool complete;              /* the register is complete: no row means none, not unknown */
    const struct lb_rules *rules;
    const struct lb_span *claim;
    size_t num_claim;
    const char *today;          /* YYYY-MM-DD */
    const struct lb_op_secrets *secrets;  /* NULL: neither PSEUDO nor TOKEN */
};

/*
 * lb_op_apply computes the fact. It never fails for data:
 *   no row          NOT_FOUND; in a complete register EXISTS and IN are FALSE, COUNT, SUM, AVG_M
 *                   and SHARE are 0
 *   several rows    of a one-row view: AMBIGUOUS, except for EXISTS and COUNT
 *   unreadable cell UNKNOWN: NULL, another kind, or text without its type's form (empty, longer
 *                   than LB_MAX_VALUE_BYTES, not UTF-8, with control characters or marks that
 *                   reorder text; a date, region or identity number that is none)
 *   OMIT            DENIED, whatever the rows: callers never put it into an answer
 *   SHARE           the bare total: callers mask it before it goes anywhere
 * The rules of each operator are in docs/OPERATORS.md. EQ takes time that does not depend on what
 * matches. Statuses: NO_MEMORY; OPERATOR_UNKNOWN when an argument names no entry of the rule set,
 * the operator does not fit the field's type or rows, or its months do not go with the month
 * column (callers have checked that before); TOO_LARGE past LB_MAX_CLAIM_VALUES claims; INTERNAL
 * when the input contradicts itself (today is no date, a column is not in the rows, PSEUDO or TOKEN
 * without its key); CRYPTO_FAILED.
 */
LB_MUST lb_status lb_op_apply(const struct lb_op_call *call, const struct lb_op_input *input,
                              struct lb_arena *arena, struct lb_fact *out_fact);

/* Whom and what a token is for. All of it must be the same when the department opens it. */
struct lb_op_token_use {
    const char *provider;   /* organization */
    const char *requester;  /* organization */
    const char *purpose;
    const char *view;
    const char *field;
};

/* lb_op_token_bind writes the use as the bytes of `token_bind`. TOO_LARGE past 4 KiB, NO_MEMORY. */
LB_MUST lb_status lb_op_token_bind(const struct lb_op_token_use *use, struct lb_arena *arena,
                                   struct lb_span *out_bind);

/* lb_op_token_use_key derives the key of all tokens of one use from the provider's own. Who pays in
 * the provider's place gets it: it opens those tokens and no others, and does not lead back. */
void lb_op_token_use_key(const uint8_t token_key[LB_OP_KEY_BYTES], struct lb_span bind,
                         uint8_t out[LB_OP_KEY_BYTES]);

/* lb_op_token_open opens what TOKEN sealed, under the same key and binding. MALFORMED when it is
 * not of a token's form; SEAL_BROKEN when it does not open (another key, another binding, changed
 * bytes); TOKEN_EXPIRED from its expiry on; NO_MEMORY. */
LB_MUST lb_status lb_op_token_open(struct lb_span token, const struct lb_op_secrets *secrets,
                                   struct lb_arena *arena, struct lb_span *out_value);

/*
 * lb_op_check says whether the call fits a field of this type and its names exist in the rule set;
 * OPERATOR_UNKNOWN otherwise, `what` telling why.
 *   OMIT                                          every type
 *   PASS                                          every type but row
 *   EXISTS COUNT                                  row
 *   EQ                                            text name id code region date (no number: promise
 *                                                 10)
 *   IN MAP                                        code region
 *   CMP BUCKET ROUND TOPCODE BOTTOMCODE           int cents; a threshold in cents goes with cents
 *                                                 alone
 *   SUM AVG_M SHARE                               int cents
 *   RATIO_CMP TREND                               int cents; their thresholds in bp
 *   DATE_TRUNC AGE_AT AGE_GE                      date; AGE_GE with a threshold in years
 *   MASK                                          text code
 *   PHONE_MASK                                    text
 *   NAME_MASK                                     name
 *   ID_MASK PSEUDO                                id
 *   ADDR_LEVEL                                    region
 *   TOKEN                                         text code id
 *   LIST                                          text
 * On a view of several rows: OMIT, EXISTS, COUNT, EQ, IN, SUM, AVG_M, TREND, SHARE and LIST.
 */
LB_MUST lb_status lb_op_check(const struct lb_op_call *call, enum lb_field_type type, bool many,
                              const struct lb_rules *rules);
/* lb_op_names_known says whether the rule set has what the call's arguments name, whatever the
 * field. */
bool lb_op_names_known(const struct lb_op_call *call, const struct lb_rules *rules);

#endif
