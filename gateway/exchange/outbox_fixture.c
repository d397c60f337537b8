#include "gateway/exchange/outbox_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/store/store.h"
#include "gateway/wire/pb.h"

#define CIPHERTEXT_BYTES (4096 + 16)

static void open_log(struct ofx_party *party, const char *folder,
                     const char *const *migrations)
{
    const struct lb_log_options options = {
        .folder = folder,
        .origin = lb_spiffe_log_origin(party->spiffe),
        .key = party->keys.log_key,
        .clock = lb_clock_system(),
        .create = true,
        .migrations = migrations,
    };
    struct lb_diag diag = {""};
    assert_ok(lb_file_mkdirs(options.folder));
    assert_ok(lb_log_open(&options, &diag, &party->log));
}

static void open_federation(struct ofx *fx)
{
    static const char *const organizations[] = {"tax", "housing", "hub", "street-office",
                                                "service-hall", NULL};
    const struct fed_node nodes[] = {{OFX_BROKER, &fx->broker.keys}, {OFX_TAX, &fx->tax.keys},
                                     {OFX_HOUSING, &fx->housing.keys},
                                     {OFX_STREET, &fx->street.keys}, {OFX_HALL, &fx->hall.keys}};
    const struct fed_options options = {
        .nodes = nodes, .num_nodes = 5, .organizations = organizations};
    fed_open(&fx->fed, &options);
}

void ofx_start(struct ofx *fx)
{
    const struct lb_outbox_options options = {
        .trust = fx->fed.trust,
        .log = fx->broker.log,
        .store_path = lb_arena_printf(fx->arena, "%s/evidence.db", fx->folder),
        .clock = &fx->clock.clock,
        .limits = fx->limits,
        .look_every_ms = OFX_LOOK_MS,
    };
    assert_ok(lb_outbox_new(&options, &fx->outbox));
}

void ofx_stop(struct ofx *fx)
{
    lb_outbox_free(fx->outbox);
    fx->outbox = NULL;
}

static struct ofx_party *party_of(struct ofx *fx, size_t i)
{
    struct ofx_party *parties[] = {&fx->broker, &fx->tax, &fx->housing, &fx->street, &fx->hall};
    return parties[i];
}

struct ofx *ofx_make(void)
{
    static const char *const ids[] = {OFX_BROKER, OFX_TAX, OFX_HOUSING, OFX_STREET, OFX_HALL};
    struct ofx *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    fed_setup(&fx->fed, "outbox");
    fx->arena = fx->fed.arena;
    for (size_t i = 0; i < 5; i++) {
        party_of(fx, i)->spiffe = ids[i];
        fed_party_make(&party_of(fx, i)->keys);
    }
    open_federation(fx);
    fx->folder = fed_path(&fx->fed, "broker");
    return fx;
}

static void open_parties(struct ofx *fx)
{
    static const char *const folders[] = {"", "tax", "housing", "street", "hall"};
    for (size_t i = 1; i < 5; i++)
        open_log(party_of(fx, i), fed_path(&fx->fed, folders[i]), NULL);
}

static void close_parties(struct ofx *fx)
{
    for (size_t i = 1; i < 5; i++)
        lb_log_close(party_of(fx, i)->log);
}

static void open_broker(struct ofx *fx)
{
    const char *seen = lb_arena_printf(fx->arena, "%s/seen", fx->folder);
    open_log(&fx->broker, fx->folder, lb_outbox_migrations);
    assert_ok(lb_file_mkdirs(seen));
    assert_ok(lb_seen_new(seen, &fx->seen));
    lb_clock_fixed_init(&fx->clock, lb_clock_unix_ms(lb_clock_system()));
    ofx_start(fx);
}

static void close_broker(struct ofx *fx)
{
    ofx_stop(fx);
    lb_seen_free(fx->seen);
    lb_log_close(fx->broker.log);
}

void ofx_begin(struct ofx *fx)
{
    open_parties(fx);
    open_broker(fx);
}

void ofx_end(struct ofx *fx)
{
    close_broker(fx);
    close_parties(fx);
}

void ofx_free(struct ofx *fx)
{
    for (size_t i = 0; i < 5; i++)
        fed_party_free(&party_of(fx, i)->keys);
    fed_teardown(&fx->fed);
    free(fx);
}

int ofx_open(void **state)
{
    *state = ofx_make();
    open_parties(*state);
    return 0;
}

int ofx_setup(void **state)
{
    struct ofx *fx = *state;
    fx->folder = lb_arena_printf(fx->arena, "%s/broker-%u", fx->fed.folder, ++fx->round);
    fx->limits = (struct lb_outbox_limits){.parcels = 0};
    open_broker(fx);
    return 0;
}

int ofx_teardown(void **state)
{
    close_broker(*state);
    return 0;
}

int ofx_close(void **state)
{
    close_parties(*state);
    ofx_free(*state);
    return 0;
}

int64_t ofx_now_s(const struct ofx *fx)
{
    return fx->clock.now_unix_ms / 1000;
}

void ofx_pass(struct ofx *fx, int64_t ms)
{
    fx->clock.now_unix_ms += ms;
    fx->clock.now_monotonic_ms += ms;
}

/* --- parcels --- */

