#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/psi.h"
#include "gateway/ctl/test_log.h"
#include "gateway/evidence/link.h"
#include "gateway/trust/keys.h"
#include "gateway/wire/pb.h"

/* What one side of a comparison is made of, one by one: its memory, its evidence, its files. */

#define ASKER "spiffe://test.gov/adapter/a"
#define ANSWERER "spiffe://test.gov/adapter/b"
#define DAY_MS INT64_C(86400000)

/* One department's side, as the commands have it when the configuration is read. */
struct side {
    struct lb_ctl_psi psi;
    struct lb_ctl_psi_agreement agreement;
    char key_path[400], state[400], out[400];
};

static void make_party(struct test_cli *cli, struct side *side, const char *spiffe,
                       struct lb_ctl_psi_party *party, bool own)
{
    struct lb_sign_key *key = NULL;
    uint8_t seed[32], public_key[LB_P256_PUBLIC_BYTES];
    memset(seed, spiffe[strlen(spiffe) - 1], sizeof(seed));
    assert_ok(lb_sign_key_from_seed(seed, &key));
    (void)lb_sign_key_public(key, public_key);
    *party = (struct lb_ctl_psi_party){.spiffe = spiffe, .origin = lb_spiffe_log_origin(spiffe)};
    memcpy(party->log_key, public_key, sizeof(party->log_key));
    (void)snprintf(side->key_path, sizeof(side->key_path), "%s/%c.pem", cli->folder,
                   spiffe[strlen(spiffe) - 1]);
    if (own)
        assert_ok(lb_keys_save_sign(side->key_path, key));
    lb_sign_key_free(key);
}

static struct side *make_side(struct test_cli *cli, bool asks)
{
    struct side *side = calloc(1, sizeof(*side));
    assert_non_null(side);
    side->agreement = (struct lb_ctl_psi_agreement){
        .name = "aid", .mode = LB_PSI_LIST, .every_days = 30, .asks = asks, .sha256 = {7}};
    make_party(cli, side, asks ? ANSWERER : ASKER,
               asks ? &side->agreement.answerer : &side->agreement.asker, false);
    make_party(cli, side, asks ? ASKER : ANSWERER,
               asks ? &side->agreement.asker : &side->agreement.answerer, true);
    (void)snprintf(side->state, sizeof(side->state), "%s/%s", cli->folder, asks ? "sa" : "sb");
    (void)snprintf(side->out, sizeof(side->out), "%s/%s.psi", cli->folder, asks ? "a" : "b");
    side->psi = (struct lb_ctl_psi){
        .node = {.env = &cli->env, .config = {.log_key = side->key_path}},
        .arena = lb_arena_new(4 * 1024 * 1024), .state = side->state, .out = side->out,
        .num = 1, .agreements = &side->agreement, .agreement = &side->agreement, .lock = -1};
    assert_non_null(side->psi.arena);
    return side;
}

static void free_side(struct side *side)
{
    lb_store_close(side->psi.runs);
    if (side->psi.lock >= 0)
        (void)close(side->psi.lock);
    lb_arena_free(side->psi.arena);
    free(side);
}

/* --- the memory --- */

static const struct lb_ctl_psi_list one = {.num = 1, .joined = {(const uint8_t *)TEST_ID_A, 18}};
static const struct lb_ctl_psi_list other = {.num = 1, .joined = {(const uint8_t *)TEST_ID_B, 18}};

static enum lb_code admit(struct side *side, const struct lb_ctl_psi_list *list, uint8_t id,
                          uint8_t offer, struct lb_ctl_psi_run *out)
{
    struct lb_ctl_psi_run run = {.run = {id}, .offer = {offer}};
    enum lb_code code = lb_status_code(lb_ctl_psi_runs_admit(&side->psi, list, &run));
    if (out != NULL)
        *out = run;
    return code;
}

static void a_list_is_offered_once_and_the_same_again(void **state)
{
    struct test_cli *cli = *state;
    struct side *side = make_side(cli, true);
    struct lb_ctl_psi_run first, again;
    assert_ok(lb_ctl_psi_runs_open(&side->psi));
    assert_int_equal(admit(side, &one, 0, 0, &first), LB_CODE_OK);
    assert_ok(lb_ctl_psi_runs_keep(&side->psi, &first));
    assert_int_equal(admit(side, &one, 0, 0, &again), LB_CODE_OK);
    assert_memory_equal(again.seed, first.seed, sizeof(first.seed));
    assert_memory_equal(again.run, first.run, sizeof(first.run));
    assert_int_equal(admit(side, &other, 0, 0, NULL), LB_PSI_REPEATED); /* too soon */
    cli->clock.now_unix_ms -= DAY_MS; /* a clock that was set back is no way out */
    assert_int_equal(admit(side, &other, 0, 0, NULL), LB_PSI_REPEATED);
    cli->clock.now_unix_ms += 31 * DAY_MS;
    assert_int_equal(admit(side, &other, 0, 0, NULL), LB_CODE_OK);
    assert_ok(lb_ctl_psi_runs_end(&side->psi, first.run));
    assert_int_equal(admit(side, &one, 0, 0, NULL), LB_PSI_REPEATED); /* never again */
    assert_code(lb_ctl_psi_runs_find(&side->psi, first.run, &again), LB_PSI_REPEATED);
    free_side(side);
}

