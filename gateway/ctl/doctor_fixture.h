#ifndef GATEWAY_CTL_DOCTOR_FIXTURE_H
#define GATEWAY_CTL_DOCTOR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ctl/command.h"
#include "gateway/ctl/doctor_port.h"
#include "gateway/json/json.h"
#include "gateway/trust/fixture.h"

/*
 * For tests of `lianban doctor`: an adapter's node in a folder, with certificate, directory, CRL
 * and an evidence log that is up to date; a broker it is attached to, which is a listening socket
 * of the test's; and what broker and database answer when asked.
 */
struct ward {
    struct fixture fx;
    int listener, port;
    struct lb_ctl_contact broker;    /* what it says */
    struct lb_ctl_contact self;      /* what the own running node says */
    lb_status source_status;         /* of opening */
    lb_status view_status;
    int64_t view_ms;
    int64_t source_sleeps_ms;
    char *out;                       /* what was printed last */
    size_t out_len;
    struct lb_json *json;
    const struct lb_ctl_remote *remote;  /* how the window's agent is reached; NULL */
};

int ward_set_up(void **state);
int ward_tear_down(void **state);

/* ward_write_directory signs one of that version in which the broker is at an endpoint. */
void ward_write_directory(struct ward *ward, int64_t version, const char *endpoint);
/* ward_write_node writes node.yaml of another node, with nothing but what every one has. */
void ward_write_node(struct ward *ward, const char *spiffe, const char *listen);
/* ward_write_config writes node.yaml with further lines. */
void ward_write_config(struct ward *ward, const char *more);
/* ward_issue gives the node a certificate that ends after so many seconds. */
void ward_issue(struct ward *ward, int64_t lifetime_s);

/* ward_run runs the command with further words up to NULL, parses what it prints as JSON unless
 * "--language" is among them, and returns the exit code. */
int ward_run(struct ward *ward, const char *const *more);
#define WARD_RUN(ward_, ...) ward_run(ward_, (const char *const[]){__VA_ARGS__, NULL})

/* ward_state is the worst state among the rows of a check, "" when there is none; ward_party whom
 * the first row of it that is not ok tells to call. */
const char *ward_state(const struct ward *ward, const char *check);
const char *ward_party(const struct ward *ward, const char *check);
/* ward_expect asserts both. */
void ward_expect(const struct ward *ward, const char *check, const char *state,
                 const char *party);

#define WARD_TEST(test_) cmocka_unit_test_setup_teardown(test_, ward_set_up, ward_tear_down)

#endif
