#include "gateway/trust/former.h"

#include "gateway/crypto/b64.h"
#include "gateway/trust/handover.h"

#define MAX_FORMER 8
#define MAX_SIGNERS 8
#define MAX_VKEY_BYTES 512

static bool has_member(const struct lb_json *object, const char *key)
{
    const struct lb_json *list = NULL;
    return lb_status_code(lb_json_get_array(object, key, &list)) != LB_ABSENT;
}

/* What the item after this one in the chain is called. */
struct chain {
    const char *name, *key;
    const char *organization;  /* of an issuer */
    const char *origin;        /* of a log */
};

/* Whose recoveries are read, and how many were. */
struct recoveries {
    const char *spiffe;
    int num;
};

/* One link: checks the signature of what was read and becomes the next one's successor. */
static lb_status take_link(struct lb_reader *reader, const struct lb_json *item,
                           const struct lb_verify_key *old_key, struct chain *chain,
                           const struct lb_former_key *former)
{
    uint8_t signature[LB_SIGNATURE_BYTES];
    const struct lb_handover handover = {.old_name = former->name,
                                         .old_key = former->key,
                                         .new_name = chain->name,
                                         .new_key = chain->key};
    LB_TRY(lb_reader_bytes(reader, item, "signature", signature, sizeof(signature)));
    lb_status status = lb_handover_check(&handover, old_key,
                                         lb_span_of(signature, sizeof(signature)), reader->arena);
    if (lb_status_code(status) == LB_SIGNATURE_INVALID)
        return lb_reader_fail(reader, "the older key has not handed over to the newer; ask the "
                                      "member for `lianban keys handover`");
    LB_TRY(status);
    chain->name = former->name;
    chain->key = former->key;
    return LB_OK;
}

/* --- log keys --- */

static lb_status read_log(struct lb_reader *reader, const struct lb_json *item, void *out,
                          void *context)
{
    static const char *const keys[] = {"log", "signature", NULL};
    struct chain *chain = context;
    struct lb_former_key *former = out;
    const char *vkey = NULL;
    LB_TRY(lb_reader_only(reader, item, keys));
    LB_TRY(lb_reader_text(reader, item, "log", MAX_VKEY_BYTES, &vkey));
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {0};
    if (lb_note_verifier_parse(lb_span_str(vkey), &verifier) != LB_OK ||
        strcmp(verifier.name, chain->origin) != 0)
        return lb_reader_fail(reader, "\"log\" is no verifier key of this node's log");
    former->name = chain->name;
    former->key = vkey;
    former->raw_len = sizeof(verifier.public_key);
    memcpy(former->raw, verifier.public_key, former->raw_len);
    return take_link(reader, item, verifier.key, chain, former);
}

lb_status lb_former_logs(struct lb_reader *reader, const struct lb_json *item,
                         struct lb_node *node, const char *vkey)
{
    struct chain chain = {.name = node->spiffe, .key = vkey, .origin = node->log_origin};
    void *list = NULL;
    if (!has_member(item, "log_before"))
        return LB_OK;
    LB_TRY(lb_reader_list(reader, item, "log_before", sizeof(struct lb_former_key), read_log,
                          &chain, &list, &node->num_former));
    if (node->num_former > MAX_FORMER)
        return lb_reader_fail(reader, "\"log_before\" has more than %d keys", MAX_FORMER);
    node->former = list;
    return LB_OK;
}

/* --- logs that took the place of lost ones --- */

/* The note of the log with that number; each names the one before it. */
static lb_status read_recovery(struct lb_reader *reader, const struct lb_json *item, void *out,
                               void *context)
{
    struct lb_recovery *recovery = out;
    struct recoveries *from = context;
    lb_status status = lb_recovery_open(lb_json_str(item), reader->arena, recovery);
    if (lb_status_code(status) == LB_NO_MEMORY)
        return status;
    if (status != LB_OK)
        return lb_reader_fail(reader, "%s", status->what);
    from->num++;
    if (strcmp(recovery->spiffe, from->spiffe) != 0 ||
        lb_spiffe_log_number(from->spiffe, recovery->log_origin) != from->num)
        return lb_reader_fail(reader, "is the recovery of another log");
    return LB_OK;
}

