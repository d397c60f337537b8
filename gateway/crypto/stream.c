#include "gateway/crypto/stream.h"

#include <stdlib.h>

#include "gateway/crypto/ossl.h"

struct lb_sha256_stream {
    EVP_MD_CTX *ctx;
};

/* As in hash.c. */
static void must(bool good)
{
    if (!good)
        lb_ossl_broken("crypto_hash_failed");
}

struct lb_sha256_stream *lb_sha256_begin(void)
{
    struct lb_sha256_stream *stream = calloc(1, sizeof(*stream));
    must(stream != NULL);
    stream->ctx = EVP_MD_CTX_new();
    must(stream->ctx != NULL);
    must(EVP_DigestInit_ex2(stream->ctx, lb_ossl()->sha256, NULL) == 1);
    return stream;
}

void lb_sha256_add(struct lb_sha256_stream *stream, struct lb_span data)
{
    if (data.len > 0)
        must(EVP_DigestUpdate(stream->ctx, data.ptr, data.len) == 1);
}

void lb_sha256_end(struct lb_sha256_stream *stream, uint8_t out[LB_SHA256_BYTES])
{
    must(EVP_DigestFinal_ex(stream->ctx, out, NULL) == 1);
    EVP_MD_CTX_free(stream->ctx);
    free(stream);
}
