#include "gateway/evidence/session.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

#define SEEN_BYTES 40  /* u64 size, 32-byte root */

/* One file per peer log, named by its origin's hash so that no origin can leave the folder. */
static lb_status set_path(struct lb_session *session, const char *folder, const char *origin)
{
    uint8_t digest[32];
    char hex[65];
    lb_sha256(lb_span_str(origin), digest);
    lb_hex_encode(lb_span_of(digest, sizeof(digest)), hex);
    int len = snprintf(session->seen_path, sizeof(session->seen_path), "%s/%s", folder, hex);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(session->seen_path), LB_FILE_FAILED,
              "path is too long");
    return LB_OK;
}

static lb_status load(const char *path, uint64_t *out_size, struct lb_hash *out_root)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(4096);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    struct lb_span content = LB_SPAN_EMPTY;
    LB_TRY(lb_file_read(path, SEEN_BYTES, arena, &content));
    struct lb_cursor cursor = lb_cursor_of(content);
    uint64_t size = lb_cursor_u64(&cursor);
    struct lb_hash root;
    lb_cursor_copy(&cursor, root.bytes, sizeof(root.bytes));
    LB_TRY(lb_cursor_end(&cursor));
    *out_size = size;
    *out_root = root;
    return LB_OK;
}

lb_status lb_session_init(struct lb_session *session, struct lb_log *log, const char *origin,
                          const uint8_t public_key[32], const char *seen_folder)
{
    uint64_t size = 0;
    struct lb_hash root;
    memset(session, 0, sizeof(*session));
    lb_merkle_empty(&root);
    LB_TRY(set_path(session, seen_folder, origin));
    if (access(session->seen_path, F_OK) == 0)
        LB_TRY(load(session->seen_path, &size, &root));
    LB_TRY(lb_watch_init(&session->watch, origin, public_key, size, size == 0 ? NULL : &root));
    session->log = log;
    session->saved_size = size;
    return LB_OK;
}

lb_status lb_session_save(struct lb_session *session)
{
    if (session->watch.size == session->saved_size)
        return LB_OK;
    struct lb_buf content;
    lb_buf_init(&content, SEEN_BYTES);
    lb_buf_put_u64(&content, session->watch.size);
    lb_buf_put(&content, lb_span_of(session->watch.root.bytes, LB_HASH_BYTES));
    lb_status status = lb_buf_check(&content);
    if (status == LB_OK)
        status = lb_file_write(session->seen_path, lb_buf_span(&content), 0600);
    lb_buf_cleanup(&content);
    if (status == LB_OK)
        session->saved_size = session->watch.size;
    return status;
}

void lb_session_cleanup(struct lb_session *session)
{
    lb_log_failure("seen_not_saved", lb_session_save(session));
    lb_watch_cleanup(&session->watch);
}

lb_status lb_session_hello(const struct lb_session *session, struct lb_arena *arena,
                           struct lb_span *out_frame)
{
    Lianban__V1__Hello hello = LIANBAN__V1__HELLO__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    hello.version_min = LB_LINK_VERSION_MIN;
    hello.version_max = LB_LINK_VERSION_MAX;
    hello.seen_size = session->watch.size;
    frame.body_case = LIANBAN__V1__FRAME__BODY_HELLO;
    frame.hello = &hello;
    return lb_pb_pack(&frame, arena, out_frame);
}

lb_status lb_session_greet(struct lb_session *session, const Lianban__V1__Hello *hello)
{
    LB_ENSURE(!session->greeted, LB_MALFORMED, "a second greeting");
    LB_ENSURE(hello->version_min <= LB_LINK_VERSION_MAX &&
                  hello->version_max >= LB_LINK_VERSION_MIN,
              LB_VERSION_UNSUPPORTED, "no common protocol version");
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(64 * 1024);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    struct lb_log_head head;
    LB_TRY(lb_log_head(session->log, arena, &head));
    LB_ENSURE(hello->seen_size <= head.size, LB_LOG_BEHIND,
              "the peer has seen more of our log than there is");
    session->shown_size = hello->seen_size;
    session->greeted = true;
    return LB_OK;
}

lb_status lb_session_show(struct lb_session *session, struct lb_arena *arena,
                          Lianban__V1__LogProgress **out_progress, uint64_t *out_size)
{
    return lb_link_show(session->log, &session->shown_size, arena, out_progress, out_size);
}

lb_status lb_session_watch(struct lb_session *session, const Lianban__V1__LogProgress *progress,
                           struct lb_checkpoint *out_checkpoint)
{
    LB_ENSURE(session->greeted, LB_MALFORMED, "no greeting");
    LB_ENSURE(progress != NULL, LB_MALFORMED, "a batch without the peer's log");
    return lb_watch_advance(&session->watch, progress, out_checkpoint);
}
