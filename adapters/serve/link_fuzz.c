#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/fixture.h"
#include "adapters/serve/link_state.h"
#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"
#include "tests/fuzz/fuzz.h"

/*
 * The adapter's end of a link, and a broker that sends what it likes with its real log key: any
 * bytes for a frame, greetings, batches with a log that is right or spoilt and reads of any kind,
 * lists and withdrawals. The link is new for every input.
 */

#define ARENA_BYTES (16U << 20)
#define NUM_ROUTES 4U          /* entries of the broker's log that reads may point to */
#define CIPHERTEXT_BYTES 48
#define MAX_STEPS 24
#define WAIT_STEPS 50000
#define WAIT_STEP_US 100
#define MAX_READS 4000         /* before everything begins anew, so that nothing grows for ever */

struct played {
    struct fixture fx;
    struct lb_log *log;            /* the broker's */
    struct lb_log_entry *routes[NUM_ROUTES];
    size_t num_reads;              /* of this fixture's life */
    /* of one input */
    struct lb_arena *arena;
    struct lb_seen *seen;
    struct lb_adapter_link *link;
    bool greeted, failed;
    size_t num_taken, num_told;    /* reads, lists and withdrawals: taken on, and answered */
};

static struct played *played;

static void ignore_kick(void *ctx)
{
    (void)ctx;
}

static void note_failure(void *ctx, lb_status status)
{
    (void)status;
    ((struct played *)ctx)->failed = true;
}

/* --- what stands for all inputs --- */

static void add_route(size_t i)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    uint8_t ciphertext[CIPHERTEXT_BYTES];
    FUZZ_CHECK(entry != NULL);
    memset(ciphertext, (int)i, sizeof(ciphertext));
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ROUTE, .code = "ROUTED", .txn = {(uint8_t)i}};
    lb_sha256(lb_span_of(ciphertext, sizeof(ciphertext)), entry->leaf.request_hash);
    FUZZ_OK(lb_log_append_wait(played->log, entry));
    played->routes[i] = entry;
}

static void begin(void)
{
    struct lb_diag diag = {""};
    played = calloc(1, sizeof(*played));
    FUZZ_CHECK(played != NULL);
    fx_setup(&played->fx);
    const struct lb_log_options options = {
        .folder = fed_path(&played->fx.fed, "broker"),
        .origin = lb_spiffe_log_origin(FX_BROKER),
        .key = played->fx.broker.log_key,
        .clock = lb_clock_system(),
        .create = true,
    };
    FUZZ_OK(lb_file_mkdirs(options.folder));
    FUZZ_OK(lb_file_mkdirs(fed_path(&played->fx.fed, "seen")));
    FUZZ_OK(lb_log_open(&options, &diag, &played->log));
    for (size_t i = 0; i < NUM_ROUTES; i++)
        add_route(i);
}

static void end(void)
{
    if (played == NULL)
        return;
    for (size_t i = 0; i < NUM_ROUTES; i++)
        free(played->routes[i]);
    lb_log_close(played->log);
    fx_teardown(&played->fx);
    free(played);
    played = NULL;
}

/* --- one link --- */

/* What was seen of the broker's log must not reach the next input. */
static void forget_seen(void)
{
    const char *folder = lb_arena_printf(played->arena, "%s/seen", played->fx.fed.folder);
    FUZZ_CHECK(folder != NULL);
    DIR *files = opendir(folder);
    FUZZ_CHECK(files != NULL);
    for (struct dirent *file = readdir(files); file != NULL; file = readdir(files))
        if (file->d_name[0] != '.')
            (void)unlinkat(dirfd(files), file->d_name, 0);
    (void)closedir(files);
}

