#include <stdio.h>

#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/link.h"
#include "gateway/window/parts_inside.h"
#include "gateway/wire/pb.h"

/*
 * What is on its way: sealed when it is sent, on disk and in the evidence log before that, and
 * given to the first broker that serves. A broker that holds it is asked again now and then, so
 * that no single piece of news has to arrive; another gets it too when that one is away.
 */

#define BATCH 64U
#define FIRST_PAUSE_S 1
#define LAST_PAUSE_S 60        /* with nobody who holds it */
#define HELD_PAUSE_S 60
#define LAST_HELD_PAUSE_S 900
#define OTHER_TURN 4           /* each so many times one who does not hold it is asked */
#define TURN_S 5               /* behind a submission that is not there yet */

struct sending {
    struct lb_window *window;
    struct lb_arena *arena;
    struct lb_directory *directory;
    struct lb_parcel_row row;
};

static int64_t now_s(const struct sending *sending)
{
    return lb_clock_unix_s(sending->window->options.clock);
}

static lb_status change(struct sending *sending, lb_parcel_change_fn fn, void *arg)
{
    uint8_t name[LB_PARCEL_NAME_BYTES];
    memcpy(name, sending->row.name, sizeof(name));
    return lb_parcel_change(sending->window->store, name, fn, arg, sending->arena, &sending->row);
}

/* --- waiting --- */

struct pause {
    int64_t now_s;
    int64_t seconds;  /* 0: longer each time */
};

static int64_t grown(uint32_t tries, int64_t first, int64_t last)
{
    int64_t pause = first;
    for (uint32_t i = 0; i < tries && pause < last; i++)
        pause *= 2;
    return pause < last ? pause : last;
}

int64_t lb_parts_pause_s(const Lianban__V1__KeptParcel *kept)
{
    return kept->n_holders > 0 ? grown(kept->tries, HELD_PAUSE_S, LAST_HELD_PAUSE_S)
                               : grown(kept->tries, FIRST_PAUSE_S, LAST_PAUSE_S);
}

static lb_status put_off(struct lb_parcel_row *row, void *arg)
{
    const struct pause *pause = arg;
    Lianban__V1__KeptParcel *kept = row->kept;
    kept->next_try_unix_s =
        pause->now_s + (pause->seconds != 0 ? pause->seconds : lb_parts_pause_s(kept));
    kept->tries++;
    row->next_s = kept->next_try_unix_s;
    return LB_OK;
}

/* --- sealing --- */

struct sealing {
    const struct lb_node *adapter;
    const char *key_id;
    struct lb_span sender_key, enc, ciphertext, sha256;  /* in the arena */
    int64_t expires_s;
    struct lb_arena *arena;
};

/* Known before it leaves, so that any receipt for it can be told from another's. */
static lb_status keep_sealing(struct lb_parcel_row *row, void *arg)
{
    const struct sealing *sealing = arg;
    Lianban__V1__KeptParcel *kept = row->kept;
    ProtobufCBinaryData *all =
        lb_arena_array(sealing->arena, kept->n_sealings + 1, sizeof(*all));
    LB_ENSURE(all != NULL, LB_NO_MEMORY, "arena is full");
    LB_ENSURE(kept->n_sealings < LB_PARTS_MAX_SEALINGS, LB_RETRY_EXHAUSTED, "sealed too often");
    for (size_t i = 0; i < kept->n_sealings; i++)
        all[i] = kept->sealings[i];
    all[kept->n_sealings++] = lb_pb_bytes(sealing->sha256);
    kept->sealings = all;
    kept->recipient = (char *)(uintptr_t)sealing->adapter->spiffe;
    kept->key_id = (char *)(uintptr_t)sealing->key_id;
    kept->enc = lb_pb_bytes(sealing->enc);
    kept->sender_key = lb_pb_bytes(sealing->sender_key);
    kept->ciphertext = lb_pb_bytes(sealing->ciphertext);
    kept->expires_unix_s = sealing->expires_s;
    kept->sent_entry = 0;
    return LB_OK;
}