static void a_run_is_answered_once_with_one_list(void **state)
{
    struct test_cli *cli = *state;
    struct side *side = make_side(cli, false);
    struct lb_ctl_psi_run run;
    assert_ok(lb_ctl_psi_runs_open(&side->psi));
    assert_int_equal(admit(side, &one, 1, 1, &run), LB_CODE_OK);
    assert_ok(lb_ctl_psi_runs_keep(&side->psi, &run));
    assert_int_equal(admit(side, &one, 1, 1, NULL), LB_CODE_OK);
    assert_int_equal(admit(side, &one, 1, 2, NULL), LB_PSI_REPEATED); /* other points, same run */
    assert_int_equal(admit(side, &one, 2, 1, NULL), LB_PSI_REPEATED); /* another run */
    assert_int_equal(admit(side, &other, 1, 1, NULL), LB_PSI_REPEATED); /* another list */
    cli->clock.now_unix_ms += 31 * DAY_MS;
    assert_int_equal(admit(side, &other, 1, 1, NULL), LB_PSI_REPEATED);
    assert_int_equal(admit(side, &other, 2, 1, NULL), LB_CODE_OK);
    assert_code(lb_ctl_psi_runs_find(&side->psi, run.run, &run), LB_ABSENT); /* not ours to end */
    free_side(side);
}

static void a_run_that_nobody_finished_loses_its_secret(void **state)
{
    struct test_cli *cli = *state;
    struct side *side = make_side(cli, true);
    struct lb_ctl_psi_run run;
    assert_ok(lb_ctl_psi_runs_open(&side->psi));
    assert_int_equal(admit(side, &one, 0, 0, &run), LB_CODE_OK);
    assert_ok(lb_ctl_psi_runs_keep(&side->psi, &run));
    free_side(side);
    cli->clock.now_unix_ms += 31 * DAY_MS;
    side = make_side(cli, true);
    assert_ok(lb_ctl_psi_runs_open(&side->psi));
    assert_code(lb_ctl_psi_runs_find(&side->psi, run.run, &run), LB_PSI_REPEATED);
    free_side(side);
}

static void two_commands_at_once_are_refused(void **state)
{
    struct test_cli *cli = *state;
    struct side *side = make_side(cli, true), *second = make_side(cli, true);
    assert_ok(lb_ctl_psi_runs_open(&side->psi));
    assert_code(lb_ctl_psi_runs_open(&second->psi), LB_STATE_LOCKED);
    free_side(second);
    free_side(side);
}

/* --- evidence --- */

/* A log of the asker's with one entry about a line, as the other side is shown it. */
static void make_evidence(struct test_cli *cli, struct side *side, enum lb_leaf_type type,
                          const char *code, const char *query, struct lb_psi_evidence *out)
{
    const struct lb_ctl_psi_party *own = lb_ctl_psi_own(&side->psi);
    struct lb_sign_key *key = NULL;
    struct lb_log *log = NULL;
    struct lb_diag diag;
    char folder[400];
    uint64_t shown = 0, size = 0;
    Lianban__V1__LogProgress *progress = NULL;
    Lianban__V1__EntryProof *proof = NULL;
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    (void)snprintf(folder, sizeof(folder), "%s/log-%s-%d", cli->folder, code, (int)type);
    assert_ok(lb_keys_load_sign(side->key_path, LB_SIGN_ED25519, &key));
    const struct lb_log_options options = {.folder = folder, .origin = own->origin, .key = key,
                                           .clock = &cli->clock.clock, .create = true};
    assert_ok(lb_log_open(&options, &diag, &log));
    *out = (struct lb_psi_evidence){.salt = {5}, .query = lb_span_str(query)};
    const struct lb_span parts[] = {lb_span_str("lianban review v1"), lb_span_of(out->salt, 32),
                                    out->query};
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){.type = type, .count = 1};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", code);
    lb_sha256_parts(parts, 3, entry->leaf.request_hash);
    assert_ok(lb_log_append_wait(log, entry));
    assert_ok(lb_link_show(log, &shown, side->psi.arena, &progress, &size));
    assert_ok(lb_link_prove(log, entry->index, lb_span_of(entry->leaf_bytes, entry->leaf_len),
                            size, side->psi.arena, &proof));
    assert_ok(lb_pb_pack(progress, side->psi.arena, &out->log));
    assert_ok(lb_pb_pack(proof, side->psi.arena, &out->entry));
    lb_log_close(log);
    lb_sign_key_free(key);
    free(entry);
}

static enum lb_code check(struct side *side, const struct lb_ctl_psi_party *party,
                          const char *query, const struct lb_psi_evidence *evidence)
{
    return lb_status_code(lb_ctl_psi_evidence_check(party, "PSI_OFFERED", query, evidence,
                                                    side->psi.arena));
}

