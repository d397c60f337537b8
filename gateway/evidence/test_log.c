#include "gateway/evidence/test_log.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static lb_status look(const struct lb_disk *disk, const char *folder, struct lb_disk_space *out)
{
    const struct test_disk *own = (const struct test_disk *)(const void *)disk;
    (void)folder;
    out->free_bytes = atomic_load(&own->free_bytes);
    out->read_only = atomic_load(&own->read_only);
    return LB_OK;
}

int test_set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    const char *base = getenv("TEST_TMPDIR");
    (void)snprintf(fixture->root, sizeof(fixture->root), "%s/evidence.XXXXXX",
                   base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(fixture->root));
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "%s/log", fixture->root);
    uint8_t seed[32];
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    memset(seed, 0x5A, sizeof(seed));
    assert_ok(lb_sign_key_from_seed(seed, &fixture->key));
    (void)lb_sign_key_public(fixture->key, public_key);
    assert_ok(lb_note_verifier_init(TEST_ORIGIN, public_key, &fixture->verifier));
    assert_ok(lb_x25519_generate(&fixture->officer));
    lb_clock_fixed_init(&fixture->clock, TEST_NOW_MS);
    fixture->disk.disk.look = look;
    atomic_store(&fixture->disk.free_bytes, UINT64_C(64) << 30);
    fixture->arena = lb_arena_new(64 * 1024 * 1024);
    *state = fixture;
    return 0;
}

int test_tear_down(void **state)
{
    struct fixture *fixture = *state;
    (void)nftw(fixture->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    lb_sign_key_free(fixture->key);
    lb_note_verifier_cleanup(&fixture->verifier);
    lb_arena_free(fixture->arena);
    free(fixture);
    return 0;
}

struct lb_log_options test_options(struct fixture *fixture)
{
    return (struct lb_log_options){
        .folder = fixture->folder,
        .origin = TEST_ORIGIN,
        .key = fixture->key,
        .clock = &fixture->clock.clock,
        .create = true,
        .officer_key = fixture->officer.public_key,
        .migrations = fixture->migrations,
        .disk = &fixture->disk.disk,
    };
}

struct lb_log *test_open(struct fixture *fixture)
{
    struct lb_log_options options = test_options(fixture);
    struct lb_log *log = NULL;
    lb_status status = lb_log_open(&options, &fixture->diag, &log);
    if (status != LB_OK)
        print_error("%s\n", fixture->diag.text);
    assert_ok(status);
    return log;
}

bool test_in_state(const struct lb_log *log, enum lb_log_state state)
{
    struct lb_log_health health;
    lb_log_health(log, &health);
    return health.state == state;
}

void test_state(struct lb_log *log, enum lb_log_state state)
{
    for (int i = 0; i < 500 && !test_in_state(log, state); i++)
        (void)usleep(10000);
    assert_true(test_in_state(log, state));
}

struct lb_leaf test_leaf(struct fixture *fixture, struct lb_log *log, uint64_t index)
{
    struct lb_span bytes;
    struct lb_leaf leaf;
    assert_ok(lb_log_leaf(log, index, fixture->arena, &bytes));
    assert_ok(lb_leaf_decode(bytes, &leaf));
    return leaf;
}

void test_wait_size(struct fixture *fixture, struct lb_log *log, uint64_t size)
{
    for (int i = 0; i < 500 && test_size(fixture, log) < size; i++)
        (void)usleep(10000);
    assert_int_equal(test_size(fixture, log), size);
}

void test_refused(struct fixture *fixture, enum lb_code code)
{
    struct lb_log_options options = test_options(fixture);
    struct lb_log *log = NULL;
    assert_code(lb_log_open(&options, &fixture->diag, &log), code);
    assert_null(log);
    assert_true(strlen(fixture->diag.text) > 20);
}

struct lb_log_entry test_entry(void)
{
    struct lb_log_entry entry = {.leaf = {.type = LB_LEAF_READ, .code = "ANSWERED"}};
    memset(entry.leaf.txn, 0x42, sizeof(entry.leaf.txn));
    memset(entry.leaf.answer_hash, 0x43, sizeof(entry.leaf.answer_hash));
    return entry;
}

void test_append(struct lb_log *log, size_t num)
{
    struct lb_log_entry *entry = malloc(sizeof(*entry));
    for (size_t i = 0; i < num; i++) {
        *entry = test_entry();
        assert_ok(lb_log_append_wait(log, entry));
    }
    free(entry);
}

uint64_t test_size(struct fixture *fixture, struct lb_log *log)
{
    struct lb_log_head head;
    assert_ok(lb_log_head(log, fixture->arena, &head));
    return head.size;
}

lb_status test_verify(struct fixture *fixture, const char *folder,
                      struct lb_log_verdict *out_verdict)
{
    struct lb_log_reader *reader = NULL;
    fixture->diag.text[0] = 0;
    lb_status status = lb_log_reader_open(folder, &fixture->diag, &reader);
    if (status == LB_OK)
        status = lb_log_reader_verify(reader, &fixture->verifier, &fixture->diag, out_verdict);
    lb_log_reader_close(reader);
    return status;
}

const char *test_path(struct fixture *fixture, const char *folder, const char *name)
{
    const char *path = lb_arena_printf(fixture->arena, "%s/%s", folder, name);
    assert_non_null(path);
    return path;
}

void test_copy(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    char chunk[65536];
    size_t got;
    assert_non_null(in);
    assert_non_null(out);
    while ((got = fread(chunk, 1, sizeof(chunk), in)) > 0)
        assert_int_equal(fwrite(chunk, 1, got, out), got);
    (void)fclose(in);
    assert_int_equal(fclose(out), 0);
}

const char *test_copy_log(struct fixture *fixture, const char *folder, const char *name)
{
    static const char *const files[] = {"evidence.db", "evidence.db-wal", "ratchet"};
    const char *to = test_path(fixture, fixture->root, name);
    assert_ok(lb_file_mkdirs(to));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const char *from = test_path(fixture, folder, files[i]);
        const char *into = test_path(fixture, to, files[i]);
        (void)unlink(into);
        if (access(from, F_OK) == 0)
            test_copy(from, into);
    }
    (void)unlink(test_path(fixture, to, "evidence.db-shm"));
    return to;
}