static lb_status seal(struct sending *sending, const struct lb_node *adapter,
                      const struct lb_seal_key_entry *key)
{
    const struct lb_window *window = sending->window;
    LB_DEFER(lb_own_key_wipe) struct lb_own_key own = {.id = ""};
    LB_TRY(lb_window_newest_key(window, &own));
    struct sealing sealing = {.adapter = adapter, .key_id = key->id,
                              .expires_s = now_s(sending) + LB_PARTS_END_S,
                              .arena = sending->arena};
    struct lb_parcel_sealed sealed;
    uint8_t sha256[LB_SHA256_BYTES];
    struct lb_parcel_cover cover = {.sender = window->options.self,
                                    .recipient = adapter->spiffe,
                                    .key_id = key->id,
                                    .expires_unix_s = sealing.expires_s};
    memcpy(cover.name, sending->row.name, sizeof(cover.name));
    LB_TRY(lb_parcel_seal(&cover, key->public_key, &own.key,
                          lb_pb_span(sending->row.kept->content), sending->arena, &sealed));
    lb_sha256(sealed.ciphertext, sha256);
    sealing.ciphertext = sealed.ciphertext;
    LB_TRY(lb_arena_copy(sending->arena, lb_span_of(sealed.enc, sizeof(sealed.enc)),
                         &sealing.enc));
    LB_TRY(lb_arena_copy(sending->arena, lb_span_of(sha256, sizeof(sha256)), &sealing.sha256));
    LB_TRY(lb_arena_copy(sending->arena, lb_span_of(own.key.public_key, LB_X25519_BYTES),
                         &sealing.sender_key));
    return change(sending, keep_sealing, &sealing);
}

/* What was sealed stays good while both keys are in use and its end is far. */
static bool still_good(const struct sending *sending, const struct lb_node *adapter)
{
    const Lianban__V1__KeptParcel *kept = sending->row.kept;
    struct lb_own_key own[LB_SEAL_RING_MAX];
    bool ours = false;
    if (kept->ciphertext.len == 0 || kept->expires_unix_s <= now_s(sending) ||
        lb_node_seal_key(adapter, kept->key_id, now_s(sending)) == NULL)
        return false;
    size_t num = lb_seal_ring_list(sending->window->options.ring, sending->directory, own);
    for (size_t i = 0; i < num; i++) {
        ours = ours || lb_span_eq(lb_span_of(own[i].key.public_key, LB_X25519_BYTES),
                                  lb_pb_span(kept->sender_key));
        lb_own_key_wipe(&own[i]);
    }
    return ours;
}

/* By the form's part, or of a correction request by the fact. */
static lb_status department_of(const struct lb_form *form, const Lianban__V1__Part *part,
                               const char **out)
{
    if (part->kind == LIANBAN__V1__PART__KIND__CORRECTION_REQUEST && part->n_facts == 1) {
        *out = part->facts[0]->department;
        return LB_OK;
    }
    size_t index = lb_form_part_index(form, part->part);
    LB_ENSURE(index != SIZE_MAX, LB_PART_UNKNOWN, "the form has no such part");
    *out = form->parts[index].department;
    return LB_OK;
}

static lb_status find_adapter(const struct sending *sending, const struct lb_node **out)
{
    const Lianban__V1__KeptParcel *kept = sending->row.kept;
    Lianban__V1__SealedParcel *content = NULL;
    const struct lb_node *adapter = NULL;
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    if (kept->recipient[0] != 0) {
        adapter = lb_directory_node(sending->directory, kept->recipient);
    } else {
        LB_TRY(lb_window_hold(sending->window, sending->row.case_id, &entry));
        const char *department = NULL;
        LB_TRY(lb_parcel_part(&sending->row, sending->arena, &content));
        LB_TRY(department_of(entry->form->form, content->part, &department));
        adapter = lb_window_adapter(sending->directory, department);
    }
    LB_ENSURE(adapter != NULL, LB_PEER_UNLISTED, "the department has no adapter");
    *out = adapter;
    return LB_OK;
}

static lb_status ensure_sealed(struct sending *sending)
{
    const struct lb_node *adapter = NULL;
    LB_TRY(find_adapter(sending, &adapter));
    if (still_good(sending, adapter))
        return LB_OK;
    const struct lb_seal_key_entry *key = lb_node_seal_key(adapter, NULL, now_s(sending));
    LB_ENSURE(key != NULL, LB_KEY_RETIRED, "no sealing key is valid any more");
    return seal(sending, adapter, key);
}

