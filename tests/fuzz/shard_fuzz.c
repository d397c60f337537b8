#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/evidence/log.h"
#include "gateway/evidence/shard.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* A shard that somebody has changed: edits of a whole one, u24 offset | u8 to xor with, so that
 * inputs are small; an offset past the end cuts the file there. What is accepted must say what the
 * whole one says. */

#define ARENA_BYTES (4U << 20)
#define ORIGIN "test.gov/adapter/tax"
#define NOW_MS INT64_C(1800000000000) /* in 2027h1 */
#define UNTIL_MS INT64_C(1830297600000) /* 2028 */
#define MAX_EDITS 64U
#define MAX_SHARD_BYTES (1U << 20)

struct whole {
    uint8_t bytes[MAX_SHARD_BYTES];
    size_t len;
    struct lb_shard_verdict verdict;
};

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void make_folder(char out[64])
{
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(out, 64, "%s/lianban-fuzz-XXXXXX", base);
    FUZZ_CHECK(mkdtemp(out) != NULL);
}

static void remove_folder(const char *folder)
{
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static lb_status roomy(const struct lb_disk *disk, const char *folder, struct lb_disk_space *out)
{
    (void)disk;
    (void)folder;
    *out = (struct lb_disk_space){.free_bytes = UINT64_C(1) << 40};
    return LB_OK;
}

static void make_verifier(struct lb_note_verifier *out)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fuzz_keys()->ed25519, raw);
    FUZZ_OK(lb_note_verifier_init(ORIGIN, raw, out));
}

/* One tile of entries and one more. */
static void fill_log(const char *folder, const struct lb_disk *disk)
{
    struct lb_clock_fixed clock;
    struct lb_diag diag = {""};
    struct lb_log *log = NULL;
    const struct lb_log_options options = {
        .folder = folder, .origin = ORIGIN, .key = fuzz_keys()->ed25519, .clock = &clock.clock,
        .create = true, .disk = disk,
    };
    lb_clock_fixed_init(&clock, NOW_MS);
    FUZZ_OK(lb_log_open(&options, &diag, &log));
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    FUZZ_CHECK(entry != NULL);
    for (unsigned i = 0; i < 257; i++) {
        *entry = (struct lb_log_entry){
            .leaf = {.type = LB_LEAF_READ, .code = "ANSWERED", .txn = {(uint8_t)i}}};
        FUZZ_OK(lb_log_append_wait(log, entry));
    }
    free(entry);
    lb_log_close(log);
}

static lb_status check(const char *path, struct lb_shard_verdict *out_verdict)
{
    struct lb_note_verifier verifier;
    struct lb_diag diag = {""};
    make_verifier(&verifier);
    const struct lb_shard_check_options options = {.path = path, .verifier = &verifier};
    lb_status status = lb_shard_check(&options, &diag, out_verdict);
    lb_note_verifier_cleanup(&verifier);
    FUZZ_CHECK(status == LB_OK || diag.text[0] != 0);
    return status;
}

static void make_whole(struct whole *whole)
{
    const struct lb_disk disk = {.look = roomy};
    struct lb_note_verifier verifier;
    struct lb_shard_copied copied;
    struct lb_diag diag = {""};
    struct lb_span bytes = LB_SPAN_EMPTY;
    char folder[64], path[96];
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    make_folder(folder);
    fill_log(folder, &disk);
    make_verifier(&verifier);
    const struct lb_shard_copy_options options = {
        .folder = folder, .verifier = &verifier, .until_ms = UNTIL_MS, .disk = &disk};
    FUZZ_OK(lb_shard_copy(&options, &diag, &copied));
    FUZZ_CHECK(copied.num == 1);
    lb_note_verifier_cleanup(&verifier);
    (void)snprintf(path, sizeof(path), "%s/shards/2027h1.db", folder);
    FUZZ_OK(check(path, &whole->verdict));
    FUZZ_OK(lb_file_read(path, sizeof(whole->bytes), arena, &bytes));
    memcpy(whole->bytes, bytes.ptr, bytes.len);
    whole->len = bytes.len;
    remove_folder(folder);
}

static struct whole base;

static void make_base(void)
{
    make_whole(&base);
}

/* The same in every process: it is made of fixed keys and times. */
static const struct whole *whole_shard(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_base);
    return &base;
}

static void edit(struct lb_span in, uint8_t *bytes, size_t *len)
{
    for (unsigned i = 0; i < MAX_EDITS && in.len >= 4; i++) {
        size_t at = (size_t)fuzz_u8(&in) << 16;
        at |= (size_t)fuzz_u8(&in) << 8;
        at |= fuzz_u8(&in);
        uint8_t mask = fuzz_u8(&in);
        if (at < *len)
            bytes[at] ^= mask;
        else
            *len = at % (*len + 1);
    }
}

bool fuzz_shard_file(struct lb_span in)
{
    const struct whole *whole = whole_shard();
    struct lb_shard_verdict verdict;
    char folder[64], path[96];
    size_t len = whole->len;
    uint8_t *bytes = malloc(len);
    FUZZ_CHECK(bytes != NULL);
    memcpy(bytes, whole->bytes, len);
    edit(in, bytes, &len);
    make_folder(folder);
    (void)snprintf(path, sizeof(path), "%s/2027h1.db", folder);
    FUZZ_OK(lb_file_write(path, lb_span_of(bytes, len), 0600));
    free(bytes);
    bool accepted = check(path, &verdict) == LB_OK;
    if (accepted) {
        const struct lb_shard_verdict *own = &whole->verdict;
        FUZZ_CHECK(verdict.from == own->from && verdict.to == own->to);
        FUZZ_CHECK(memcmp(verdict.root.bytes, own->root.bytes, LB_HASH_BYTES) == 0);
    }
    remove_folder(folder);
    return accepted;
}

void seed_shard_file(const struct fuzz_sink *sink)
{
    /* Nothing is changed, once and twice. */
    static const uint8_t same[] = {0, 0, 100, 0, 0, 48, 0, 0};
    static const uint8_t back[] = {0, 32, 7, 1, 0, 32, 7, 1};
    fuzz_seed_plain(sink, lb_span_of(same, sizeof(same)));
    fuzz_seed_plain(sink, lb_span_of(back, sizeof(back)));
}
