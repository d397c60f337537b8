#ifndef GATEWAY_EVIDENCE_TEST_UTIL_H
#define GATEWAY_EVIDENCE_TEST_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/evidence/merkle.h"

/* What the tests of this folder share. */

#define assert_ok(expr_) assert_string_equal(lb_code_name(lb_status_code(expr_)), "OK")
#define assert_code(expr_, code_)                                                                  \
    assert_string_equal(lb_code_name(lb_status_code(expr_)), lb_code_name(code_))

static inline struct lb_hash hash_of_hex(const char *hex)
{
    struct lb_hash hash;
    assert_ok(lb_hex_decode(lb_span_str(hex), hash.bytes, sizeof(hash.bytes)));
    return hash;
}

static inline struct lb_hash hash_of_b64(const char *text)
{
    struct lb_arena *arena = lb_arena_new(4096);
    struct lb_hash hash;
    struct lb_span bytes;
    assert_ok(lb_b64_decode(arena, lb_span_str(text), &bytes));
    assert_int_equal(bytes.len, sizeof(hash.bytes));
    memcpy(hash.bytes, bytes.ptr, sizeof(hash.bytes));
    lb_arena_free(arena);
    return hash;
}

static inline void assert_hash(const struct lb_hash *got, struct lb_hash want)
{
    assert_memory_equal(got->bytes, want.bytes, sizeof(want.bytes));
}

#endif
