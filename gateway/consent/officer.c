#include "gateway/consent/inside.h"
#include "gateway/token/operator_token.h"

/* Who decides: a desk with a certificate of its own, and the officer who sits there. */

static bool has_officer_key(const struct lb_directory *directory, const char *organization)
{
    for (size_t i = 0; i < directory->num_issuers; i++) {
        const struct lb_issuer *issuer = &directory->issuers[i];
        if ((issuer->kinds & LB_ISSUES_OPERATOR) != 0 &&
            strcmp(issuer->organization, organization) == 0)
            return true;
    }
    return false;
}

static lb_status read_token(const struct lb_consent *consent,
                            const struct lb_directory *directory, const char *token,
                            struct lb_arena *arena, const char **out_person)
{
    struct lb_span text = lb_span_of(token, strnlen(token, LB_MAX_TOKEN_BYTES + 1));
    struct lb_operator claims;
    LB_TRY(lb_operator_token_peek(text, arena, &claims));
    const struct lb_issuer *issuer =
        lb_directory_issuer(directory, claims.organization, claims.kid);
    bool is_own = issuer != NULL && (issuer->kinds & LB_ISSUES_OPERATOR) != 0 &&
                  strcmp(claims.organization, consent->options.organization) == 0;
    LB_ENSURE(is_own, LB_OPERATOR_TOKEN_INVALID, "officer's token of another organization");
    LB_TRY(lb_operator_token_verify(text, issuer->key, lb_clock_unix_s(consent->options.clock),
                                    arena, &claims));
    *out_person = claims.person;
    return LB_OK;
}

lb_status lb_consent_who(const struct lb_consent *consent, const struct lb_directory *directory,
                         const char *caller, const char *token, struct lb_arena *arena,
                         struct lb_consent_officer *out_officer)
{
    struct lb_consent_officer officer = {.desk = caller};
    LB_TRY(lb_consent_need_desk(consent, directory, caller));
    officer.has_token = has_officer_key(directory, consent->options.organization);
    if (officer.has_token) {
        const char *person = NULL;
        LB_TRY(read_token(consent, directory, token, arena, &person));
        officer.name = lb_arena_printf(arena, "person %s", person);
    } else {
        LB_ENSURE(token[0] == '\0', LB_OPERATOR_TOKEN_INVALID,
                  "an officer's token where nobody issues any");
        officer.name = lb_arena_printf(arena, "desk %s", caller);
    }
    LB_ENSURE(officer.name != NULL, LB_NO_MEMORY, "arena is full");
    *out_officer = officer;
    return LB_OK;
}
