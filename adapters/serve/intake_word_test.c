#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "adapters/serve/fixture_broker.h"
#include "adapters/serve/fixture_parcel.h"
#include "adapters/serve/intake_say.h"
#include "adapters/serve/intake_states.h"
#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* What the department says, from the clerk's word to the agent's receipt. */

struct world {
    struct fx_played *played;
    struct lb_log *agent;        /* the window's log */
    struct fx_parcel submission;
    int64_t n;                   /* its number */
};

static int setup(void **state)
{
    static struct world world;
    void *played = NULL;
    struct lb_diag diag = {""};
    assert_int_equal(fx_played_strange_setup(&played), 0);
    world.played = played;
    struct fixture *fx = &world.played->fx;
    const struct lb_log_options options = {
        .folder = fed_path(&fx->fed, "agent"),
        .origin = lb_spiffe_log_origin(FX_WINDOW),
        .key = fx->window.log_key,
        .clock = lb_clock_system(),
        .create = true,
    };
    assert_ok(lb_file_mkdirs(options.folder));
    assert_ok(lb_log_open(&options, &diag, &world.agent));
    fx_greet(world.played);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    void *played = world->played;
    lb_log_close(world->agent);
    return fx_played_teardown(&played);
}

/* A submission that nothing was said of. */
static void hand_in(struct world *world)
{
    struct lb_intake_receipt receipt;
    struct fixture *fx = &world->played->fx;
    fx_parcel_honest(fx, &world->submission);
    assert_string_equal(fx_hand_in(fx, &world->submission, &receipt), "DELIVERED");
    world->n = fx_count(fx, "SELECT max(n) FROM intake");
}

static lb_status say(struct world *world, Lianban__V1__Word__Kind kind, const char *text,
                     int64_t *out_number)
{
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    uint64_t index = 0;
    word.kind = kind;
    word.reference = kind == LIANBAN__V1__WORD__KIND__ACCEPTED ? (char *)(uintptr_t)text : word.law;
    word.text_zh = kind == LIANBAN__V1__WORD__KIND__ACCEPTED ? word.law : (char *)(uintptr_t)text;
    word.law = (char *)(uintptr_t)"SAL41";
    word.until = (char *)(uintptr_t)"2026-12-31";
    word.outcome = kind == LIANBAN__V1__WORD__KIND__DECIDED
                       ? LIANBAN__V1__WORD__OUTCOME__GRANTED
                       : LIANBAN__V1__WORD__OUTCOME__OUTCOME_UNSPECIFIED;
    const struct lb_intake_saying saying = {.n = world->n, .by = FX_CLERK, .word = &word};
    return lb_intake_say(lb_serve_intake(world->played->fx.serve), &saying, out_number, &index);
}

/* The next frame about parcels; its log holds. */
static const Lianban__V1__ParcelBatch *next_parcels(struct world *world,
                                                    struct lb_checkpoint *checkpoint)
{
    for (int i = 0; i < 20; i++) {
        const Lianban__V1__Frame *frame = fx_next_frame(world->played);
        if (frame != NULL && frame->body_case == LIANBAN__V1__FRAME__BODY_PARCELS) {
            assert_ok(lb_session_watch(&world->played->session, frame->parcels->log, checkpoint));
            return frame->parcels;
        }
        if (frame != NULL)
            assert_ok(lb_session_watch(&world->played->session, frame->batch->log, checkpoint));
    }
    fail_msg("no frame about parcels came");
    return NULL;
}

static const Lianban__V1__Parcel *next_word(struct world *world)
{
    struct lb_checkpoint checkpoint;
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint8_t digest[32];
    const Lianban__V1__ParcelBatch *batch = next_parcels(world, &checkpoint);
    assert_int_equal(batch->n_parcels, 1);
    const Lianban__V1__Parcel *parcel = batch->parcels[0]->parcel;
    assert_ok(lb_link_verify(batch->parcels[0]->entry, &checkpoint, &leaf, &hash));
    lb_sha256(lb_pb_span(parcel->sealed->ciphertext), digest);
    assert_int_equal(leaf.type, LB_LEAF_PARCEL);
    assert_string_equal(leaf.code, "SENT");
    assert_memory_equal(leaf.txn, parcel->name.data, 16);
    assert_memory_equal(leaf.request_hash, digest, 32);
    return parcel;
}

