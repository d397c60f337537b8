#include "gateway/crypto/hash.h"
#include "gateway/evidence/test_util.h"

/* The reference tree of RFC 6962 implementations: eight leaves, all roots, chosen proofs. */
static const char *const LEAVES[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
};

static const char *const ROOTS[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static const char *const LEAF_HASHES[] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
    "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
    "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
    "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
};

#define LEAF_0 "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
#define LEAF_1 "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define LEAF_4 "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define LEAF_6 "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"
#define ROOT_4 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define NODE_01 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
#define NODE_23 "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define NODE_45 "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
#define NODE_67 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define NODE_4567 "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"

struct known {
    uint64_t a; /* leaf index from 0, or the first size */
    uint64_t b; /* tree size, or the second size */
    const char *path[5];
};

static const struct known INCLUSIONS[] = {
    {0, 8, {LEAF_1, NODE_23, NODE_4567}},
    {5, 8, {LEAF_4, NODE_67, ROOT_4}},
    {2, 3, {NODE_01}},
    {1, 5, {LEAF_0, NODE_23, LEAF_4}},
};

static const struct known CONSISTENCIES[] = {
    {1, 8, {LEAF_1, NODE_23, NODE_4567}},
    {6, 8, {NODE_45, NODE_67, ROOT_4}},
    {2, 5, {NODE_23, LEAF_4}},
    {6, 7, {NODE_45, LEAF_6, ROOT_4}},
};

static size_t load_path(const struct known *known, struct lb_hash path[8])
{
    size_t num = 0;
    for (; known->path[num] != NULL; num++)
        path[num] = hash_of_hex(known->path[num]);
    return num;
}

static struct lb_span leaf_input(size_t index, uint8_t storage[16])
{
    struct lb_span hex = lb_span_str(LEAVES[index]);
    assert_ok(lb_hex_decode(hex, storage, hex.len / 2));
    return lb_span_of(storage, hex.len / 2);
}

static void leaves_and_roots_are_the_published_ones(void **state)
{
    (void)state;
    struct lb_merkle_frontier frontier;
    struct lb_hash hash;
    lb_merkle_frontier_init(&frontier);
    for (size_t i = 0; i <= 8; i++) {
        lb_merkle_frontier_root(&frontier, &hash);
        assert_hash(&hash, hash_of_hex(ROOTS[i]));
        if (i == 8)
            break;
        uint8_t storage[16];
        lb_merkle_leaf(leaf_input(i, storage), &hash);
        assert_hash(&hash, hash_of_hex(LEAF_HASHES[i]));
        lb_merkle_frontier_add(&frontier, &hash);
    }
}

static void hasher_vectors(void **state)
{
    (void)state;
    struct lb_hash hash;
    lb_merkle_empty(&hash);
    assert_hash(&hash, hash_of_hex(ROOTS[0]));
    lb_merkle_leaf(lb_span_str("L123456"), &hash);
    assert_hash(&hash,
                hash_of_hex("395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"));
    /* The published inner node has inputs that are no hashes: its prefix is what it shows. */
    lb_sha256(lb_span_str("\x01N123N456"), hash.bytes);
    assert_hash(&hash,
                hash_of_hex("aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"));
    /* An inner node by its definition; its inputs may be its output. */
    struct lb_hash left = hash_of_hex(LEAF_0);
    struct lb_hash right = hash_of_hex(LEAF_1);
    lb_merkle_node(&left, &right, &right);
    assert_hash(&right, hash_of_hex(NODE_01));
}

static void published_inclusion_proofs_verify(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(INCLUSIONS) / sizeof(INCLUSIONS[0]); i++) {
        const struct known *known = &INCLUSIONS[i];
        struct lb_hash path[8];
        size_t num = load_path(known, path);
        struct lb_hash leaf = hash_of_hex(LEAF_HASHES[known->a]);
        struct lb_hash root = hash_of_hex(ROOTS[known->b]);
        assert_ok(lb_merkle_verify_inclusion(&leaf, known->a, known->b, path, num, &root));
    }
    struct lb_hash only = hash_of_hex(LEAF_HASHES[0]);
    assert_ok(lb_merkle_verify_inclusion(&only, 0, 1, NULL, 0, &only));
}

static void published_consistency_proofs_verify(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CONSISTENCIES) / sizeof(CONSISTENCIES[0]); i++) {
        const struct known *known = &CONSISTENCIES[i];
        struct lb_hash path[8];
        size_t num = load_path(known, path);
        struct lb_hash first = hash_of_hex(ROOTS[known->a]);
        struct lb_hash second = hash_of_hex(ROOTS[known->b]);
        assert_ok(
            lb_merkle_verify_consistency(known->a, &first, known->b, &second, path, num));
    }
}

/* Every neighbour of a right proof: other index, size, root, leaf, a flipped bit, a hash too many
 * or too few, two swapped. */
