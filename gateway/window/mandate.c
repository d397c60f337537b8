#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/window/inside.h"

/*
 * What the law lets the window ask without consent: a grant that its own organization signs. It
 * names the law and the department's own policy decides whether that is enough.
 */

#define MANDATE_LIFE_S 3600
#define MANDATE_LEFT_S 300  /* one with less left is not used any more */
#define MANDATE_LEVEL 2     /* the window saw the document, the office did not */

const struct lb_node *lb_window_adapter(const struct lb_directory *directory,
                                        const char *department)
{
    for (size_t i = 0; i < directory->num_nodes; i++) {
        const struct lb_node *node = &directory->nodes[i];
        if (node->kind == LB_NODE_ADAPTER && strcmp(node->organization, department) == 0)
            return node;
    }
    return NULL;
}

/* The highest version the directory lists; 0 when it lists none. */
static uint32_t view_version(const struct lb_directory *directory, const char *view)
{
    uint32_t version = 0;
    for (size_t i = 0; i < directory->num_views; i++) {
        const struct lb_listed *listed = &directory->views[i];
        if (strcmp(listed->id, view) == 0 && listed->version > version)
            version = listed->version;
    }
    return version;
}

struct making {
    const struct lb_window_case *entry;
    const struct lb_case_member *member;
    const struct lb_directory *directory;
    struct lb_arena *arena;
};

/* A department can be asked when the directory has its adapter and all views that the form
 * names. */
static bool can_ask(const struct lb_form *form, size_t role, size_t section,
                    const struct lb_directory *directory)
{
    const char *department = form->sections[section].department;
    if (lb_form_basis(form, section, role) != LB_BASIS_MANDATE ||
        !lb_window_asks_section(form, role, section) ||
        lb_window_adapter(directory, department) == NULL)
        return false;
    for (size_t i = 0; i < form->num_facts; i++) {
        const struct lb_form_fact *fact = &form->facts[i];
        if (lb_form_asks(fact, role) && strcmp(fact->department, department) == 0 &&
            view_version(directory, fact->view) == 0)
            return false;
    }
    return true;
}

static size_t view_index(const struct lb_section_view *views, size_t num, const char *id)
{
    size_t i = 0;
    while (i < num && strcmp(views[i].id, id) != 0)
        i++;
    return i;
}

static lb_status add_field(const struct making *making, const struct lb_form_fact *fact,
                           struct lb_section_view *view)
{
    struct lb_section_field *fields = (struct lb_section_field *)(uintptr_t)view->fields;
    const char *text = lb_op_format(&fact->call, making->arena);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    LB_ENSURE(view->num_fields < LB_MAX_FIELDS_PER_SECTION, LB_SECTION_INVALID, "too many fields");
    fields[view->num_fields++] = (struct lb_section_field){fact->field, text};
    return LB_OK;
}

static lb_status add_views(const struct making *making, const char *department,
                           struct lb_section *section)
{
    const struct lb_form *form = making->entry->form->form;
    struct lb_section_view *views =
        lb_arena_array(making->arena, LB_MAX_VIEWS_PER_SECTION, sizeof(*views));
    LB_ENSURE(views != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < form->num_facts; i++) {
        const struct lb_form_fact *fact = &form->facts[i];
        if (!lb_form_asks(fact, making->member->role) ||
            strcmp(fact->department, department) != 0)
            continue;
        size_t at = view_index(views, section->num_views, fact->view);
        LB_ENSURE(at < LB_MAX_VIEWS_PER_SECTION, LB_SECTION_INVALID, "too many views");
        if (at == section->num_views) {
            views[at].id = fact->view;
            views[at].version = view_version(making->directory, fact->view);
            views[at].fields = lb_arena_array(making->arena, LB_MAX_FIELDS_PER_SECTION,
                                              sizeof(views[at].fields[0]));
            LB_ENSURE(views[at].fields != NULL, LB_NO_MEMORY, "arena is full");
            section->num_views++;
        }
        LB_TRY(add_field(making, fact, &views[at]));
    }
    section->views = views;
    return LB_OK;
}