static const Lianban__V1__Word *open_word(struct world *world, const Lianban__V1__Parcel *parcel)
{
    struct fixture *fx = &world->played->fx;
    struct lb_parcel_cover cover = {parcel->sender, parcel->recipient, parcel->sealed->key_id, {0},
                                    parcel->expires_unix_s};
    struct lb_parcel_sealed sealed = {.ciphertext = lb_pb_span(parcel->sealed->ciphertext)};
    struct lb_span plain = LB_SPAN_EMPTY;
    Lianban__V1__SealedParcel *message = NULL;
    memcpy(cover.name, parcel->name.data, 16);
    memcpy(sealed.enc, parcel->sealed->enc.data, 32);
    assert_string_equal(parcel->recipient, FX_WINDOW);
    assert_ok(lb_parcel_open(&cover, &fx->window.seal, fx->adapter.seal.public_key, &sealed,
                             fx->arena, &plain));
    assert_ok(lb_pb_unpack(&lianban__v1__sealed_parcel__descriptor, plain, fx->arena, &message));
    assert_int_equal(message->version, 1);
    assert_int_equal(message->body_case, LIANBAN__V1__SEALED_PARCEL__BODY_WORD);
    return message->word;
}

/* The broker tells what became of a word; with `log` it is the log's own entry. */
static void tell(struct world *world, const Lianban__V1__Parcel *parcel, const char *code,
                 struct lb_log *log, const uint8_t request_hash[32])
{
    Lianban__V1__ParcelBatch batch = LIANBAN__V1__PARCEL_BATCH__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__ParcelReceipt receipt = LIANBAN__V1__PARCEL_RECEIPT__INIT, *list[] = {&receipt};
    struct lb_arena *arena = world->played->fx.arena;
    struct lb_span bytes = LB_SPAN_EMPTY;
    uint64_t size = 0;
    receipt.name = parcel->name;
    receipt.code = (char *)(uintptr_t)code;
    if (log != NULL) {
        struct lb_log_entry *entry = calloc(1, sizeof(*entry));
        uint64_t shown = 0, head = 0;
        entry->leaf = (struct lb_leaf){.type = LB_LEAF_PARCEL, .count = 1};
        memcpy(entry->leaf.code, code, strlen(code));
        memcpy(entry->leaf.txn, parcel->name.data, 16);
        memcpy(entry->leaf.request_hash, request_hash, 32);
        assert_ok(lb_log_append_wait(log, entry));
        assert_ok(lb_link_show(log, &shown, arena, &receipt.log, &head));
        assert_ok(lb_link_prove(log, entry->index, lb_span_of(entry->leaf_bytes, entry->leaf_len),
                                head, arena, &receipt.entry));
        free(entry);
    }
    assert_ok(lb_session_show(&world->played->session, arena, &batch.log, &size));
    batch.receipts = list;
    batch.n_receipts = 1;
    frame.body_case = LIANBAN__V1__FRAME__BODY_PARCELS;
    frame.parcels = &batch;
    assert_ok(lb_pb_pack(&frame, arena, &bytes));
    assert_ok(lb_adapter_link_receive(world->played->link, bytes));
}

static int64_t num_open(struct world *world)
{
    return fx_count(&world->played->fx, "SELECT count(*) FROM intake_word WHERE code IS NULL");
}

static void a_word_goes_out_until_the_agent_has_it(void **state)
{
    struct world *world = *state;
    struct lb_checkpoint checkpoint;
    uint8_t digest[32], other[32] = {1};
    int64_t number = 0;
    hand_in(world);
    assert_ok(say(world, LIANBAN__V1__WORD__KIND__ACCEPTED, "(2026) 17", &number));
    assert_int_equal(number, 1);
    const Lianban__V1__Parcel *parcel = next_word(world);
    const Lianban__V1__Word *word = open_word(world, parcel);
    assert_int_equal(word->number, 1);
    assert_int_equal(word->kind, LIANBAN__V1__WORD__KIND__ACCEPTED);
    assert_string_equal(word->reference, "(2026) 17");
    assert_memory_equal(word->about.data, world->submission.name, 16);
    lb_sha256(lb_pb_span(parcel->sealed->ciphertext), digest);
    tell(world, parcel, "HELD", NULL, digest);
    /* Nobody but the agent ends it: not the broker's word, nor its log, nor another entry. */
    tell(world, parcel, "DELIVERED", NULL, digest);
    tell(world, parcel, "DELIVERED", world->played->log, digest);
    tell(world, parcel, "DELIVERED", world->agent, other);
    tell(world, parcel, "MALFORMED", NULL, digest);
    tell(world, parcel, "DELIVERED", world->agent, digest);
    const Lianban__V1__ParcelBatch *batch = next_parcels(world, &checkpoint);
    assert_int_equal(batch->n_ended, 1);
    assert_memory_equal(batch->ended[0].data, parcel->name.data, 16);
    assert_int_equal(num_open(world), 0);
    assert_int_equal(fx_count(&world->played->fx,
                              "SELECT count(*) FROM intake_word WHERE code = 'DELIVERED'"), 1);
}

