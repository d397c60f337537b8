#include "gateway/ctl/desk.h"

#include "gateway/base/wipe.h"
#include "gateway/ctl/say.h"
#include "policy/engine/idno.h"

#define MAX_DOCUMENT_BYTES 256

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

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

lb_status lb_ctl_desk_read_document(struct lb_ctl_desk *desk)
{
    struct lb_span text = LB_SPAN_EMPTY;
    LB_TRY(lb_ctl_read(desk->env, desk->document, MAX_DOCUMENT_BYTES, desk->arena, &desk->diag,
                       &text));
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    lb_status status = lb_idno_normalise(text, desk->id_no);
    if (status != LB_OK)
        lb_diag_set(&desk->diag, "the document's file must hold one identity number of 18"
                                 " characters and nothing else; read the document again");
    return status;
}

static void close_desk(struct lb_ctl_desk *desk)
{
    if (desk->port.close != NULL)
        desk->port.close(desk->port.ctx);
    lb_wipe(desk->id_no, sizeof(desk->id_no));
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
