#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"

/* The notice names the organization that asks, so it is rendered for one listed window. */
static lb_status find_requester(const struct lb_directory *directory, const char *spiffe,
                                const char **out_organization)
{
    const struct lb_node *node = lb_directory_node(directory, spiffe);
    LB_ENSURE(node != NULL && node->kind == LB_NODE_WINDOW, LB_MALFORMED,
              "requester is not a listed window");
    *out_organization = node->organization;
    return LB_OK;
}

static lb_status fill(struct lb_span text, struct lb_arena *arena,
                      Lianban__V1__NoticeResponse **out)
{
    Lianban__V1__NoticeResponse *response = lb_arena_alloc(arena, sizeof(*response));
    uint8_t *digest = lb_arena_alloc(arena, LB_SHA256_BYTES);
    LB_ENSURE(response != NULL && digest != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__notice_response__init(response);
    lb_sha256(text, digest);
    response->sha256 = (ProtobufCBinaryData){LB_SHA256_BYTES, digest};
    response->text = lb_arena_str(arena, text);
    LB_ENSURE(response->text != NULL, LB_NO_MEMORY, "arena is full");
    *out = response;
    return LB_OK;
}

lb_status lb_consent_notice(struct lb_consent *consent, const Lianban__V1__NoticeRequest *request,
                            struct lb_arena *arena, Lianban__V1__NoticeResponse **out)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    const struct lb_form *form = NULL;
    const char *organization = NULL;
    enum lb_notice_variant variant = LB_NOTICE_PLAIN;
    struct lb_span text;
    LB_ENSURE(lb_notice_variant_parse(lb_span_str(request->variant), &variant) == LB_OK,
              LB_MALFORMED, "a notice of no such variant");
    LB_TRY(lb_consent_form(consent, request->form, request->form_version, &form));
    LB_TRY(find_requester(directory, request->requester, &organization));
    LB_TRY(lb_consent_notice_text(directory, form, organization, request->language, variant,
                                  arena, &text));
    return fill(text, arena, out);
}