static void words_keep_their_numbers_and_their_order(void **state)
{
    struct world *world = *state;
    int64_t number = 0;
    hand_in(world);
    assert_code(lb_status_code(say(world, LIANBAN__V1__WORD__KIND__DECIDED, "好", &number)),
                LB_CASE_STATE);
    assert_ok(say(world, LIANBAN__V1__WORD__KIND__ACCEPTED, "A-1", &number));
    assert_ok(say(world, LIANBAN__V1__WORD__KIND__ACCEPTED, "A-1", &number)); /* once more */
    assert_int_equal(number, 1);
    assert_code(lb_status_code(say(world, LIANBAN__V1__WORD__KIND__ACCEPTED, "A-2", &number)),
                LB_CASE_STATE);
    assert_code(lb_status_code(say(world, LIANBAN__V1__WORD__KIND__RETURNED, "不", &number)),
                LB_CASE_STATE);
    assert_ok(say(world, LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED, "户口簿", &number));
    assert_int_equal(number, 2);
    assert_ok(say(world, LIANBAN__V1__WORD__KIND__DECIDED, "好", &number));
    assert_int_equal(number, 3);
    assert_ok(say(world, LIANBAN__V1__WORD__KIND__CORRECTED, "金额有误", &number));
    assert_int_equal(number, 4);
    assert_code(lb_status_code(say(world, LIANBAN__V1__WORD__KIND__WITHDRAWN, "撤", &number)),
                LB_CASE_STATE);
    assert_int_equal(num_open(world), 4);
}

static void behind_a_withdrawal_only_withdrawn_is_said(void **state)
{
    struct world *world = *state;
    struct fx_parcel withdrawal;
    struct lb_intake_receipt receipt;
    int64_t number = 0;
    hand_in(world);
    fx_parcel_about(&world->played->fx, &withdrawal, &world->submission,
                    LIANBAN__V1__PART__KIND__WITHDRAWAL);
    assert_string_equal(fx_hand_in(&world->played->fx, &withdrawal, &receipt), "DELIVERED");
    assert_code(lb_status_code(say(world, LIANBAN__V1__WORD__KIND__ACCEPTED, "A-1", &number)),
                LB_CASE_STATE);
    assert_ok(say(world, LIANBAN__V1__WORD__KIND__WITHDRAWN, "", &number));
    assert_code(lb_status_code(say(world, LIANBAN__V1__WORD__KIND__CORRECTED, "x", &number)),
                LB_CASE_STATE);
}

/* A citizen's request is answered for its data, a submission for anything else. */
static void a_request_is_answered_for_its_data(void **state)
{
    struct world *world = *state;
    struct fixture *fx = &world->played->fx;
    struct fx_parcel request;
    struct lb_intake_receipt receipt;
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    struct lb_intake_saying saying = {.by = FX_CLERK, .word = &word};
    struct lb_intake *intake = lb_serve_intake(fx->serve);
    int64_t number = 0;
    uint64_t index = 0;
    hand_in(world);
    fx_parcel_honest(fx, &request);
    request.part.kind = LIANBAN__V1__PART__KIND__CORRECTION_REQUEST;
    request.part.part = (char *)(uintptr_t)"";
    assert_string_equal(fx_hand_in(fx, &request, &receipt), "DELIVERED");
    saying.n = fx_count(fx, "SELECT max(n) FROM intake");
    word.kind = LIANBAN__V1__WORD__KIND__DECIDED;
    word.outcome = LIANBAN__V1__WORD__OUTCOME__GRANTED;
    assert_code(lb_status_code(lb_intake_say(intake, &saying, &number, &index)), LB_MALFORMED);
    word.outcome = LIANBAN__V1__WORD__OUTCOME__DATA_KEPT; /* without a reason */
    assert_code(lb_status_code(lb_intake_say(intake, &saying, &number, &index)), LB_MALFORMED);
    word.outcome = LIANBAN__V1__WORD__OUTCOME__DATA_FORWARDED; /* to nobody */
    assert_code(lb_status_code(lb_intake_say(intake, &saying, &number, &index)), LB_MALFORMED);
    word.forwarded_to = (char *)(uintptr_t)"housing";
    assert_ok(lb_intake_say(intake, &saying, &number, &index));
    assert_int_equal(number, 1);
    word.outcome = LIANBAN__V1__WORD__OUTCOME__DATA_CORRECTED;
    word.forwarded_to = (char *)(uintptr_t)"";
    assert_code(lb_status_code(lb_intake_say(intake, &saying, &number, &index)), LB_CASE_STATE);
    word.kind = LIANBAN__V1__WORD__KIND__CORRECTED; /* what it said was wrong */
    word.text_zh = (char *)(uintptr_t)"已更正";
    assert_ok(lb_intake_say(intake, &saying, &number, &index));
    assert_int_equal(number, 2);
    saying.n = world->n; /* of the submission */
    word.kind = LIANBAN__V1__WORD__KIND__DECIDED;
    assert_code(lb_status_code(lb_intake_say(intake, &saying, &number, &index)), LB_MALFORMED);
}

