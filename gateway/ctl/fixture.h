#ifndef GATEWAY_CTL_FIXTURE_H
#define GATEWAY_CTL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ctl/env.h"
#include "gateway/ctl/port.h"
#include "gateway/json/json.h"

#define assert_ok(expr_) assert_string_equal(lb_code_name(lb_status_code(expr_)), "OK")
#define assert_code(expr_, code_)                                                                  \
    assert_string_equal(lb_code_name(lb_status_code(expr_)), lb_code_name(code_))

/* Identity numbers that no person has (region 99) with right check characters. */
#define TEST_ID_A "990000196001010013"
#define TEST_ID_B "990000196202020023"

/*
 * A command's surroundings: streams in memory, a folder of its own, and an agent and a consent
 * office that answer as they are told and remember what they were asked.
 */
struct test_cli {
    struct lb_ctl_env env;
    struct lb_ctl_remote remote;
    struct lb_clock_fixed clock;
    char folder[256];
    char *out;
    char *err;
    size_t out_len, err_len;

    /* the agent */
    unsigned pending;            /* so many collects say GRANT_PENDING */
    enum lb_code open_code;      /* what OpenCase says */
    enum lb_code collect_code;   /* what the first collect that is not pending says */
    uint32_t receipts_failed;
    bool bad_event;              /* an event that is none */
    bool no_result;
    bool by_mandate;             /* no tickets: nobody has to agree */
    const char *class_id;        /* of the result; NULL: MANUAL */
    const char *missing_code;    /* of a fact in the result that is missing; NULL: none */
    unsigned num_collects;
    unsigned num_closed;
    unsigned num_opened;         /* ports that are open */
    size_t num_members;
    char id_no[12][19];
    char roles[12][16];
    char badge[64], unit[64], language[8], case_id[64];
    enum lb_code agent_code;     /* what the methods say that officers use */
    char agent_method[32];       /* the last of them that was called */
    size_t agent_request_len, agent_reply_len;
    uint8_t agent_request[4096], agent_reply[16384];

    /* the consent office */
    const char *notice;          /* its text */
    bool notice_hash_wrong;
    enum lb_code confirm_code;
    char confirm_id_no[19], confirm_request[64], confirm_method[32], requester[128], form[64];
    char stop_reason[64], erase_basis[32];
    bool erase_approved;
    bool agreed;
    uint32_t level, form_version;
    uint8_t notice_sha256[32];
    size_t num_receipts, num_stopped;
    char also_id_no[19], officer_token[64], refused[64], slip_code[32], method[32];
    size_t num_refused, paper_len;
    uint32_t overdue;

    /* the officer's node */
    enum lb_code review_code;
    unsigned num_reviews;
    char review_kind[32], review_query[512], review_reason[64];

    /* the department's intake */
    size_t num_waiting;          /* parts; the first has the number 7 */
    int64_t acked, said_of;
    int said_kind, said_outcome;
    bool said_ack;
    char said_reference[64], said_text[64], said_law[64], said_until[16];

    /* other members' logs */
    enum lb_code evidence_code;  /* what they say */
};

int test_set_up(void **state);
int test_tear_down(void **state);

/* test_run runs a command with words up to NULL, the first being its own name; out and err hold
 * what it printed until the next run. */
int test_run(struct test_cli *cli, int (*command)(struct lb_ctl_env *env, int argc, char **argv),
             const char *const *words);
#define RUN(cli_, command_, ...)                                                                   \
    test_run(cli_, command_, (const char *const[]){__VA_ARGS__, NULL})

/* test_file writes a file into the folder and returns its path, valid until the next call. */
const char *test_file(struct test_cli *cli, const char *name, const char *content);
/* test_feed makes the next run read this from standard input. */
void test_feed(struct test_cli *cli, const char *content);
/* test_agent_says sets the reply, a message, of the methods that officers use. */
void test_agent_says(struct test_cli *cli, const void *reply);
/* test_json parses what the last run printed; the caller frees it. */
struct lb_json *test_json(const struct test_cli *cli);

#endif
