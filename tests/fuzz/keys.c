#include "tests/fuzz/keys.h"

#include "gateway/crypto/b64.h"
#include "tests/fuzz/fuzz.h"

/* Made once for these tests and used for nothing else; the certificates are valid from November
 * 2026 for a hundred years. */

static const char es256_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJrKLa4UtdS6u08ZO\n"
    "TTBsd/LvgjnL7dAK/gj1APMoqCqhRANCAARExAzNrp2cc8AxJJlhsDFdqODTrBAo\n"
    "IPhydGnatWVfQfadablL7NirypwL6TMfGGmajpYWltbyzA7+2VXEBdL8\n"
    "-----END PRIVATE KEY-----\n";

const char fuzz_ca_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBjDCCATGgAwIBAgIUBV3ueNISfDdhUIbUaT6t3m+HKTQwCgYIKoZIzj0EAwIw\n"
    "ITENMAsGA1UECgwERnV6ejEQMA4GA1UEAwwHRnV6eiBDQTAgFw0yNjExMjEyMzIz\n"
    "MzJaGA8yMTI2MTAyODIzMjMzMlowITENMAsGA1UECgwERnV6ejEQMA4GA1UEAwwH\n"
    "RnV6eiBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCRyV/GkM1D/Txj91+s9\n"
    "wdSZnrK3NjJD16RNsuuySsaOuzAGZ80nXhYbSeJLQrVrcZpeAtwIV/9eKeQTi1hL\n"
    "AKGjRTBDMBIGA1UdEwEB/wQIMAYBAf8CAQAwDgYDVR0PAQH/BAQDAgEGMB0GA1Ud\n"
    "DgQWBBTxgWzDCaejo4s4vypNdx7Ydhx9TzAKBggqhkjOPQQDAgNJADBGAiEA4CY8\n"
    "CmefgQKq0/lljK1YtENIWaavn14vdevlh3Lvrk0CIQD9TFFRAgcrtHiN5OWD5g0q\n"
    "GkOKP5rj3SxfwiPiangaug==\n"
    "-----END CERTIFICATE-----\n";

const char fuzz_leaf_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIB7zCCAZWgAwIBAgIIEjRWeJCrze8wCgYIKoZIzj0EAwIwITENMAsGA1UECgwE\n"
    "RnV6ejEQMA4GA1UEAwwHRnV6eiBDQTAgFw0yNjExMjEyMzIzMzJaGA8yMTI2MTAy\n"
    "ODIzMjMzMlowHjENMAsGA1UECgwERnV6ejENMAsGA1UEAwwEbGVhZjBZMBMGByqG\n"
    "SM49AgEGCCqGSM49AwEHA0IABOYQbDeYOyfbTyd7L+G0oVSgkjbLCRZf86Abn8U6\n"
    "na3eB5tdT+OzHKkneEVfhtJqU5OPbA3g25i0i48DxZNPFTKjgbcwgbQwDAYDVR0T\n"
    "AQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsG\n"
    "AQUFBwMCMDUGA1UdEQQuMCyGH3NwaWZmZTovL3Rlc3QuZ292L2FkYXB0ZXIvdGF4\n"
    "LzGCCWxvY2FsaG9zdDAfBgNVHSMEGDAWgBTxgWzDCaejo4s4vypNdx7Ydhx9TzAd\n"
    "BgNVHQ4EFgQUx2rpXlUETHcN+oxwd37xDyP24UowCgYIKoZIzj0EAwIDSAAwRQIg\n"
    "bfPVQau08St42GusdQT437OykVJbg+bj1CGLni3LGhACIQCYvGV6Gecs6dv91yTa\n"
    "LSMhc7v4M1ri86nzldCALAPsBg==\n"
    "-----END CERTIFICATE-----\n";