static void only_the_very_entry_counts(void **state)
{
    struct test_cli *cli = *state;
    struct side *side = make_side(cli, true);
    const struct lb_ctl_psi_party *own = lb_ctl_psi_own(&side->psi);
    struct lb_psi_evidence evidence, changed;
    make_evidence(cli, side, LB_LEAF_REVIEW, "PSI_OFFERED", "psi one", &evidence);
    assert_int_equal(check(side, own, "psi one", &evidence), LB_CODE_OK);
    assert_int_equal(check(side, own, "psi two", &evidence), LB_RECEIPT_INVALID);
    assert_int_equal(check(side, lb_ctl_psi_peer(&side->psi), "psi one", &evidence),
                     LB_RECEIPT_INVALID); /* another's log */
    changed = evidence;
    changed.query = lb_span_str("psi two"); /* the entry commits to another line */
    assert_int_equal(check(side, own, "psi two", &changed), LB_RECEIPT_INVALID);
    changed = evidence;
    changed.salt[0] ^= 1;
    assert_int_equal(check(side, own, "psi one", &changed), LB_RECEIPT_INVALID);
    changed = evidence;
    changed.entry.len--;
    assert_int_equal(check(side, own, "psi one", &changed), LB_RECEIPT_INVALID);
    changed = evidence;
    changed.log = LB_SPAN_EMPTY;
    assert_int_equal(check(side, own, "psi one", &changed), LB_RECEIPT_INVALID);
    make_evidence(cli, side, LB_LEAF_REVIEW, "PSI_ANSWERED", "psi one", &evidence);
    assert_int_equal(check(side, own, "psi one", &evidence), LB_RECEIPT_INVALID);
    make_evidence(cli, side, LB_LEAF_ADMIN, "PSI_OFFERED", "psi one", &evidence);
    assert_int_equal(check(side, own, "psi one", &evidence), LB_RECEIPT_INVALID);
    free_side(side);
}

/* --- files --- */

static void a_file_is_for_whom_it_was_made_and_from_whom_it_says(void **state)
{
    struct test_cli *cli = *state;
    struct side *asker = make_side(cli, true), *answerer = make_side(cli, false);
    struct lb_psi_file file = {.kind = LB_PSI_OFFER, .run = {3}, .key_id = "s1"}, got;
    struct lb_x25519_key key, stranger;
    struct lb_span plain = LB_SPAN_EMPTY;
    assert_ok(lb_x25519_generate(&key));
    assert_ok(lb_x25519_generate(&stranger));
    assert_ok(lb_ctl_psi_file_put(&asker->psi, &file, key.public_key, lb_span_str("the list")));
    answerer->psi.in = asker->out;
    assert_ok(lb_ctl_psi_file_get(&answerer->psi, LB_PSI_OFFER, &got));
    assert_ok(lb_ctl_psi_file_open(&answerer->psi, &got, &key, &plain));
    assert_true(lb_span_is(plain, "the list"));
    assert_code(lb_ctl_psi_file_open(&answerer->psi, &got, &stranger, &plain), LB_SEAL_BROKEN);
    assert_code(lb_ctl_psi_file_get(&answerer->psi, LB_PSI_ANSWER, &got), LB_MALFORMED);
    asker->psi.in = asker->out; /* given back to its own sender */
    assert_code(lb_ctl_psi_file_get(&asker->psi, LB_PSI_OFFER, &got), LB_PSI_AGREEMENT);
    got.run[0] ^= 1; /* under another run, or in another's name, it does not open */
    assert_code(lb_ctl_psi_file_open(&answerer->psi, &got, &key, &plain), LB_SEAL_BROKEN);
    got.run[0] ^= 1;
    got.sender = "spiffe://test.gov/adapter/c";
    assert_code(lb_ctl_psi_file_open(&answerer->psi, &got, &key, &plain), LB_SEAL_BROKEN);
    answerer->agreement.asker.log_key[0] ^= 1; /* signed by another key than agreed */
    assert_non_null(lb_ctl_psi_file_get(&answerer->psi, LB_PSI_OFFER, &got));
    free_side(asker);
    free_side(answerer);
}

static void an_own_key_that_was_replaced_is_told(void **state)
{
    struct test_cli *cli = *state;
    struct side *asker = make_side(cli, true);
    struct lb_psi_file file = {.kind = LB_PSI_OFFER, .run = {3}, .key_id = "s1"};
    struct lb_x25519_key key;
    assert_ok(lb_x25519_generate(&key));
    asker->agreement.asker.log_key[0] ^= 1;
    assert_code(lb_ctl_psi_file_put(&asker->psi, &file, key.public_key, lb_span_str("the list")),
                LB_PSI_AGREEMENT);
    assert_int_not_equal(access(asker->out, F_OK), 0);
    free_side(asker);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, test_set_up, test_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_list_is_offered_once_and_the_same_again),
        TEST(a_run_is_answered_once_with_one_list),
        TEST(a_run_that_nobody_finished_loses_its_secret),
        TEST(two_commands_at_once_are_refused),
        TEST(only_the_very_entry_counts),
        TEST(a_file_is_for_whom_it_was_made_and_from_whom_it_says),
        TEST(an_own_key_that_was_replaced_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