static void wrong_inclusions_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(INCLUSIONS) / sizeof(INCLUSIONS[0]); i++) {
        const struct known *known = &INCLUSIONS[i];
        struct lb_hash path[8] = {{{0}}};
        size_t num = load_path(known, path);
        struct lb_hash leaf = hash_of_hex(LEAF_HASHES[known->a]);
        struct lb_hash root = hash_of_hex(ROOTS[known->b]);
        struct lb_hash bad = root;
        bad.bytes[31] ^= 1;
        uint64_t a = known->a;
        uint64_t b = known->b;
        assert_code(lb_merkle_verify_inclusion(&leaf, a, b, path, num, &bad), LB_RECEIPT_INVALID);
        assert_code(lb_merkle_verify_inclusion(&bad, a, b, path, num, &root), LB_RECEIPT_INVALID);
        assert_code(lb_merkle_verify_inclusion(&leaf, a ^ 1, b, path, num, &root),
                    LB_RECEIPT_INVALID);
        assert_code(lb_merkle_verify_inclusion(&leaf, a ^ 2, b, path, num, &root),
                    LB_RECEIPT_INVALID);
        assert_code(lb_merkle_verify_inclusion(&leaf, b, b, path, num, &root), LB_RECEIPT_INVALID);
        assert_code(lb_merkle_verify_inclusion(&leaf, a, 2 * b, path, num, &root),
                    LB_RECEIPT_INVALID);
        assert_code(lb_merkle_verify_inclusion(&leaf, a, 0, path, num, &root), LB_RECEIPT_INVALID);
        assert_code(lb_merkle_verify_inclusion(&leaf, a, b, path, num - 1, &root),
                    LB_RECEIPT_INVALID);
        assert_code(lb_merkle_verify_inclusion(&leaf, a, b, path, num + 1, &root),
                    LB_RECEIPT_INVALID);
        for (size_t j = 0; j < num; j++) {
            path[j].bytes[0] ^= 0x80;
            assert_code(lb_merkle_verify_inclusion(&leaf, a, b, path, num, &root),
                        LB_RECEIPT_INVALID);
            path[j].bytes[0] ^= 0x80;
        }
        if (num > 1) {
            struct lb_hash swapped[8] = {path[1], path[0]};
            memcpy(&swapped[2], &path[2], 6 * sizeof(path[0]));
            assert_code(lb_merkle_verify_inclusion(&leaf, a, b, swapped, num, &root),
                        LB_RECEIPT_INVALID);
        }
    }
}

static void wrong_consistencies_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CONSISTENCIES) / sizeof(CONSISTENCIES[0]); i++) {
        const struct known *known = &CONSISTENCIES[i];
        struct lb_hash path[8] = {{{0}}};
        size_t num = load_path(known, path);
        struct lb_hash first = hash_of_hex(ROOTS[known->a]);
        struct lb_hash second = hash_of_hex(ROOTS[known->b]);
        uint64_t a = known->a;
        uint64_t b = known->b;
        assert_code(lb_merkle_verify_consistency(a, &second, b, &second, path, num), LB_LOG_FORK);
        assert_code(lb_merkle_verify_consistency(a, &first, b, &first, path, num), LB_LOG_FORK);
        assert_code(lb_merkle_verify_consistency(b, &second, a, &first, path, num), LB_LOG_FORK);
        assert_code(lb_merkle_verify_consistency(a + 1, &first, b, &second, path, num),
                    LB_LOG_FORK);
        assert_code(lb_merkle_verify_consistency(a, &first, 2 * b, &second, path, num),
                    LB_LOG_FORK);
        assert_code(lb_merkle_verify_consistency(a, &first, b, &second, path, num - 1),
                    LB_LOG_FORK);
        assert_code(lb_merkle_verify_consistency(a, &first, b, &second, path, num + 1),
                    LB_LOG_FORK);
        assert_code(lb_merkle_verify_consistency(a, &first, b, &second, path, 0), LB_LOG_FORK);
        for (size_t j = 0; j < num; j++) {
            path[j].bytes[31] ^= 1;
            assert_code(lb_merkle_verify_consistency(a, &first, b, &second, path, num),
                        LB_LOG_FORK);
            path[j].bytes[31] ^= 1;
        }
    }
}

/* The cases a literal RFC 9162 verifier wrongly accepts. */
static void degenerate_proofs_are_refused(void **state)
{
    (void)state;
    struct lb_hash empty = hash_of_hex(ROOTS[0]);
    struct lb_hash root = hash_of_hex(ROOTS[1]);
    struct lb_hash other = hash_of_hex(ROOTS[2]);
    struct lb_hash zero = {{0}};
    assert_code(lb_merkle_verify_consistency(0, &empty, 1, &root, NULL, 0), LB_LOG_FORK);
    assert_code(lb_merkle_verify_consistency(0, &empty, 0, &empty, NULL, 0), LB_LOG_FORK);
    assert_code(lb_merkle_verify_consistency(0, &zero, 8, &root, &zero, 1), LB_LOG_FORK);
    assert_code(lb_merkle_verify_consistency(1, &root, 1, &root, &root, 1), LB_LOG_FORK);
    assert_code(lb_merkle_verify_consistency(1, &root, 1, &other, NULL, 0), LB_LOG_FORK);
    assert_code(lb_merkle_verify_inclusion(&zero, 0, 0, NULL, 0, &zero), LB_RECEIPT_INVALID);
    assert_code(lb_merkle_verify_inclusion(&empty, 0, 0, NULL, 0, &empty), LB_RECEIPT_INVALID);
    assert_code(lb_merkle_verify_inclusion(&zero, UINT64_MAX, 0, NULL, 0, &zero),
                LB_RECEIPT_INVALID);
    assert_ok(lb_merkle_verify_consistency(8, &root, 8, &root, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_and_roots_are_the_published_ones),
        cmocka_unit_test(hasher_vectors),
        cmocka_unit_test(published_inclusion_proofs_verify),
        cmocka_unit_test(published_consistency_proofs_verify),
        cmocka_unit_test(wrong_inclusions_are_refused),
        cmocka_unit_test(wrong_consistencies_are_refused),
        cmocka_unit_test(degenerate_proofs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
