#ifndef GATEWAY_CTL_TEST_LOG_H
#define GATEWAY_CTL_TEST_LOG_H

#include "gateway/ctl/fixture.h"

#include "gateway/crypto/x25519.h"
#include "gateway/evidence/log.h"

#define TEST_LOG_ENTRIES 6

/* A log with a few entries in the fixture's folder, its key, and its officer's. */
struct test_log {
    char folder[300];
    char vkey[300];
    char key_path[400];    /* the officer's private key */
    struct lb_sign_key *key;
    struct lb_x25519_key officer;
};

/*
 * test_log_make writes, a minute apart from 2026-07-01T10:00Z on:
 *   0  READ ANSWERED  tax.income          txn 4242..  with a detail
 *   1  READ REPLAY    tax.income          txn 4243..  a retry
 *   2  DENY PEER_UNLISTED                 count 7
 *   3  READ ANSWERED  tax.capital,tax.income   txn 5000..  with a detail
 *   4  ADMIN STARTED
 *   5  READ ANSWERED  tax.income          txn 5001..
 */
void test_log_make(struct test_cli *cli, const char *name, const char *origin,
                   struct test_log *out);
void test_log_free(struct test_log *log);

#endif