static lb_status make_section(const struct making *making, const struct lb_form_section *from,
                              const uint8_t subject[32], struct lb_section *out)
{
    const struct lb_form *form = making->entry->form->form;
    struct lb_section section = {
        .provider = from->department,
        .audience = lb_window_adapter(making->directory, from->department)->spiffe,
        .form = form->id,
        .form_version = form->version,
        .purpose = form->purpose,
        .case_id = making->entry->id,
        .basis = lb_basis_name(LB_BASIS_MANDATE),
        .num_laws = from->num_laws,
        .laws = from->laws,
        .role = form->roles[making->member->role].name,
        .operator_hash = making->entry->person,
        .approver = making->entry->approver[0] != 0 ? making->entry->approver : NULL,
        .method = "none",
        .level = MANDATE_LEVEL,
        .max_uses = from->uses,
        .answer_bytes = from->answer_bytes,
    };
    memcpy(section.form_sha256, form->sha256, sizeof(section.form_sha256));
    memcpy(section.subject, subject, sizeof(section.subject));
    LB_TRY(add_views(making, from->department, &section));
    *out = section;
    return LB_OK;
}

static lb_status random_hex(struct lb_arena *arena, const char **out)
{
    uint8_t random[16];
    char digits[2 * sizeof(random) + 1];
    LB_TRY(lb_crypto_random(random, sizeof(random)));
    lb_hex_encode(lb_span_of(random, sizeof(random)), digits);
    *out = lb_arena_str(arena, lb_span_str(digits));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status sign(const struct making *making, const struct lb_section *sections, size_t num,
                      struct lb_span *out_sd_jwt)
{
    const struct lb_window_options *options = &making->entry->window->options;
    const struct lb_issuer_key *issuer = lb_issuer_keys_now(options->issuer);
    int64_t now = lb_clock_unix_s(options->clock);
    struct lb_grant grant = {
        .issuer = options->organization,
        .kid = issuer->kid,
        .requester = options->organization,
        .iat = now,
        .nbf = now,
        .exp = now + MANDATE_LIFE_S,
    };
    struct lb_span jwt;
    struct lb_span *disclosures = lb_arena_array(making->arena, num, sizeof(*disclosures));
    LB_ENSURE(disclosures != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(random_hex(making->arena, &grant.jti));
    LB_DEFER(lb_own_key_wipe) struct lb_own_key own = {.id = ""};
    LB_TRY(lb_window_newest_key(making->entry->window, &own));
    LB_TRY(lb_jwk_thumbprint_x25519(own.key.public_key, making->arena, grant.cnf_jkt));
    LB_TRY(lb_grant_issue(&grant, sections, num, issuer->key, making->arena, &jwt, disclosures));
    return lb_sd_jwt_join(jwt, disclosures, num, making->arena, out_sd_jwt);
}

static lb_status issue(const struct making *making, struct lb_case_grant *out)
{
    const struct lb_form *form = making->entry->form->form;
    struct lb_section *sections =
        lb_arena_array(making->arena, form->num_sections, sizeof(*sections));
    LB_ENSURE(sections != NULL, LB_NO_MEMORY, "arena is full");
    uint8_t subject[32];
    if (!out->salted)
        LB_TRY(lb_crypto_random(out->salt, sizeof(out->salt)));
    out->salted = true;
    lb_subject_commitment(out->salt, making->member->id_no, subject);
    size_t num = 0;
    for (size_t i = 0; i < form->num_sections; i++) {
        if (can_ask(form, making->member->role, i, making->directory))
            LB_TRY(make_section(making, &form->sections[i], subject, &sections[num++]));
    }
    if (num == 0)
        return LB_OK;
    struct lb_span sd_jwt;
    LB_TRY(sign(making, sections, num, &sd_jwt));
    return lb_case_text(&out->sd_jwt, sd_jwt);
}

/* Whether the mandate that is there will do. */
static bool still_good(const struct making *making, struct lb_opened_grant *opened)
{
    const struct lb_form *form = making->entry->form->form;
    const struct lb_window *window = making->entry->window;
    const char *sd_jwt = making->member->mandate.sd_jwt;
    if (sd_jwt == NULL || lb_grant_open_once(form, sd_jwt, making->arena, opened) != LB_OK ||
        !lb_grant_stands(window, opened, MANDATE_LEFT_S))
        return false;
    for (size_t i = 0; i < form->num_sections; i++) {
        const struct lb_section *section = opened->sections[i];
        if (section == NULL && can_ask(form, making->member->role, i, making->directory))
            return false;
        if (section != NULL && lb_directory_node(making->directory, section->audience) == NULL)
            return false;
    }
    return true;
}

lb_status lb_window_ensure_mandate(struct lb_window_case *entry, size_t member,
                                   const struct lb_directory *directory, struct lb_arena *arena,
                                   struct lb_opened_grant *opened)
{
    const struct making making = {entry, &entry->members[member], directory, arena};
    if (still_good(&making, opened))
        return LB_OK;
    lb_case_text_drop(&entry->members[member].mandate.sd_jwt);
    entry->unkept = true;
    return issue(&making, &entry->members[member].mandate);
}