/* --- the entry --- */

static lb_status keep_entry(struct lb_parcel_row *row, void *arg)
{
    row->kept->sent_entry = *(const uint64_t *)arg + 1;
    return LB_OK;
}

static lb_status ensure_logged(struct sending *sending)
{
    const Lianban__V1__KeptParcel *kept = sending->row.kept;
    struct lb_log_entry entry = {.leaf = {.type = LB_LEAF_PARCEL, .count = 1}};
    if (kept->sent_entry != 0)
        return LB_OK;
    (void)snprintf(entry.leaf.code, sizeof(entry.leaf.code), "%s", "SENT");
    memcpy(entry.leaf.txn, sending->row.name, sizeof(entry.leaf.txn));
    lb_sha256(lb_pb_span(kept->ciphertext), entry.leaf.request_hash);
    LB_TRY(lb_log_append_wait(sending->window->options.log, &entry));
    return change(sending, keep_entry, &entry.index);
}

/* --- handing over --- */

static void write_parcel(const struct sending *sending, Lianban__V1__Parcel *parcel,
                         Lianban__V1__Sealed *sealed)
{
    const Lianban__V1__KeptParcel *kept = sending->row.kept;
    lianban__v1__parcel__init(parcel);
    lianban__v1__sealed__init(sealed);
    sealed->key_id = kept->key_id;
    sealed->enc = kept->enc;
    sealed->sender_key = kept->sender_key;
    sealed->ciphertext = kept->ciphertext;
    parcel->name = lb_pb_bytes(lb_span_of(sending->row.name, sizeof(sending->row.name)));
    parcel->sender = (char *)(uintptr_t)sending->window->options.self;
    parcel->recipient = kept->recipient;
    parcel->sealed = sealed;
    parcel->expires_unix_s = kept->expires_unix_s;
}

static lb_status prove(const struct sending *sending, Lianban__V1__RoutedParcel *routed,
                       Lianban__V1__LogProgress **out_progress)
{
    struct lb_log *log = sending->window->options.log;
    uint64_t shown = 0, size = 0, index = sending->row.kept->sent_entry - 1;
    struct lb_span leaf;
    LB_TRY(lb_link_show(log, &shown, sending->arena, out_progress, &size));
    LB_TRY(lb_log_leaf(log, index, sending->arena, &leaf));
    return lb_link_prove(log, index, leaf, size, sending->arena, &routed->entry);
}

static lb_status submit_to(struct sending *sending, size_t broker,
                           Lianban__V1__ParcelReceipt **out_receipt)
{
    const struct lb_window_port *port = &sending->window->options.port;
    Lianban__V1__SubmitRequest request = LIANBAN__V1__SUBMIT_REQUEST__INIT;
    Lianban__V1__RoutedParcel routed = LIANBAN__V1__ROUTED_PARCEL__INIT;
    Lianban__V1__SubmitResponse *response = NULL;
    Lianban__V1__Parcel parcel;
    Lianban__V1__Sealed sealed;
    write_parcel(sending, &parcel, &sealed);
    routed.parcel = &parcel;
    request.parcel = &routed;
    LB_TRY(prove(sending, &routed, &request.log));
    LB_TRY(port->submit(port->ctx, broker, &request, sending->arena, &response));
    LB_ENSURE(response->receipt != NULL, LB_MALFORMED, "a broker answered without a receipt");
    *out_receipt = response->receipt;
    return LB_OK;
}

/* Who holds it and is there is asked first, but now and then one who does not: who says that it has
 * it need not be right. Who refused it is not asked at all. */
static size_t pick(const struct sending *sending, unsigned tried)
{
    struct lb_window_brokers *brokers = &sending->window->brokers;
    const Lianban__V1__KeptParcel *kept = sending->row.kept;
    bool holder = kept->tries % OTHER_TURN != 0;
    for (size_t i = 0; i < brokers->num; i++) {
        if ((tried & 1U << i) == 0 && !lb_window_brokers_is_down(brokers, i) &&
            lb_parts_among(kept->holders, kept->n_holders, brokers->names[i]) == holder)
            return i;
    }
    return lb_window_brokers_pick(brokers, tried);
}