static void open_link(void)
{
    const char *folder = lb_arena_printf(played->arena, "%s/seen", played->fx.fed.folder);
    FUZZ_OK(lb_seen_new(folder, &played->seen));
    const struct lb_adapter_link_options options = {
        .serve = played->fx.serve,
        .log = played->fx.log,
        .trust = played->fx.fed.trust,
        .workers = played->fx.workers,
        .policy = played->fx.policy,
        .broker = FX_BROKER,
        .seen = played->seen,
        .port = {played, ignore_kick, note_failure},
    };
    FUZZ_OK(lb_adapter_link_new(&options, &played->link));
    played->greeted = played->failed = false;
    played->num_taken = played->num_told = 0;
}

/* Reads, lists and withdrawals that were taken on are each answered once, in frames of their own
 * kinds; and nothing is answered that was not asked. */
static void take_frames(void)
{
    struct lb_buf buf;
    lb_buf_init(&buf, LB_MAX_MESSAGE_BYTES);
    while (lb_adapter_link_fill(played->link, &buf)) {
        Lianban__V1__Frame *frame = NULL;
        FUZZ_OK(lb_pb_unpack(&lianban__v1__frame__descriptor, lb_buf_span(&buf), played->arena,
                             &frame));
        if (frame->body_case == LIANBAN__V1__FRAME__BODY_BATCH) {
            FUZZ_CHECK(played->greeted && frame->batch->log != NULL &&
                       frame->batch->n_reads == 0);
            played->num_told += frame->batch->n_answers;
        } else if (frame->body_case == LIANBAN__V1__FRAME__BODY_STATUS_ACK) {
            FUZZ_CHECK(played->greeted && strcmp(frame->status_ack->code, "OK") != 0);
            played->num_told++;
        } else if (frame->body_case == LIANBAN__V1__FRAME__BODY_PARCELS) {
            FUZZ_CHECK(played->greeted && frame->parcels->n_parcels == 0);
            played->num_told += frame->parcels->n_receipts;
        } else {
            FUZZ_CHECK(frame->body_case == LIANBAN__V1__FRAME__BODY_HELLO);
        }
        lb_buf_cleanup(&buf);
        lb_buf_init(&buf, LB_MAX_MESSAGE_BYTES);
    }
    lb_buf_cleanup(&buf);
    FUZZ_CHECK(!played->failed && played->num_told <= played->num_taken);
}

static size_t num_refs(void)
{
    (void)pthread_mutex_lock(&played->link->lock);
    size_t refs = played->link->refs;
    (void)pthread_mutex_unlock(&played->link->lock);
    return refs;
}

/* Waits until all is answered, and the last who answered has let go. */
static void close_link(void)
{
    for (int i = 0; i < WAIT_STEPS && num_refs() > 1; i++)
        (void)usleep(WAIT_STEP_US);
    take_frames();
    FUZZ_CHECK(num_refs() == 1 && played->num_told == played->num_taken);
    lb_adapter_link_close(played->link);
    lb_seen_free(played->seen);
    forget_seen();
}

/* --- what the broker sends --- */

/* Whatever the bytes are: nothing but a greeting comes first, and none comes twice. */
static bool receive(struct lb_span bytes)
{
    Lianban__V1__Frame *frame = NULL;
    bool parsed =
        lb_pb_unpack(&lianban__v1__frame__descriptor, bytes, played->arena, &frame) == LB_OK;
    if (lb_adapter_link_receive(played->link, bytes) != LB_OK)
        return false;
    FUZZ_CHECK(parsed);
    bool hello = frame->body_case == LIANBAN__V1__FRAME__BODY_HELLO;
    FUZZ_CHECK(hello == !played->greeted);
    played->greeted = true;
    if (frame->body_case == LIANBAN__V1__FRAME__BODY_BATCH)
        played->num_taken += frame->batch->n_reads;
    else if (frame->body_case == LIANBAN__V1__FRAME__BODY_PARCELS)
        played->num_taken += frame->parcels->n_parcels;
    else if (!hello)
        played->num_taken++;
    return true;
}

