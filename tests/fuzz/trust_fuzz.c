#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/trust/directory.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* The directory and the names in it. */

#define ARENA_BYTES (16U << 20)
#define NOW INT64_C(1800000000)
#define SIGNER "test.gov/directory"
#define NODE "spiffe://test.gov/adapter/tax/1"
#define LOG "test.gov/adapter/tax/1"

static void check_nodes(const struct lb_directory *directory, struct lb_arena *arena)
{
    for (size_t i = 0; i < directory->num_nodes; i++) {
        const struct lb_node *node = &directory->nodes[i];
        const char *federation = NULL, *organization = NULL;
        enum lb_node_kind kind;
        FUZZ_CHECK(lb_directory_node(directory, node->spiffe) == node);
        FUZZ_OK(lb_spiffe_parse(node->spiffe, arena, &federation, &kind, &organization));
        FUZZ_CHECK(strcmp(federation, directory->federation) == 0 && kind == node->kind);
        FUZZ_CHECK(strcmp(organization, node->organization) == 0);
        FUZZ_CHECK(node->num_seal_keys == 0 || node->log_origin != NULL);
        const struct lb_seal_key_entry *newest = lb_node_seal_key(node, NULL, NOW);
        for (size_t k = 0; k < node->num_seal_keys; k++) {
            const struct lb_seal_key_entry *entry = &node->seal_keys[k];
            FUZZ_CHECK(entry->not_after <= NOW || newest != NULL);
            FUZZ_CHECK(entry->not_after <= NOW || entry->not_after <= newest->not_after);
        }
    }
}

static void check_directory(const struct lb_directory *directory, struct lb_arena *arena)
{
    FUZZ_CHECK(directory->num_pins > 0 && directory->federation[0] != 0);
    FUZZ_CHECK(directory->issued <= NOW + 60 && directory->expires > NOW);
    check_nodes(directory, arena);
    for (size_t i = 0; i < directory->num_issuers; i++) {
        const struct lb_issuer *issuer = &directory->issuers[i];
        FUZZ_CHECK(lb_directory_issuer(directory, issuer->organization, issuer->kid) == issuer);
        FUZZ_CHECK(issuer->key != NULL && lb_verify_key_alg(issuer->key) == LB_SIGN_ES256);
    }
    for (size_t i = 0; i < directory->num_forms; i++) {
        const struct lb_listed *form = &directory->forms[i];
        FUZZ_CHECK(lb_listed_find(directory->forms, directory->num_forms, form->id,
                                  form->version) == form);
    }
}

static bool try_text(struct lb_span text, struct lb_arena *arena)
{
    struct lb_diag diag = {""};
    struct lb_directory *directory = NULL;
    uint8_t digest[32];
    if (lb_directory_check_text(text, NOW, &diag, &directory) != LB_OK) {
        FUZZ_CHECK(directory == NULL && diag.text[0] != 0);
        return false;
    }
    lb_sha256(text, digest);
    FUZZ_CHECK(memcmp(digest, directory->sha256, 32) == 0);
    check_directory(directory, arena);
    lb_directory_unref(directory);
    return true;
}

/* As a note: nothing opens that our key has not signed. */
static bool try_note(struct lb_span note, struct lb_arena *arena)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_note_verifier verifier;
    struct lb_diag diag = {""};
    struct lb_directory *directory = NULL;
    struct lb_span text;
    uint32_t mask = 0;
    (void)lb_sign_key_public(fuzz_keys()->ed25519, raw);
    FUZZ_OK(lb_note_verifier_init(SIGNER, raw, &verifier));
    lb_status status = lb_directory_open(note, &verifier, 1, NOW, &diag, &directory);
    if (status == LB_OK) {
        FUZZ_OK(lb_note_open(note, &verifier, 1, &text, &mask));
        check_directory(directory, arena);
        lb_directory_unref(directory);
    }
    lb_note_verifier_cleanup(&verifier);
    return status == LB_OK;
}

bool fuzz_directory(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    return (fuzz_u8(&in) & 1) != 0 ? try_note(in, arena) : try_text(in, arena);
}