static ProtobufCBinaryData bytes_of(struct ofx *fx, size_t len, uint8_t byte)
{
    uint8_t *bytes = lb_arena_alloc(fx->arena, len);
    assert_non_null(bytes);
    memset(bytes, byte, len);
    return lb_pb_bytes(lb_span_of(bytes, len));
}

Lianban__V1__Parcel *ofx_parcel(struct ofx *fx, uint8_t byte, const struct ofx_party *sender,
                                const struct ofx_party *recipient)
{
    Lianban__V1__Parcel *parcel = lb_arena_alloc(fx->arena, sizeof(*parcel));
    Lianban__V1__Sealed *sealed = lb_arena_alloc(fx->arena, sizeof(*sealed));
    lianban__v1__parcel__init(parcel);
    lianban__v1__sealed__init(sealed);
    parcel->name = bytes_of(fx, 16, byte);
    parcel->sender = (char *)(uintptr_t)sender->spiffe;
    parcel->recipient = (char *)(uintptr_t)recipient->spiffe;
    parcel->expires_unix_s = ofx_now_s(fx) + 3600;
    parcel->sealed = sealed;
    sealed->key_id = (char *)(uintptr_t)"k1";
    sealed->enc = sealed->sender_key = bytes_of(fx, 32, byte);
    sealed->ciphertext = bytes_of(fx, CIPHERTEXT_BYTES, byte);
    return parcel;
}

void ofx_reseal(struct ofx *fx, Lianban__V1__Parcel *parcel)
{
    uint8_t before = parcel->sealed->ciphertext.data[0];
    parcel->sealed->ciphertext = bytes_of(fx, CIPHERTEXT_BYTES, (uint8_t)(before + 100));
}

lb_status ofx_submit(struct ofx *fx, const struct ofx_party *caller, Lianban__V1__Parcel *parcel,
                     Lianban__V1__ParcelReceipt **out_receipt)
{
    Lianban__V1__RoutedParcel routed = LIANBAN__V1__ROUTED_PARCEL__INIT;
    Lianban__V1__SubmitRequest request = LIANBAN__V1__SUBMIT_REQUEST__INIT;
    Lianban__V1__SubmitResponse response = LIANBAN__V1__SUBMIT_RESPONSE__INIT;
    routed.parcel = parcel;
    request.parcel = &routed;
    LB_TRY(lb_outbox_submit(fx->outbox, caller->spiffe, &request, fx->arena, &response));
    if (out_receipt != NULL)
        *out_receipt = response.receipt;
    return LB_OK;
}

Lianban__V1__Parcel *ofx_hold(struct ofx *fx, uint8_t byte)
{
    Lianban__V1__ParcelReceipt *receipt = NULL;
    Lianban__V1__Parcel *parcel = ofx_parcel(fx, byte, &fx->street, &fx->tax);
    assert_ok(ofx_submit(fx, &fx->street, parcel, &receipt));
    assert_string_equal(receipt->code, "HELD");
    return parcel;
}

struct ofx_proof ofx_entry(struct ofx *fx, const struct ofx_party *party, const char *code,
                           struct lb_span name, struct lb_span ciphertext)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    struct ofx_proof proof = {.entry = NULL};
    uint64_t shown = 0, size = 0;
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_PARCEL, .count = 1};
    memcpy(entry->leaf.code, code, strlen(code) + 1);
    memcpy(entry->leaf.txn, name.ptr, 16);
    lb_sha256(ciphertext, entry->leaf.request_hash);
    assert_ok(lb_log_append_wait(party->log, entry));
    assert_ok(lb_link_show(party->log, &shown, fx->arena, &proof.log, &size));
    assert_ok(lb_link_prove(party->log, entry->index,
                            lb_span_of(entry->leaf_bytes, entry->leaf_len), size, fx->arena,
                            &proof.entry));
    free(entry);
    return proof;
}

/* --- what is on disk --- */

bool ofx_leaf(struct ofx *fx, const char *code, const Lianban__V1__Parcel *parcel,
              struct lb_leaf *out)
{
    struct lb_log_head head;
    assert_ok(lb_log_head(fx->broker.log, fx->arena, &head));
    for (uint64_t at = head.size; at > 0; at--) {
        struct lb_span bytes = LB_SPAN_EMPTY;
        assert_ok(lb_log_leaf(fx->broker.log, at - 1, fx->arena, &bytes));
        assert_ok(lb_leaf_decode(bytes, out));
        if (out->type == LB_LEAF_PARCEL && strcmp(out->code, code) == 0 &&
            memcmp(out->txn, parcel->name.data, 16) == 0)
            return true;
    }
    return false;
}

int64_t ofx_rows(struct ofx *fx, const char *where)
{
    const struct lb_store_options options = {
        .path = lb_arena_printf(fx->arena, "%s/evidence.db", fx->folder),
        .read_only = true,
        .busy_timeout_ms = 10000,
    };
    struct lb_store *store = NULL;
    struct lb_stmt *stmt = NULL;
    bool any = false;
    assert_ok(lb_store_open(&options, &store));
    const char *sql =
        lb_arena_printf(fx->arena, "SELECT count(*) FROM parcel WHERE %s", where);
    assert_ok(lb_stmt_prepare(store, sql, &stmt));
    assert_ok(lb_stmt_step(stmt, &any));
    int64_t num = lb_stmt_int(stmt, 0);
    lb_stmt_free(stmt);
    lb_store_close(store);
    return num;
}