static bool send_frame(Lianban__V1__Frame *frame)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    FUZZ_OK(lb_pb_pack(frame, played->arena, &bytes));
    return receive(bytes);
}

static char *take_text(struct lb_span *in)
{
    char *text = lb_arena_str(played->arena, fuzz_field(in));
    return text == NULL ? (char *)(uintptr_t)"" : text;
}

static bool send_hello(struct lb_span *in)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__Hello hello = LIANBAN__V1__HELLO__INIT;
    char *capability = (char *)(uintptr_t)LB_LINK_PARCELS;
    hello.version_min = fuzz_u8(in);
    hello.version_max = fuzz_u8(in);
    hello.seen_size = fuzz_u8(in);
    hello.capabilities = &capability;
    hello.n_capabilities = fuzz_u8(in) & 1;
    frame.body_case = LIANBAN__V1__FRAME__BODY_HELLO;
    frame.hello = &hello;
    return send_frame(&frame);
}

/* Bits of what is wrong with a batch or a read; none for an honest one. */
enum {
    CHANGED_CHECKPOINT = 1,
    NO_LOG = 2,
    OTHER_START = 4,
    WITH_ANSWER = 8,
    OTHER_TXN = 16,
    OTHER_CIPHERTEXT = 32,
    OTHER_ROUTE = 64,
    NO_ROUTE = 128,
};

static Lianban__V1__RoutedRead *make_read(struct lb_span *in, uint64_t size, unsigned wrong)
{
    Lianban__V1__RoutedRead *read = lb_arena_alloc(played->arena, sizeof(*read));
    Lianban__V1__Sealed *sealed = lb_arena_alloc(played->arena, sizeof(*sealed));
    uint8_t *bytes = lb_arena_alloc(played->arena, 16 + CIPHERTEXT_BYTES);
    FUZZ_CHECK(read != NULL && sealed != NULL && bytes != NULL);
    unsigned which = fuzz_u8(in) % NUM_ROUTES;
    lianban__v1__routed_read__init(read);
    if (lb_pb_unpack(&lianban__v1__read_request__descriptor, fuzz_field(in), played->arena,
                     &read->request) != LB_OK) {
        read->request = lb_arena_alloc(played->arena, sizeof(*read->request));
        FUZZ_CHECK(read->request != NULL);
        lianban__v1__read_request__init(read->request);
    }
    memset(bytes, 0, 16);
    memset(bytes + 16, (int)which, CIPHERTEXT_BYTES);
    bytes[0] = (uint8_t)which;
    bytes[5] ^= (wrong & OTHER_TXN) != 0;
    bytes[20] ^= (wrong & OTHER_CIPHERTEXT) != 0;
    lianban__v1__sealed__init(sealed);
    if (read->request->sealed == NULL)
        read->request->sealed = sealed;
    read->request->txn = lb_pb_bytes(lb_span_of(bytes, 16));
    read->request->sealed->ciphertext = lb_pb_bytes(lb_span_of(bytes + 16, CIPHERTEXT_BYTES));
    const struct lb_log_entry *route =
        played->routes[(which + ((wrong & OTHER_ROUTE) != 0)) % NUM_ROUTES];
    if ((wrong & NO_ROUTE) == 0)
        FUZZ_OK(lb_link_prove(played->log, route->index,
                              lb_span_of(route->leaf_bytes, route->leaf_len), size, played->arena,
                              &read->route));
    return read;
}