static const char *sample_seal(struct lb_arena *arena)
{
    struct lb_seal_key_entry entry = {.id = "s1", .not_after = NOW + 3600};
    struct lb_span signature = LB_SPAN_EMPTY;
    memcpy(entry.public_key, fuzz_keys()->x25519.public_key, 32);
    FUZZ_OK(lb_seal_key_sign(NODE, &entry, fuzz_keys()->ed25519, arena, &signature));
    return lb_arena_printf(
        arena, "{\"id\":\"s1\",\"key\":\"%s\",\"not_after\":%lld,\"signature\":\"%.*s\"}",
        lb_b64url_encode(arena, lb_span_of(entry.public_key, 32)), (long long)entry.not_after,
        (int)signature.len, (const char *)signature.ptr);
}

static const char *sample_directory(struct lb_arena *arena)
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_note_verifier verifier;
    (void)lb_sign_key_public(fuzz_keys()->ed25519, raw);
    FUZZ_OK(lb_note_verifier_init(LOG, raw, &verifier));
    const char *vkey = lb_note_verifier_format(&verifier, arena);
    lb_note_verifier_cleanup(&verifier);
    (void)lb_sign_key_public(fuzz_keys()->es256, raw);
    const char *x = lb_b64url_encode(arena, lb_span_of(raw, 32));
    const char *y = lb_b64url_encode(arena, lb_span_of(raw + 32, 32));
    const char *text = lb_arena_printf(
        arena,
        "{\"type\":\"lianban-directory/v1\",\"federation\":\"test.gov\",\"version\":3,"
        "\"issued\":%lld,\"expires\":%lld,\"ca_pins\":[\"%s\"],"
        "\"organizations\":[{\"id\":\"tax\",\"zh\":\"税务\",\"en\":\"Tax\"}],"
        "\"nodes\":[{\"spiffe\":\"" NODE "\",\"endpoint\":\"127.0.0.1:7443\",\"log\":\"%s\","
        "\"seal\":[%s]}],"
        "\"issuers\":[{\"organization\":\"tax\",\"kid\":\"k1\",\"x\":\"%s\",\"y\":\"%s\","
        "\"kinds\":[\"consent\",\"operator\"],\"status\":\"https://hall/1\"}],"
        "\"forms\":[{\"id\":\"aid\",\"version\":1,\"sha256\":\"%s\"}],\"rules\":[],\"views\":[]}\n",
        (long long)NOW - 10, (long long)NOW + 86400, zeros, vkey, sample_seal(arena), x, y, zeros);
    FUZZ_CHECK(text != NULL);
    return text;
}

void seed_directory(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_span text = lb_span_str(sample_directory(arena)), note = LB_SPAN_EMPTY;
    fuzz_seed(sink, 0, text);
    FUZZ_OK(lb_note_sign(text, false, SIGNER, fuzz_keys()->ed25519, arena, &note));
    fuzz_seed(sink, 1, note);
}

/* --- SPIFFE ids --- */

bool fuzz_spiffe(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const char *text = fuzz_text(arena, in), *federation = NULL, *organization = NULL;
    enum lb_node_kind kind;
    if (text == NULL || lb_spiffe_parse(text, arena, &federation, &kind, &organization) != LB_OK)
        return false;
    FUZZ_CHECK(kind < LB_NUM_NODE_KINDS);
    const char *head = lb_arena_printf(arena, "spiffe://%s/%s/%s", federation,
                                       lb_node_kind_name(kind), organization);
    FUZZ_CHECK(head != NULL && strncmp(text, head, strlen(head)) == 0);
    const char *rest = text + strlen(head);
    FUZZ_CHECK(rest[0] == 0 || (rest[0] == '/' && rest[1] != 0 && strchr(rest + 1, '/') == NULL));
    FUZZ_CHECK(strspn(text + 9, "abcdefghijklmnopqrstuvwxyz0123456789.-/") == strlen(text) - 9);
    FUZZ_CHECK(strstr(text, "/../") == NULL && strstr(text + 9, "//") == NULL);
    FUZZ_CHECK(strcmp(lb_spiffe_log_origin(text), text + 9) == 0);
    return true;
}

void seed_spiffe(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, NODE);
    fuzz_seed_text(sink, "spiffe://demo.lianban/window/street-office");
    fuzz_seed_text(sink, "spiffe://demo.lianban/consent/hall");
    fuzz_seed_text(sink, "spiffe://a/auditor/b/c");
}
