#include "gateway/crypto/sign_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/ossl.h"
#include "gateway/crypto/pem.h"

#define P256_NAME "prime256v1"
#define COORDINATE_BYTES 32
#define ES256_DIGEST "SHA256"

static size_t public_len(enum lb_sign_alg alg)
{
    return alg == LB_SIGN_ED25519 ? LB_ED25519_PUBLIC_BYTES : LB_P256_PUBLIC_BYTES;
}

static bool is_of(const EVP_PKEY *pkey, enum lb_sign_alg alg)
{
    if (alg == LB_SIGN_ED25519)
        return EVP_PKEY_is_a(pkey, "ED25519") == 1;
    char group[32] = "";
    return EVP_PKEY_is_a(pkey, "EC") == 1 &&
           EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
           strcmp(group, P256_NAME) == 0;
}

static bool coordinate(const EVP_PKEY *pkey, const char *name, uint8_t out[COORDINATE_BYTES])
{
    BIGNUM *value = NULL;
    bool done = EVP_PKEY_get_bn_param(pkey, name, &value) == 1 &&
                BN_bn2binpad(value, out, COORDINATE_BYTES) == COORDINATE_BYTES;
    BN_free(value);
    return done;
}

static bool raw_public(const EVP_PKEY *pkey, enum lb_sign_alg alg,
                       uint8_t out[LB_P256_PUBLIC_BYTES])
{
    if (alg == LB_SIGN_ES256)
        return coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_X, out) &&
               coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, out + COORDINATE_BYTES);
    size_t len = LB_ED25519_PUBLIC_BYTES;
    return EVP_PKEY_get_raw_public_key(pkey, out, &len) == 1 && len == LB_ED25519_PUBLIC_BYTES;
}

/* A private key whose public half belongs to another one would sign what nobody can verify. */
static bool halves_match(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool match = ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return match;
}

static void sign_key_freep(struct lb_sign_key **key)
{
    lb_sign_key_free(*key);
}

static lb_status secret_set(struct lb_sign_key *key)
{
    size_t len = LB_ED25519_SEED_BYTES;
    LB_ENSURE(EVP_PKEY_get_raw_private_key(key->pkey, key->secret, &len) == 1 &&
                  len == LB_ED25519_SEED_BYTES,
              LB_CRYPTO_FAILED, "private half");
    memcpy(key->secret + LB_ED25519_SEED_BYTES, key->public_key, LB_ED25519_PUBLIC_BYTES);
    return LB_OK;
}

static lb_status signing_prepare(struct lb_sign_key *key)
{
    key->ready = EVP_MD_CTX_new();
    LB_ENSURE(key->ready != NULL, LB_NO_MEMORY, "signing context");
    LB_ENSURE(EVP_DigestSignInit_ex(key->ready, NULL, ES256_DIGEST, NULL, NULL, key->pkey, NULL) ==
                  1,
              LB_CRYPTO_FAILED, "signing init");
    return LB_OK;
}

/* Takes pkey over in either case; its kind has been checked. */
static lb_status sign_key_wrap(EVP_PKEY *pkey, enum lb_sign_alg alg, struct lb_sign_key **out_key)
{
    LB_DEFER(lb_pkey_freep) EVP_PKEY *owned = pkey;
    LB_DEFER(sign_key_freep) struct lb_sign_key *key = calloc(1, sizeof(*key));
    LB_ENSURE(key != NULL, LB_NO_MEMORY, "signing key");
    key->alg = alg;
    key->pkey = owned;
    owned = NULL;
    LB_ENSURE(raw_public(key->pkey, alg, key->public_key), LB_CRYPTO_FAILED, "public half");
    LB_TRY(alg == LB_SIGN_ED25519 ? secret_set(key) : signing_prepare(key));
    *out_key = key;
    key = NULL;
    return LB_OK;
}

lb_status lb_sign_key_generate(enum lb_sign_alg alg, struct lb_sign_key **out_key)
{
    LB_OSSL_BORDER();
    EVP_PKEY *pkey =
        alg == LB_SIGN_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : EVP_EC_gen(P256_NAME);
    LB_ENSURE(pkey != NULL, LB_CRYPTO_FAILED, "key generation");
    return sign_key_wrap(pkey, alg, out_key);
}

lb_status lb_sign_key_from_seed(const uint8_t seed[32], struct lb_sign_key **out_key)
{
    LB_OSSL_BORDER();
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, 32);
    LB_ENSURE(pkey != NULL, LB_CRYPTO_FAILED, "Ed25519 seed");
    return sign_key_wrap(pkey, LB_SIGN_ED25519, out_key);
}