static unsigned refusers(const struct sending *sending)
{
    const struct lb_window_brokers *brokers = &sending->window->brokers;
    const Lianban__V1__KeptParcel *kept = sending->row.kept;
    unsigned tried = 0;
    for (size_t i = 0; i < brokers->num; i++)
        if (lb_parts_among(kept->refused_by, kept->n_refused_by, brokers->names[i]))
            tried |= 1U << i;
    return tried;
}

/* One broker after the other, until one has it. */
static lb_status hand_over(struct sending *sending)
{
    struct lb_window *window = sending->window;
    unsigned tried = refusers(sending);
    lb_status failed = LB_FAULT(LB_UNAVAILABLE, "no broker is left to ask");
    for (size_t broker = pick(sending, tried); broker < window->brokers.num;
         broker = pick(sending, tried)) {
        Lianban__V1__ParcelReceipt *receipt = NULL;
        bool ended = false;
        lb_status status = submit_to(sending, broker, &receipt);
        if (status == LB_OK) {
            lb_window_brokers_answered(&window->brokers, broker);
            status = lb_parts_receipt(window, broker, receipt, &ended);
        } else if (lb_window_is_broker_trouble(status->code) && status->code != LB_BUSY) {
            lb_window_brokers_failed(&window->brokers, broker);
        }
        if (status == LB_OK)
            return LB_OK;
        failed = status;
        tried |= 1U << broker;
    }
    return failed;
}

/* --- turns --- */

/* What is about a submission goes once the department has that one. */
static lb_status check_turn(struct sending *sending)
{
    const struct lb_parcel_row *row = &sending->row;
    struct lb_parcel_row submission;
    if (memcmp(row->name, row->about, sizeof(row->name)) == 0)
        return LB_OK;
    LB_TRY(lb_parcel_get(sending->window->store, row->about, sending->arena, &submission));
    enum lb_part_state state = lb_part_state_by_name(submission.kept->state);
    LB_ENSURE(state != LB_PART_WITHDRAWN, LB_PART_UNKNOWN, "the submission was given up");
    LB_ENSURE(state == LB_PART_DELIVERED, LB_CASE_STATE, "the submission is not there yet");
    return LB_OK;
}

static lb_status send_one(struct sending *sending)
{
    struct pause pause = {.now_s = now_s(sending)};
    lb_status status = check_turn(sending);
    if (lb_status_code(status) == LB_CASE_STATE) {
        pause.seconds = TURN_S;
        return change(sending, put_off, &pause);
    }
    /* Put off before anything is tried: whoever dies now tries no sooner than who fails. */
    LB_TRY(change(sending, put_off, &pause));
    if (status == LB_OK)
        status = lb_log_may_release(sending->window->options.log);
    if (status == LB_OK)
        status = ensure_sealed(sending);
    if (status == LB_OK)
        status = ensure_logged(sending);
    if (status == LB_OK)
        status = hand_over(sending);
    if (status == LB_OK || lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    if (sending->row.kept->tries <= 1)
        lb_log_failure("parcel_not_sent", status);
    return lb_parts_stuck(sending->window, sending->row.name, lb_code_outer(status->code));
}

/* One that can't be sent keeps no other back. */
static void send_named(struct lb_window *window, struct lb_directory *directory,
                       const uint8_t *name)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_PARTS_ARENA_BYTES);
    struct sending sending = {.window = window, .arena = arena, .directory = directory};
    lb_status status = LB_FAULT(LB_NO_MEMORY, "arena");
    if (arena != NULL)
        status = lb_parcel_get(window->store, name, arena, &sending.row);
    if (status == LB_OK && sending.row.open)
        status = send_one(&sending);
    if (lb_status_code(status) != LB_ABSENT) /* its case was closed meanwhile */
        lb_log_failure("parcel_not_sent", status);
}

lb_status lb_parts_send(struct lb_window *window)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(64 * 1024);
    const uint8_t *names = NULL;
    size_t num = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_parcels_due(window->store, lb_clock_unix_s(window->options.clock), BATCH, arena,
                          &names, &num));
    for (size_t i = 0; i < num; i++) {
        struct lb_directory *directory = lb_trust_directory(window->options.trust);
        send_named(window, directory, names + i * LB_PARCEL_NAME_BYTES);
        lb_directory_unref(directory);
    }
    return LB_OK;
}
