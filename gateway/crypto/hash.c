#include "gateway/crypto/hash.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/ossl.h"

#define HMAC_BLOCK_BYTES 64
#define HKDF_MAX_BYTES (255U * LB_SHA256_BYTES)

/* A hash fails only when memory is exhausted or the library is damaged. No caller could go on
 * without it, and a status at each of its many uses would be dropped somewhere. */
static void must(int result)
{
    if (result != 1)
        lb_ossl_broken("crypto_hash_failed");
}

void lb_sha256_parts(const struct lb_span *parts, size_t num, uint8_t out[LB_SHA256_BYTES])
{
    EVP_MD_CTX *ctx = lb_ossl_digest();
    must(EVP_DigestInit_ex2(ctx, lb_ossl()->sha256, NULL));
    for (size_t i = 0; i < num; i++) {
        if (parts[i].len > 0)
            must(EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len));
    }
    must(EVP_DigestFinal_ex(ctx, out, NULL));
}

void lb_sha256(struct lb_span data, uint8_t out[LB_SHA256_BYTES])
{
    lb_sha256_parts(&data, 1, out);
}

/* RFC 2104 over the thread's digest: the library's own HMAC copies three contexts for every key,
 * which takes longer than to hash what we authenticate. */
struct hmac {
    EVP_MD_CTX *digest;
    uint8_t pad[HMAC_BLOCK_BYTES]; /* the key for the outer hash */
};

static void hmac_begin(struct lb_span key, struct hmac *out)
{
    uint8_t inner[HMAC_BLOCK_BYTES] = {0};
    if (key.len > sizeof(inner))
        lb_sha256(key, inner);
    else if (key.len > 0)
        memcpy(inner, key.ptr, key.len);
    for (size_t i = 0; i < sizeof(inner); i++) {
        out->pad[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    out->digest = lb_ossl_digest();
    must(EVP_DigestInit_ex2(out->digest, lb_ossl()->sha256, NULL));
    must(EVP_DigestUpdate(out->digest, inner, sizeof(inner)));
    lb_wipe(inner, sizeof(inner));
}

static void hmac_add(struct hmac *hmac, const struct lb_span *parts, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (parts[i].len > 0)
            must(EVP_DigestUpdate(hmac->digest, parts[i].ptr, parts[i].len));
    }
}

/* Begins anew at the end, so that the context does not keep what may be a key. */
static void hmac_end(struct hmac *hmac, uint8_t out[LB_SHA256_BYTES])
{
    uint8_t inner[LB_SHA256_BYTES];
    must(EVP_DigestFinal_ex(hmac->digest, inner, NULL));
    must(EVP_DigestInit_ex2(hmac->digest, lb_ossl()->sha256, NULL));
    must(EVP_DigestUpdate(hmac->digest, hmac->pad, sizeof(hmac->pad)));
    must(EVP_DigestUpdate(hmac->digest, inner, sizeof(inner)));
    must(EVP_DigestFinal_ex(hmac->digest, out, NULL));
    must(EVP_DigestInit_ex2(hmac->digest, lb_ossl()->sha256, NULL));
    lb_wipe(inner, sizeof(inner));
    lb_wipe(hmac, sizeof(*hmac));
}

void lb_hmac_sha256(struct lb_span key, struct lb_span data, uint8_t out[LB_SHA256_BYTES])
{
    struct hmac hmac;
    hmac_begin(key, &hmac);
    hmac_add(&hmac, &data, 1);
    hmac_end(&hmac, out);
}

void lb_hkdf_extract_parts(struct lb_span salt, const struct lb_span *ikm_parts, size_t num,
                           uint8_t out[LB_SHA256_BYTES])
{
    /* RFC 5869's default salt of 32 zeros and the empty key are the same HMAC key. */
    struct hmac hmac;
    hmac_begin(salt, &hmac);
    hmac_add(&hmac, ikm_parts, num);
    hmac_end(&hmac, out);
}

void lb_hkdf_extract(struct lb_span salt, struct lb_span ikm, uint8_t out[LB_SHA256_BYTES])
{
    lb_hkdf_extract_parts(salt, &ikm, 1, out);
}

void lb_hkdf_expand_parts(const uint8_t prk[LB_SHA256_BYTES], const struct lb_span *info_parts,
                          size_t num, uint8_t *out, size_t out_len)
{
    if (out_len > HKDF_MAX_BYTES)
        lb_ossl_broken("crypto_hkdf_too_long");
    uint8_t block[LB_SHA256_BYTES];
    uint8_t counter = 0;
    for (size_t done = 0; done < out_len;) {
        counter++;
        const struct lb_span before = lb_span_of(block, counter == 1 ? 0 : sizeof(block));
        const struct lb_span after = lb_span_of(&counter, 1);
        struct hmac hmac;
        hmac_begin(lb_span_of(prk, LB_SHA256_BYTES), &hmac);
        hmac_add(&hmac, &before, 1);
        hmac_add(&hmac, info_parts, num);
        hmac_add(&hmac, &after, 1);
        hmac_end(&hmac, block);
        size_t take = out_len - done < sizeof(block) ? out_len - done : sizeof(block);
        memcpy(out + done, block, take);
        done += take;
    }
    lb_wipe(block, sizeof(block));
}

void lb_hkdf_expand(const uint8_t prk[LB_SHA256_BYTES], struct lb_span info, uint8_t *out,
                    size_t out_len)
{
    lb_hkdf_expand_parts(prk, &info, 1, out, out_len);
}

lb_status lb_crypto_random(uint8_t *out, size_t len)
{
    LB_OSSL_BORDER();
    LB_ENSURE(len <= INT_MAX, LB_CRYPTO_FAILED, "too many random bytes asked at once");
    LB_ENSURE(RAND_priv_bytes(out, (int)len) == 1, LB_CRYPTO_FAILED, "no random bytes");
    return LB_OK;
}

bool lb_crypto_equal(struct lb_span a, struct lb_span b)
{
    if (a.len != b.len)
        return false;
    return a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0;
}