lb_status lb_sign_key_from_pem(struct lb_span pem, enum lb_sign_alg alg,
                               struct lb_sign_key **out_key)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_pkey_freep) EVP_PKEY *pkey = NULL;
    LB_TRY(lb_pem_private_key(pem, &pkey));
    LB_ENSURE(is_of(pkey, alg), LB_MALFORMED, "key of another kind");
    LB_ENSURE(halves_match(pkey), LB_MALFORMED, "private and public half differ");
    EVP_PKEY *handed_over = pkey;
    pkey = NULL;
    return sign_key_wrap(handed_over, alg, out_key);
}

lb_status lb_sign_key_to_pem(const struct lb_sign_key *key, struct lb_arena *arena,
                             struct lb_span *out_pem)
{
    LB_OSSL_BORDER();
    /* A memory BIO wipes what it held when it is freed. */
    LB_DEFER(lb_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    LB_ENSURE(bio != NULL, LB_NO_MEMORY, "memory BIO");
    LB_ENSURE(PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1,
              LB_CRYPTO_FAILED, "PKCS#8 encoding");
    return lb_pem_from_bio(bio, arena, out_pem);
}

void lb_sign_key_free(struct lb_sign_key *key)
{
    if (key == NULL)
        return;
    EVP_MD_CTX_free(key->ready);
    EVP_PKEY_free(key->pkey);
    lb_wipe(key, sizeof(*key));
    free(key);
}

enum lb_sign_alg lb_sign_key_alg(const struct lb_sign_key *key)
{
    return key->alg;
}

size_t lb_sign_key_public(const struct lb_sign_key *key, uint8_t out[LB_P256_PUBLIC_BYTES])
{
    memcpy(out, key->public_key, public_len(key->alg));
    return public_len(key->alg);
}

static EVP_PKEY *p256_from_raw(struct lb_span raw)
{
    uint8_t point[1 + LB_P256_PUBLIC_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(point + 1, raw.ptr, LB_P256_PUBLIC_BYTES);
    char group[] = P256_NAME;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static void verify_key_freep(struct lb_verify_key **key)
{
    lb_verify_key_free(*key);
}

static lb_status verifying_prepare(struct lb_verify_key *key, struct lb_span raw)
{
    key->pkey = p256_from_raw(raw);
    LB_ENSURE(key->pkey != NULL, LB_MALFORMED, "not a public key of this kind");
    key->ready = EVP_MD_CTX_new();
    LB_ENSURE(key->ready != NULL, LB_NO_MEMORY, "verification context");
    LB_ENSURE(EVP_DigestVerifyInit_ex(key->ready, NULL, ES256_DIGEST, NULL, NULL, key->pkey,
                                      NULL) == 1,
              LB_CRYPTO_FAILED, "verification init");
    return LB_OK;
}

lb_status lb_verify_key_new(enum lb_sign_alg alg, struct lb_span raw,
                            struct lb_verify_key **out_key)
{
    LB_OSSL_BORDER();
    LB_ENSURE(raw.len == public_len(alg), LB_MALFORMED, "public key length");
    LB_DEFER(verify_key_freep) struct lb_verify_key *key = calloc(1, sizeof(*key));
    LB_ENSURE(key != NULL, LB_NO_MEMORY, "verification key");
    key->alg = alg;
    memcpy(key->public_key, raw.ptr, raw.len);
    if (alg == LB_SIGN_ES256)
        LB_TRY(verifying_prepare(key, raw));
    *out_key = key;
    key = NULL;
    return LB_OK;
}

void lb_verify_key_free(struct lb_verify_key *key)
{
    if (key == NULL)
        return;
    EVP_MD_CTX_free(key->ready);
    EVP_PKEY_free(key->pkey);
    free(key);
}

enum lb_sign_alg lb_verify_key_alg(const struct lb_verify_key *key)
{
    return key->alg;
}

size_t lb_verify_key_raw(const struct lb_verify_key *key, uint8_t out[LB_P256_PUBLIC_BYTES])
{
    memcpy(out, key->public_key, public_len(key->alg));
    return public_len(key->alg);
}

lb_status lb_verify_key_to_pem(const struct lb_verify_key *key, struct lb_arena *arena,
                               struct lb_span *out_pem)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_pkey_freep) EVP_PKEY *ed25519 =
        key->alg == LB_SIGN_ES256 ? NULL
                                  : EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL,
                                                                   key->public_key,
                                                                   LB_ED25519_PUBLIC_BYTES);
    LB_DEFER(lb_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    LB_ENSURE(bio != NULL, LB_NO_MEMORY, "memory BIO");
    LB_ENSURE(PEM_write_bio_PUBKEY(bio, ed25519 != NULL ? ed25519 : key->pkey) == 1,
              LB_CRYPTO_FAILED, "SPKI encoding");
    return lb_pem_from_bio(bio, arena, out_pem);
}
