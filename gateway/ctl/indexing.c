#include "gateway/ctl/indexing.h"

#include "gateway/base/wipe.h"
#include "gateway/evidence/inspect.h"

#define INDEX_ARENA_BYTES (2 * LB_MAX_DIRECTORY_BYTES)

void lb_ctl_indexing_options(struct lb_ctl_indexing *indexing,
                             struct lb_ctl_option out[LB_CTL_INDEXING_OPTIONS])
{
    out[0] = (struct lb_ctl_option){
        .name = "log", .value = "DIR", .required = true, .text = &indexing->log,
        .en = "the log's folder; it is only read", .zh = "存证日志目录（只读）"};
    out[1] = (struct lb_ctl_option){
        .name = "officer-key", .value = "FILE", .required = true, .list = &indexing->key_paths,
        .en = "the officer's private key, to which details are sealed; again for older ones",
        .zh = "安全员私钥；更换过的旧私钥可重复给出"};
    out[2] = (struct lb_ctl_option){
        .name = "index", .value = "DIR", .required = true, .text = &indexing->folder,
        .en = "where the index is, one folder for each log", .zh = "索引目录，每个日志一个"};
    lb_ctl_log_keys_options(&indexing->keys, out + 3);
}

int lb_ctl_indexing_check(const struct lb_ctl_indexing *indexing, const char *command)
{
    int exit_code = lb_ctl_log_keys_check(indexing->env, command, &indexing->keys);
    if (exit_code == LB_CTL_GO && indexing->key_paths.num > LB_CTL_MAX_OFFICER_KEYS)
        return lb_ctl_usage_error(indexing->env, command, "at most %d officer's keys",
                                  LB_CTL_MAX_OFFICER_KEYS);
    return exit_code;
}

static lb_status load_officer(struct lb_ctl_indexing *indexing)
{
    for (size_t i = 0; i < indexing->key_paths.num; i++) {
        const char *path = indexing->key_paths.items[i];
        lb_status status = lb_keys_load_x25519(path, &indexing->officers[i]);
        if (status != LB_OK)
            lb_diag_set(&indexing->diag, "%s: %s; give the security officer's key, readable by"
                                         " you alone", path, status->what);
        LB_TRY(status);
    }
    return LB_OK;
}

static lb_status read_origin(struct lb_ctl_indexing *indexing, const char **out_origin)
{
    struct lb_log_reader *reader = NULL;
    LB_TRY(lb_log_reader_open(indexing->log, &indexing->diag, &reader));
    lb_status status = lb_log_reader_origin(reader, indexing->arena, out_origin);
    if (status != LB_OK)
        lb_diag_set(&indexing->diag, "%s: the log has no checkpoint", indexing->log);
    lb_log_reader_close(reader);
    return status;
}

lb_status lb_ctl_indexing_open(struct lb_ctl_indexing *indexing)
{
    const char *origin = NULL;
    indexing->arena = lb_arena_new(INDEX_ARENA_BYTES);
    LB_ENSURE(indexing->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(load_officer(indexing));
    LB_TRY(lb_ctl_log_keys_open(&indexing->keys, indexing->env, indexing->arena,
                                &indexing->diag));
    LB_TRY(read_origin(indexing, &origin));
    LB_TRY(lb_ctl_log_keys_find(&indexing->keys, origin, &indexing->diag, &indexing->verifier));
    const struct lb_audit_build_options options = {
        .log = indexing->log,
        .folder = indexing->folder,
        .verifier = &indexing->verifier,
        .officer = {indexing->officers, indexing->key_paths.num},
        .clock = indexing->env->clock,
        .rebuild = indexing->rebuild,
        .copy = indexing->copy,
    };
    return lb_audit_build_open(&options, &indexing->diag, &indexing->build);
}

void lb_ctl_indexing_close(struct lb_ctl_indexing *indexing)
{
    lb_audit_build_close(indexing->build);
    lb_note_verifier_cleanup(&indexing->verifier);
    lb_ctl_log_keys_close(&indexing->keys);
    lb_wipe(indexing->officers, sizeof(indexing->officers));
    lb_arena_free(indexing->arena);
}