lb_status lb_former_recovery(struct lb_reader *reader, const struct lb_json *item,
                             struct lb_node *node)
{
    struct recoveries own = {.spiffe = node->spiffe};
    void *list = NULL;
    int number =
        node->log_origin == NULL ? 0 : lb_spiffe_log_number(node->spiffe, node->log_origin);
    if (has_member(item, "recovery"))
        LB_TRY(lb_reader_list(reader, item, "recovery", sizeof(struct lb_recovery), read_recovery,
                              &own, &list, &node->num_recoveries));
    if (own.num != number)
        return lb_reader_fail(reader, "a log called %s~r<n> has n notes under \"recovery\", and no "
                                      "other log has any", lb_spiffe_log_origin(node->spiffe));
    node->recoveries = list;
    return LB_OK;
}

/* --- issuers' keys --- */

static void free_key(struct lb_verify_key **key)
{
    lb_verify_key_free(*key);
}

static lb_status name_key(struct lb_reader *reader, const char *organization, const char *kid,
                          struct lb_former_key *out)
{
    out->name = lb_arena_printf(reader->arena, "%s/%s", organization, kid);
    out->key = lb_b64url_encode(reader->arena, lb_span_of(out->raw, out->raw_len));
    out->kid = kid;
    LB_ENSURE(out->name != NULL && out->key != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status read_issuer(struct lb_reader *reader, const struct lb_json *item, void *out,
                             void *context)
{
    static const char *const keys[] = {"kid", "x", "y", "signature", NULL};
    struct chain *chain = context;
    struct lb_former_key *former = out;
    const char *kid = NULL;
    LB_TRY(lb_reader_only(reader, item, keys));
    LB_TRY(lb_reader_name(reader, item, "kid", &kid));
    LB_TRY(lb_reader_bytes(reader, item, "x", former->raw, 32));
    LB_TRY(lb_reader_bytes(reader, item, "y", former->raw + 32, 32));
    former->raw_len = LB_P256_PUBLIC_BYTES;
    LB_DEFER(free_key) struct lb_verify_key *key = NULL;
    if (lb_verify_key_new(LB_SIGN_ES256, lb_span_of(former->raw, former->raw_len), &key) != LB_OK)
        return lb_reader_fail(reader, "\"x\" and \"y\" are no point of P-256");
    LB_TRY(name_key(reader, chain->organization, kid, former));
    return take_link(reader, item, key, chain, former);
}

lb_status lb_former_issuers(struct lb_reader *reader, const struct lb_json *item,
                            struct lb_issuer *issuer)
{
    struct lb_former_key own = {0};
    void *list = NULL;
    if (!has_member(item, "before"))
        return LB_OK;
    own.raw_len = lb_verify_key_raw(issuer->key, own.raw);
    LB_TRY(name_key(reader, issuer->organization, issuer->kid, &own));
    struct chain chain = {
        .name = own.name, .key = own.key, .organization = issuer->organization};
    LB_TRY(lb_reader_list(reader, item, "before", sizeof(struct lb_former_key), read_issuer,
                          &chain, &list, &issuer->num_former));
    if (issuer->num_former > MAX_FORMER)
        return lb_reader_fail(reader, "\"before\" has more than %d keys", MAX_FORMER);
    issuer->former = list;
    return LB_OK;
}

/* --- the directory's own --- */

static lb_status read_signer(struct lb_reader *reader, const struct lb_json *item, void *out,
                             void *context)
{
    const char **vkey = out;
    (void)context;
    struct lb_note_verifier verifier = {0};
    if (lb_note_verifier_parse(lb_json_str(item), &verifier) != LB_OK)
        return lb_reader_fail(reader, "is not a verifier key");
    *vkey = lb_note_verifier_format(&verifier, reader->arena);
    lb_note_verifier_cleanup(&verifier);
    LB_ENSURE(*vkey != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

lb_status lb_former_signers(struct lb_reader *reader, const struct lb_json *root,
                            struct lb_directory *directory)
{
    void *list = NULL;
    if (!has_member(root, "signers"))
        return LB_OK;
    LB_TRY(lb_reader_list(reader, root, "signers", sizeof(char *), read_signer, NULL, &list,
                          &directory->num_signers));
    if (directory->num_signers == 0 || directory->num_signers > MAX_SIGNERS)
        return lb_reader_fail(reader, "\"signers\" must name 1 to %d keys", MAX_SIGNERS);
    directory->signers = list;
    return LB_OK;
}