const char fuzz_crl_pem[] =
    "-----BEGIN X509 CRL-----\n"
    "MIHbMIGDAgEBMAoGCCqGSM49BAMCMCExDTALBgNVBAoMBEZ1enoxEDAOBgNVBAMM\n"
    "B0Z1enogQ0EXDTI2MTEyMTIzMjMzMloYDzIxMjYxMDI4MjMyMzMyWqAvMC0wHwYD\n"
    "VR0jBBgwFoAU8YFswwmno6OLOL8qTXce2HYcfU8wCgYDVR0UBAMCAQEwCgYIKoZI\n"
    "zj0EAwIDRwAwRAIgNz/UAj7MSStVDSeTLjIDy518CL6oVBYwrBWmghv0caoCIDvA\n"
    "kJimk7lvjjenqGrUmznY/pIFrdRUnLHTZOVbGw97\n"
    "-----END X509 CRL-----\n";

const char fuzz_crl_revoked_pem[] =
    "-----BEGIN X509 CRL-----\n"
    "MIH5MIGgAgEBMAoGCCqGSM49BAMCMCExDTALBgNVBAoMBEZ1enoxEDAOBgNVBAMM\n"
    "B0Z1enogQ0EXDTI2MTEyMTIzMjMzMloYDzIxMjYxMDI4MjMyMzMyWjAbMBkCCBI0\n"
    "VniQq83vFw0yNjExMjEyMzIzMzJaoC8wLTAfBgNVHSMEGDAWgBTxgWzDCaejo4s4\n"
    "vypNdx7Ydhx9TzAKBgNVHRQEAwIBAjAKBggqhkjOPQQDAgNIADBFAiBO6JEFCb6r\n"
    "fiC8idPZJgnj8wq57NVifGF9k8uKKUYL1wIhANvQcNqIxyKn+MwJ8WI6DM6cSQN2\n"
    "D9DAjtLKNHaRHV/a\n"
    "-----END X509 CRL-----\n";

static const uint8_t ed25519_seed[32] = {7, 7, 7};
static const uint8_t x25519_private[32] = {9, 9, 9};
static const uint8_t x25519_sender[32] = {8, 8, 8};

static struct lb_verify_key *public_of(const struct lb_sign_key *key)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    size_t len = lb_sign_key_public(key, raw);
    struct lb_verify_key *verify = NULL;
    FUZZ_OK(lb_verify_key_new(lb_sign_key_alg(key), lb_span_of(raw, len), &verify));
    return verify;
}

const struct fuzz_keys *fuzz_keys(void)
{
    static struct fuzz_keys keys;
    if (keys.es256 != NULL)
        return &keys;
    FUZZ_OK(lb_sign_key_from_seed(ed25519_seed, &keys.ed25519));
    FUZZ_OK(lb_x25519_from_private(x25519_private, &keys.x25519));
    FUZZ_OK(lb_x25519_from_private(x25519_sender, &keys.sender));
    keys.ed25519_public = public_of(keys.ed25519);
    FUZZ_OK(lb_sign_key_from_pem(lb_span_str(es256_pem), LB_SIGN_ES256, &keys.es256));
    keys.es256_public = public_of(keys.es256);
    return &keys;
}

struct lb_span fuzz_jws(struct lb_arena *arena, struct lb_span header, struct lb_span payload)
{
    uint8_t raw[LB_SIGNATURE_BYTES];
    const char *first = lb_b64url_encode(arena, header);
    const char *second = lb_b64url_encode(arena, payload);
    FUZZ_CHECK(first != NULL && second != NULL);
    const char *input = lb_arena_printf(arena, "%s.%s", first, second);
    FUZZ_CHECK(input != NULL);
    FUZZ_OK(lb_sign(fuzz_keys()->es256, lb_span_str(input), raw));
    const char *token = lb_arena_printf(
        arena, "%s.%s", input, lb_b64url_encode(arena, lb_span_of(raw, sizeof(raw))));
    FUZZ_CHECK(token != NULL);
    return lb_span_str(token);
}
