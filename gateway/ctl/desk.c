#include "gateway/ctl/desk.h"

#include "gateway/base/utf8.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/say.h"
#include "policy/engine/idno.h"

#define MAX_DOCUMENT_BYTES 256
#define MAX_PAPER_BYTES (32 * 1024 * 1024)

/* --- the command line --- */

int lb_ctl_desk_args(struct lb_ctl_desk *desk, const struct lb_ctl_usage *usage,
                     const struct lb_ctl_option *own, size_t num_own, int argc, char **argv)
{
    struct lb_ctl_option options[LB_CTL_MAX_OPTIONS] = {
        {.name = "desk", .value = "PROFILE.yaml", .required = true, .text = &desk->profile_path,
         .en = "this desk's profile", .zh = "本窗口的配置文件"},
    };
    for (size_t i = 0; i < num_own; i++)
        options[i + 1] = own[i];
    struct lb_ctl_usage full = *usage;
    full.options = options;
    full.num_options = num_own + 1;
    return lb_ctl_args(desk->env, &full, argc, argv, NULL);
}

struct lb_ctl_option lb_ctl_desk_requester_option(struct lb_ctl_desk *desk)
{
    return (struct lb_ctl_option){
        .name = "requester", .value = "SPIFFE", .text = &desk->requester,
        .en = "the window that asks; default: the profile's",
        .zh = "提出申请的窗口，默认取自配置文件"};
}

struct lb_ctl_option lb_ctl_desk_form_option(struct lb_ctl_desk *desk)
{
    return (struct lb_ctl_option){
        .name = "form", .value = "FORM", .text = &desk->form,
        .en = "the form's id; default: the profile's, or the only one",
        .zh = "表单编号，默认取自配置文件或唯一的表单"};
}

struct lb_ctl_option lb_ctl_desk_document_option(struct lb_ctl_desk *desk)
{
    return (struct lb_ctl_option){
        .name = "document", .value = "FILE|-", .required = true, .text = &desk->document,
        .en = "the identity number read from the document",
        .zh = "从证件读取的身份号码（文件或标准输入）"};
}

struct lb_ctl_option lb_ctl_desk_paper_option(struct lb_ctl_desk *desk)
{
    return (struct lb_ctl_option){
        .name = "paper", .value = "FILE", .text = &desk->paper,
        .en = "a scan of the signed paper; its hash is recorded, nothing else leaves",
        .zh = "签字材料的扫描件，仅记录其摘要"};
}

struct lb_ctl_option lb_ctl_desk_officer_option(struct lb_ctl_desk *desk)
{
    return (struct lb_ctl_option){
        .name = "officer-token", .value = "FILE", .text = &desk->officer_token,
        .en = "your own token, where the office issues them", .zh = "经办人令牌（本机构签发时需要）"};
}

struct lb_ctl_option lb_ctl_desk_variant_option(struct lb_ctl_desk *desk)
{
    return (struct lb_ctl_option){
        .name = "variant", .value = "VARIANT", .text = &desk->variant,
        .en = "plain (default), large (a page of HTML to print) or aloud (for reading out)",
        .zh = "plain 普通（默认）、large 大字打印版、aloud 朗读稿"};
}

/* --- the steps --- */

lb_status lb_ctl_desk_open(struct lb_ctl_desk *desk)
{
    const struct lb_ctl_remote *remote = desk->env->remote;
    desk->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(desk->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_ctl_desk_profile_load(desk->profile_path, desk->arena, &desk->diag, &desk->profile));
    return remote->open_desk(remote->ctx, &desk->profile, desk->env->clock, &desk->diag,
                             &desk->port);
}

lb_status lb_ctl_desk_open_adapter(struct lb_ctl_desk *desk)
{
    LB_TRY(lb_ctl_desk_open(desk));
    if (desk->profile.adapter == NULL)
        lb_diag_set(&desk->diag, "%s names no adapter; say `adapter:` in an officer's profile",
                    desk->profile_path);
    LB_ENSURE(desk->profile.adapter != NULL, LB_CONFIG_INVALID, "not an officer's profile");
    return LB_OK;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static lb_status read_trimmed(struct lb_ctl_desk *desk, const char *path, size_t max_bytes,
                              struct lb_span *out)
{
    struct lb_span text = LB_SPAN_EMPTY;
    LB_TRY(lb_ctl_read(desk->env, path, max_bytes, desk->arena, &desk->diag, &text));
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    *out = text;
    return LB_OK;
}

static lb_status read_number(struct lb_ctl_desk *desk, const char *path, char out[19])
{
    struct lb_span text = LB_SPAN_EMPTY;
    LB_TRY(read_trimmed(desk, path, MAX_DOCUMENT_BYTES, &text));
    lb_status status = lb_idno_normalise(text, out);
    if (status != LB_OK)
        lb_diag_set(&desk->diag, "the document's file must hold one identity number of 18"
                                 " characters and nothing else; read the document again");
    return status;
}

lb_status lb_ctl_desk_read_document(struct lb_ctl_desk *desk)
{
    return read_number(desk, desk->document, desk->id_no);
}

static lb_status read_paper(struct lb_ctl_desk *desk)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(MAX_PAPER_BYTES + 4096);
    struct lb_span paper;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_ctl_read(desk->env, desk->paper, MAX_PAPER_BYTES, arena, &desk->diag, &paper));
    lb_sha256(paper, desk->paper_sha256);
    desk->has_paper = true;
    return LB_OK;
}

static lb_status read_token(struct lb_ctl_desk *desk)
{
    struct lb_span token = LB_SPAN_EMPTY;
    LB_TRY(read_trimmed(desk, desk->officer_token, LB_MAX_TOKEN_BYTES, &token));
    LB_ENSURE(token.len > 0 && lb_utf8_valid(token) && memchr(token.ptr, 0, token.len) == NULL,
              LB_OPERATOR_TOKEN_INVALID, "no token is in the file");
    desk->officer = lb_arena_str(desk->arena, token);
    LB_ENSURE(desk->officer != NULL, LB_NO_MEMORY, "memory is exhausted");
    return LB_OK;
}

lb_status lb_ctl_desk_read_more(struct lb_ctl_desk *desk)
{
    desk->officer = "";
    if (desk->also_document != NULL)
        LB_TRY(read_number(desk, desk->also_document, desk->also_id_no));
    if (desk->paper != NULL)
        LB_TRY(read_paper(desk));
    return desk->officer_token == NULL ? LB_OK : read_token(desk);
}

static void close_desk(struct lb_ctl_desk *desk)
{
    if (desk->port.close != NULL)
        desk->port.close(desk->port.ctx);
    lb_wipe(desk->id_no, sizeof(desk->id_no));
    lb_wipe(desk->also_id_no, sizeof(desk->also_id_no));
    lb_arena_free(desk->arena);
}

int lb_ctl_desk_finish(struct lb_ctl_desk *desk, lb_status status)
{
    int exit_code = LB_CTL_OK;
    if (status != LB_OK)
        exit_code = lb_ctl_fail(desk->env, desk->command, status, &desk->diag);
    close_desk(desk);
    return exit_code;
}
