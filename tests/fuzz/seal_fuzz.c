#include "gateway/base/limits.h"
#include "gateway/seal/exchange.h"
#include "gateway/seal/hpke.h"
#include "gateway/seal/padded.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/read.pb-c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* HPKE, and what is framed inside the seal. */

#define ARENA_BYTES (8U << 20)
#define MAX_PLAIN 4096U

static const uint8_t zeros[MAX_PLAIN];

static bool is_zero(const uint8_t *bytes, size_t len)
{
    return memcmp(bytes, zeros, len < MAX_PLAIN ? len : MAX_PLAIN) == 0;
}

/* Nobody has sealed these bytes, so nothing opens, and nothing is left behind. */
static bool try_foreign(struct lb_span in, struct lb_arena *arena)
{
    struct lb_hpke_context context;
    uint8_t enc[LB_HPKE_ENC_BYTES] = {0};
    bool auth = (fuzz_u8(&in) & 1) != 0;
    uint64_t seq = fuzz_u8(&in);
    struct lb_span key = fuzz_bytes(&in, sizeof(enc));
    if (key.len > 0)
        memcpy(enc, key.ptr, key.len);
    lb_status status = lb_hpke_setup_recipient(&fuzz_keys()->x25519, enc, lb_span_str("info"),
                                               auth ? fuzz_keys()->sender.public_key : NULL,
                                               &context);
    if (status != LB_OK) {
        FUZZ_CODE(status, LB_SEAL_BROKEN);
        return false;
    }
    size_t room = in.len < LB_HPKE_TAG_BYTES ? 0 : in.len - LB_HPKE_TAG_BYTES;
    uint8_t *out = lb_arena_alloc(arena, room + 1);
    FUZZ_CHECK(out != NULL);
    if (room > 0)
        memset(out, 0x55, room);
    FUZZ_CODE(lb_hpke_open(&context, seq, lb_span_str("aad"), in, out), LB_SEAL_BROKEN);
    FUZZ_CHECK(is_zero(out, room));
    struct lb_span sealed = lb_span_of(in.ptr, in.len), plain;
    FUZZ_CODE(lb_open_answer(&context, seq, in, lb_span_of(enc, 16), sealed, arena, &plain),
              LB_SEAL_BROKEN);
    lb_hpke_context_wipe(&context);
    return true;
}

static bool try_base(struct lb_span in, struct lb_arena *arena)
{
    uint8_t *out = lb_arena_alloc(arena, in.len + 1);
    FUZZ_CHECK(out != NULL);
    FUZZ_CODE(lb_hpke_open_base(&fuzz_keys()->x25519, lb_span_str("info"), lb_span_str("aad"), in,
                                out),
              LB_SEAL_BROKEN);
    return false;
}

/* A message that was sealed opens as itself; with one byte of it changed it does not. */
static bool try_changed(struct lb_span in, struct lb_arena *arena)
{
    struct lb_hpke_context sender, recipient;
    uint8_t enc[LB_HPKE_ENC_BYTES];
    uint64_t seq = fuzz_u64(&in);
    uint8_t where = fuzz_u8(&in), change = fuzz_u8(&in);
    struct lb_span plain = fuzz_bytes(&in, MAX_PLAIN);
    FUZZ_OK(lb_hpke_setup_sender_with(&fuzz_keys()->sender, fuzz_keys()->x25519.public_key,
                                      lb_span_str("info"), &fuzz_keys()->sender, enc, &sender));
    FUZZ_OK(lb_hpke_setup_recipient(&fuzz_keys()->x25519, enc, lb_span_str("info"),
                                    fuzz_keys()->sender.public_key, &recipient));
    size_t len = plain.len + LB_HPKE_TAG_BYTES;
    uint8_t *sealed = lb_arena_alloc(arena, len), *out = lb_arena_alloc(arena, plain.len);
    FUZZ_CHECK(sealed != NULL && out != NULL);
    FUZZ_OK(lb_hpke_seal(&sender, seq, lb_span_str("aad"), plain, sealed));
    sealed[where % len] ^= change;
    lb_status status =
        lb_hpke_open(&recipient, seq, lb_span_str("aad"), lb_span_of(sealed, len), out);
    FUZZ_CHECK((status == LB_OK) == (change == 0));
    FUZZ_CHECK(change != 0 || lb_span_eq(lb_span_of(out, plain.len), plain));
    FUZZ_CHECK(change == 0 || is_zero(out, plain.len));
    return status == LB_OK;
}