/* A new link is a broker that may have forgotten. */
static void a_word_is_sent_again_over_a_new_link(void **state)
{
    struct world *world = *state;
    int64_t number = 0;
    hand_in(world);
    assert_ok(say(world, LIANBAN__V1__WORD__KIND__ACCEPTED, "A-1", &number));
    const Lianban__V1__Parcel *first = next_word(world);
    /* There is no other key to seal it with: the same once more. */
    tell(world, first, "KEY_RETIRED", NULL, NULL);
    const Lianban__V1__Parcel *same = next_word(world);
    assert_memory_equal(first->sealed->enc.data, same->sealed->enc.data, 32);
    fx_reconnect(world->played);
    const Lianban__V1__Parcel *again = next_word(world);
    assert_memory_equal(first->name.data, again->name.data, 16);
    assert_memory_equal(first->sealed->enc.data, again->sealed->enc.data, 32);
    /* Sealed anew, under the same name, once the agent's key is another. */
    fx_execute_state(&world->played->fx,
                     "UPDATE intake_word SET key_id = 's0' WHERE code IS NULL");
    fx_reconnect(world->played);
    const Lianban__V1__Parcel *anew = next_word(world);
    assert_memory_equal(first->name.data, anew->name.data, 16);
    assert_memory_not_equal(first->sealed->enc.data, anew->sealed->enc.data, 32);
    assert_string_equal(open_word(world, anew)->reference, "A-1");
    /* The agent may have taken the first sealing. */
    uint8_t digest[32];
    struct lb_checkpoint checkpoint;
    lb_sha256(lb_pb_span(first->sealed->ciphertext), digest);
    tell(world, anew, "DELIVERED", world->agent, digest);
    assert_int_equal(next_parcels(world, &checkpoint)->n_ended, 1);
    assert_int_equal(num_open(world), 0);
}

static void what_may_follow_what_is_a_table(void **state)
{
    enum lb_intake_state out = LB_INTAKE_OPEN;
    int words = 0, of_requests = 0, parts = 0;
    (void)state;
    for (int from = -1; from <= LB_NUM_INTAKE_STATES; from++) {
        for (int kind = -1; kind <= 12; kind++) {
            bool said = lb_intake_after_word(LIANBAN__V1__PART__KIND__SUBMISSION,
                                             (enum lb_intake_state)from,
                                             (Lianban__V1__Word__Kind)kind, &out) == LB_OK;
            of_requests += lb_intake_after_word(LIANBAN__V1__PART__KIND__CORRECTION_REQUEST,
                                                (enum lb_intake_state)from,
                                                (Lianban__V1__Word__Kind)kind, &out) == LB_OK
                               ? 1
                               : 0;
            words += said ? 1 : 0;
            if (said)
                assert_int_not_equal(out, LB_INTAKE_NOTED);
            parts += lb_intake_after_part((enum lb_intake_state)from,
                                          (Lianban__V1__Part__Kind)kind, &out) == LB_OK
                         ? 1
                         : 0;
        }
    }
    assert_int_equal(words, 22);
    assert_int_equal(of_requests, 5);
    assert_int_equal(parts, 18);
}

/* The first two read the link, and leave no word open; the others leave some. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_goes_out_until_the_agent_has_it),
        cmocka_unit_test(a_word_is_sent_again_over_a_new_link),
        cmocka_unit_test(words_keep_their_numbers_and_their_order),
        cmocka_unit_test(behind_a_withdrawal_only_withdrawn_is_said),
        cmocka_unit_test(a_request_is_answered_for_its_data),
        cmocka_unit_test(what_may_follow_what_is_a_table),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