void test_flip(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_true(byte != EOF);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_true(fputc(byte ^ 1, file) != EOF);
    assert_int_equal(fclose(file), 0);
}

long test_file_size(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (long)info.st_size : -1;
}

void test_sql(struct fixture *fixture, const char *folder, const char *sql)
{
    const struct lb_store_options options = {.path = test_path(fixture, folder, "evidence.db"),
                                             .busy_timeout_ms = 1000};
    struct lb_store *store = NULL;
    assert_ok(lb_store_open(&options, &store));
    lb_status status = lb_store_exec(store, sql);
    if (status != LB_OK)
        print_error("%s: %s\n", sql, lb_store_error_text(store));
    assert_ok(status);
    lb_store_close(store);
}

struct lb_log_entry test_detailed(size_t i)
{
    struct lb_log_entry entry = test_entry();
    entry.detail = lb_span_str("{\"actor\":\"clerk 7\",\"purpose\":\"social-assistance\"}");
    entry.fields = lb_span_str("civil-affairs.dibao:status=EXISTS");
    entry.has_subject = i % 3 != 0;
    memset(entry.subject, (int)(i % 40) + 1, sizeof(entry.subject));
    return entry;
}

int test_fill(void **state)
{
    (void)test_set_up(state);
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    struct lb_log_entry *entry = malloc(sizeof(*entry));
    for (size_t i = 0; i < TEST_ENTRIES; i++) {
        *entry = i % 5 == 0 ? test_entry() : test_detailed(i);
        assert_ok(lb_log_append_wait(log, entry));
    }
    *entry = test_entry();
    entry->leaf.type = LB_LEAF_ERASURE;
    entry->has_subject = true;
    entry->detail = lb_span_str("{\"basis\":\"retention ended\"}");
    memset(entry->subject, 2, sizeof(entry->subject));
    assert_ok(lb_log_append_wait(log, entry));
    assert_int_equal(entry->leaf.count, 1);
    free(entry);
    test_append(log, 3);
    lb_log_close(log);
    return 0;
}