/* Two requests whose open parts differ have different AADs. */
static bool try_aad(struct lb_span in)
{
    struct lb_span views[2][LB_MAX_VIEWS_PER_SECTION], grant[2];
    size_t num[2];
    uint8_t aad[2][LB_SEAL_AAD_BYTES];
    uint32_t bytes[2];
    for (int i = 0; i < 2; i++) {
        bytes[i] = fuzz_u8(&in);
        num[i] = fuzz_u8(&in) % (LB_MAX_VIEWS_PER_SECTION + 1);
        grant[i] = fuzz_line(&in);
        for (size_t k = 0; k < num[i]; k++)
            views[i][k] = fuzz_line(&in);
        if (lb_seal_aad(grant[i], lb_span_of(zeros, 16), views[i], num[i], 5, bytes[i], aad[i]) !=
            LB_OK)
            return false;
    }
    bool same = bytes[0] == bytes[1] && num[0] == num[1] && lb_span_eq(grant[0], grant[1]);
    for (size_t k = 0; same && k < num[0]; k++)
        same = lb_span_eq(views[0][k], views[1][k]);
    FUZZ_CHECK(same == (memcmp(aad[0], aad[1], LB_SEAL_AAD_BYTES) == 0));
    return true;
}

bool fuzz_sealed(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    switch (fuzz_u8(&in) & 3) {
    case 0:
        return try_foreign(in, arena);
    case 1:
        return try_base(in, arena);
    case 2:
        return try_changed(in, arena);
    default:
        return try_aad(in);
    }
}

void seed_sealed(const struct fuzz_sink *sink)
{
    uint8_t foreign[2 + 32 + 64] = {1, 0};
    memcpy(foreign + 2, fuzz_keys()->sender.public_key, 32);
    fuzz_seed(sink, 0, lb_span_of(foreign, sizeof(foreign)));
    fuzz_seed(sink, 2, lb_span_of("\0\0\0\0\0\0\0\7\0\0a plain text", 22));
    fuzz_seed(sink, 3,
              lb_span_of("\200\2aa.bb.cc\ntax.business\ntax.wage\n"
                         "\200\2aa.bb.cc\ntax.business\ntax.wage\n",
                         66));
}

/* --- framed plaintexts --- */

static bool repacks(const ProtobufCMessageDescriptor *descriptor, struct lb_span bytes,
                    struct lb_arena *arena)
{
    ProtobufCMessage *message = NULL, *back = NULL;
    struct lb_span once, twice;
    if (lb_pb_unpack(descriptor, bytes, arena, &message) != LB_OK)
        return false;
    FUZZ_OK(lb_pb_pack(message, arena, &once));
    FUZZ_OK(lb_pb_unpack(descriptor, once, arena, &back));
    FUZZ_OK(lb_pb_pack(back, arena, &twice));
    FUZZ_CHECK(lb_span_eq(once, twice));
    return true;
}

bool fuzz_framed(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const ProtobufCMessageDescriptor *descriptor = (fuzz_u8(&in) & 1) != 0
                                                       ? &lianban__v1__sealed_answer__descriptor
                                                       : &lianban__v1__sealed_request__descriptor;
    struct lb_span message, framed;
    if (lb_padded_unwrap(in, &message) != LB_OK)
        return false;
    /* One message, one frame. */
    FUZZ_CHECK(message.len + 4 <= in.len && message.ptr == in.ptr + 4);
    FUZZ_OK(lb_padded_wrap(message, in.len, arena, &framed));
    FUZZ_CHECK(lb_span_eq(framed, in));
    size_t size = lb_padded_size(message.len, 1024);
    FUZZ_CHECK(size % 1024 == 0 && size >= message.len + 4 && size < message.len + 4 + 1024);
    return repacks(descriptor, message, arena);
}

static void put_framed(const struct fuzz_sink *sink, uint8_t which, const void *message)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_span bytes = LB_SPAN_EMPTY, framed = LB_SPAN_EMPTY;
    FUZZ_OK(lb_pb_pack(message, arena, &bytes));
    FUZZ_OK(lb_padded_wrap(bytes, bytes.len + 9, arena, &framed));
    fuzz_seed(sink, which, framed);
}

void seed_framed(const struct fuzz_sink *sink)
{
    Lianban__V1__SealedRequest request = LIANBAN__V1__SEALED_REQUEST__INIT;
    Lianban__V1__SealedAnswer answer = LIANBAN__V1__SEALED_ANSWER__INIT;
    Lianban__V1__Want want = LIANBAN__V1__WANT__INIT, *wants = &want;
    Lianban__V1__Fact fact = LIANBAN__V1__FACT__INIT, *facts = &fact;
    char *args[] = {(char *)(uintptr_t)"<", (char *)(uintptr_t)"std"};
    want.view = (char *)(uintptr_t)"tax.wage";
    want.operator_ = (char *)(uintptr_t)"CMP";
    want.n_args = 2;
    want.args = args;
    request.version = 1;
    request.section = (char *)(uintptr_t)"WyJ";
    request.id_no = (char *)(uintptr_t)"99010119800101201X";
    request.name = (char *)(uintptr_t)"张三";
    request.rid = lb_pb_bytes(lb_span_of(zeros, 16));
    request.n_wants = 1;
    request.wants = &wants;
    put_framed(sink, 0, &request);
    answer.version = 1;
    answer.code = (char *)(uintptr_t)"OK";
    fact.state = LIANBAN__V1__FACT__STATE__OK;
    fact.number = -1;
    answer.n_facts = 1;
    answer.facts = &facts;
    put_framed(sink, 1, &answer);
}