static bool send_batch(struct lb_span *in)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__Batch batch = LIANBAN__V1__BATCH__INIT;
    Lianban__V1__ReadAnswer answer = LIANBAN__V1__READ_ANSWER__INIT;
    Lianban__V1__ReadAnswer *answers[] = {&answer};
    Lianban__V1__RoutedRead *reads[4];
    unsigned wrong = fuzz_u8(in);
    uint64_t shown = fuzz_u8(in) % (NUM_ROUTES + 1), size = 0;
    FUZZ_OK(lb_link_show(played->log, &shown, played->arena, &batch.log, &size));
    if ((wrong & CHANGED_CHECKPOINT) != 0)
        batch.log->checkpoint.data[fuzz_u8(in) % batch.log->checkpoint.len] ^= 1;
    if ((wrong & OTHER_START) != 0)
        batch.log->from_size++;
    if ((wrong & NO_LOG) != 0)
        batch.log = NULL;
    batch.n_answers = (wrong & WITH_ANSWER) != 0;
    batch.answers = answers;
    batch.reads = reads;
    for (size_t num = fuzz_u8(in) % 4; batch.n_reads < num; batch.n_reads++)
        reads[batch.n_reads] = make_read(in, size, wrong);
    frame.body_case = LIANBAN__V1__FRAME__BODY_BATCH;
    frame.batch = &batch;
    bool taken = send_frame(&frame);
    FUZZ_CHECK(!taken || (wrong & (CHANGED_CHECKPOINT | NO_LOG | WITH_ANSWER)) == 0);
    FUZZ_CHECK(!taken || batch.n_reads == 0 ||
               (wrong & (OTHER_TXN | OTHER_CIPHERTEXT | OTHER_ROUTE | NO_ROUTE)) == 0);
    played->num_reads += batch.n_reads;
    return taken;
}

static bool send_ending(struct lb_span *in, bool revocation)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__StatusUpdate update = LIANBAN__V1__STATUS_UPDATE__INIT;
    Lianban__V1__Revocation ending = LIANBAN__V1__REVOCATION__INIT;
    update.token = ending.token = take_text(in);
    if (revocation) {
        ending.grant = take_text(in);
        frame.body_case = LIANBAN__V1__FRAME__BODY_REVOCATION;
        frame.revocation = &ending;
    } else {
        frame.body_case = LIANBAN__V1__FRAME__BODY_STATUS_UPDATE;
        frame.status_update = &update;
    }
    return send_frame(&frame);
}

static bool step(struct lb_span *in)
{
    switch (fuzz_u8(in) % 6) {
    case 0:
        return receive(fuzz_field(in));
    case 1:
        return send_hello(in);
    case 2:
        return send_batch(in);
    case 3:
        return send_ending(in, false);
    case 4:
        return send_ending(in, true);
    default:
        take_frames();
        return true;
    }
}

/* Steps until one is refused, which ends a link. */
bool fuzz_adapter_link(struct lb_span in)
{
    static bool ends;
    if (played != NULL && played->num_reads > MAX_READS)
        end();
    if (played == NULL)
        begin();
    if (!ends)
        ends = atexit(end) == 0;
    played->arena = fuzz_arena(ARENA_BYTES);
    open_link();
    bool accepted = true;
    for (int i = 0; i < MAX_STEPS && in.len > 0 && accepted; i++)
        accepted = step(&in);
    close_link();
    lb_arena_free(played->arena);
    return accepted;
}

void seed_adapter_link(const struct fuzz_sink *sink)
{
    static const uint8_t whole[] = {
        5, 1, 1, 1, 0, 1,                /* our greeting, theirs */
        2, 0, 0, 0,                      /* a log */
        2, 0, 4, 2, 0, 0, 0, 1, 0, 0,    /* two reads without anything */
        3, 0, 5, 'a', '.', 'b', '.', 'c', 5,
        4, 0, 1, 'x', 0, 1, 'y',
        0, 0, 4, 0x1A, 2, 0x0A, 0,       /* a list without a token */
    };
    static const uint8_t shown[] = {1, 1, 9, 0, 0, 2, 0, 0, 3, 0, 0,
                                    0, 1, 0, 0, 2, 0, 0, 2, 0, 4, 0};
    fuzz_seed_plain(sink, lb_span_of(whole, sizeof(whole)));
    fuzz_seed_plain(sink, lb_span_of(shown, sizeof(shown)));
}
