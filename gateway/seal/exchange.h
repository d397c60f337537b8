#ifndef GATEWAY_SEAL_EXCHANGE_H
#define GATEWAY_SEAL_EXCHANGE_H

#include "gateway/base/arena.h"
#include "gateway/seal/contexts.h"
#include "gateway/seal/hpke.h"

/*
 * HPKE as reads use it (proto/lianban/v1/read.proto), the same bytes at the requester and at the
 * adapter. The requester sets a context up in Auth mode with its own X25519 key, seals each
 * SealedRequest under a number of its own, and the answer comes back under a key that only these
 * two can derive from that very request.
 *
 * Notation: text in quotes is its ASCII bytes without a NUL; uN(x) is big-endian of N bits;
 * field16(x) is u16(length of x) || x, field32(x) is u32(length of x) || x.
 *
 *   info       = "lianban read v1" || field16(requester) || field16(audience) || field16(key_id)
 *   aad        = SHA-256("lianban aad v1" || field32(grant) || field16(txn) || u16(number of views)
 *                        || field16(view) ... || u64(deadline_unix_ms) || u32(answer_bytes))
 *   ciphertext = HPKE.Seal(aad, SealedRequest) with sequence number seq
 *   answer key = HPKE.Export("lianban answer" || u64(seq) || SHA-256(ciphertext), 16)
 *   answer     = AES-128-GCM(answer key, nonce = 12 zero bytes, AAD = txn, SealedAnswer)
 *
 * Views stand in the order of the request. The wide length of the grant and the fixed order make
 * every field's end plain, so no two requests share an aad.
 */

#define LB_SEAL_AAD_BYTES 32
#define LB_SEAL_ANSWER_KEY_BYTES 16
#define LB_SEAL_TXN_BYTES 16

/* lb_seal_info makes the info of a context: requester and audience (the adapter instance) are
 * SPIFFE ids, key_id names the audience's sealing key in the directory. The result is in the arena.
 * MALFORMED when one is empty or longer than LB_MAX_SPIFFE_BYTES, LB_MAX_NAME_BYTES for the key id;
 * NO_MEMORY. */
LB_MUST lb_status lb_seal_info(const char *requester, const char *audience, const char *key_id,
                               struct lb_arena *arena, struct lb_span *out_info);

/* lb_seal_aad makes the AAD from the open part of a ReadRequest, which the seal binds. MALFORMED
 * when the txn has not 16 bytes, there is no view or more than LB_MAX_VIEWS_PER_SECTION, a name or
 * the grant is empty or too long, the deadline is negative; NO_MEMORY. */
LB_MUST lb_status lb_seal_aad(struct lb_span grant, struct lb_span txn,
                              const struct lb_span *views, size_t num_views,
                              int64_t deadline_unix_ms, uint32_t answer_bytes,
                              uint8_t out_aad[LB_SEAL_AAD_BYTES]);

/* lb_seal_answer_key derives the key of the answer to the request sealed as `ciphertext` under
 * `seq`. An answer can't be moved to another request, nor a request to another number. The caller
 * wipes the key. */
void lb_seal_answer_key(const struct lb_hpke_context *context, uint64_t seq,
                        struct lb_span ciphertext, uint8_t out_key[LB_SEAL_ANSWER_KEY_BYTES]);

/* lb_seal_answer seals the answer to the request sealed as `ciphertext` under `seq`; the result, in
 * the arena, is LB_AEAD_TAG_BYTES longer than plain. One answer per request, since the nonce is
 * fixed: the same ciphertext is never answered twice (REPLAY), and a retry is sealed anew and so
 * has another key. MALFORMED when the txn has not 16 bytes; TOO_LARGE, NO_MEMORY, CRYPTO_FAILED. */
LB_MUST lb_status lb_seal_answer(const struct lb_hpke_context *context, uint64_t seq,
                                 struct lb_span ciphertext, struct lb_span txn,
                                 struct lb_span plain, struct lb_arena *arena,
                                 struct lb_span *out_sealed);
/* lb_seal_answer_to does so for whoever has the SHA-256 of the request's ciphertext already. */
LB_MUST lb_status lb_seal_answer_to(const struct lb_hpke_context *context, uint64_t seq,
                                    const uint8_t request_sha256[32], struct lb_span txn,
                                    struct lb_span plain, struct lb_arena *arena,
                                    struct lb_span *out_sealed);

/* lb_open_answer opens it at the requester, into the arena. SEAL_BROKEN when it does not open or
 * the txn has not 16 bytes; NO_MEMORY. */
LB_MUST lb_status lb_open_answer(const struct lb_hpke_context *context, uint64_t seq,
                                 struct lb_span ciphertext, struct lb_span txn,
                                 struct lb_span sealed, struct lb_arena *arena,
                                 struct lb_span *out_plain);

#endif
