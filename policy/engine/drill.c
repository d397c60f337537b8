#include "policy/engine/drill.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/config/yaml.h"
#include "gateway/crypto/hash.h"
#include "policy/engine/words.h"

#define MAX_TEXT_BYTES 4096
/* So that a mistyped start does not wait for years. */
#define LAST_START_S INT64_C(4102444800) /* 2100 */

const struct lb_drill_kind *lb_drill_kind(enum lb_drill_fault fault)
{
    static const struct lb_drill_kind kinds[LB_DRILL_NUM_FAULTS] = {
        [LB_DRILL_SOURCE_AWAY] = {"source-away", "DRILL_SOURCE_AWAY", LB_SOURCE_UNAVAILABLE, false,
                                  "数据库无法连接", "the database can't be reached",
                                  "本单位数据库管理员", "your own database administrators"},
        [LB_DRILL_SOURCE_SLOW] = {"source-slow", "DRILL_SOURCE_SLOW", LB_SOURCE_TIMEOUT, false,
                                  "数据库未在时限内答复", "the database does not answer in time",
                                  "本单位数据库管理员", "your own database administrators"},
        [LB_DRILL_GRANT_REVOKED] = {"grant-revoked", "DRILL_GRANT_REVOKED", LB_GRANT_REVOKED, false,
                                    "授权已被撤回", "the grant is withdrawn", "同意服务机构",
                                    "the consent office"},
        [LB_DRILL_CERTIFICATE_EXPIRED] = {"certificate-expired", "DRILL_CERTIFICATE_EXPIRED",
                                          LB_PEER_EXPIRED, false, "请求方证书已过期",
                                          "the asker's certificate has expired",
                                          "对方的证书签发机构",
                                          "whoever issues the asker's certificate"},
        [LB_DRILL_DISK_FULL] = {"disk-full", "DRILL_DISK_FULL", LB_LOG_FULL, false,
                                "存证磁盘已到停止线", "the disk of the evidence is at its stop mark",
                                "本单位系统运维", "your own operations"},
        [LB_DRILL_WITNESS_AWAY] = {"witness-away", "DRILL_WITNESS_AWAY", LB_LOG_UNWITNESSED, false,
                                   "存证日志长时间未获见证", "no witness has vouched for the log",
                                   "各见证方运维", "the witnesses' operations"},
        [LB_DRILL_BROKER_AWAY] = {"broker-away", "DRILL_BROKER_AWAY", LB_UNAVAILABLE, true,
                                  "转发节点不转送", "the broker passes nothing on", "联盟运行方",
                                  "the federation's operator"},
    };
    return &kinds[fault];
}

/* --- reading --- */

static lb_status read_fault(const struct lb_yaml_node *item, struct lb_diag *diag,
                            enum lb_drill_fault *out)
{
    const char *name = NULL;
    LB_TRY(lb_yaml_need_text(item, "fault", diag, &name));
    for (unsigned i = 0; i < LB_DRILL_NUM_FAULTS; i++) {
        if (strcmp(lb_drill_kind((enum lb_drill_fault)i)->name, name) == 0) {
            *out = (enum lb_drill_fault)i;
            return LB_OK;
        }
    }
    return lb_yaml_fail(item, diag, "`fault` is source-away, source-slow, grant-revoked, "
                                    "certificate-expired, disk-full, witness-away or broker-away");
}

static lb_status read_step(const struct lb_yaml_node *item, struct lb_diag *diag,
                           struct lb_drill *drill)
{
    static const char *const keys[] = {"fault", "after_s", "for_s", NULL};
    struct lb_drill_step step = {.for_s = 0};
    LB_TRY(lb_yaml_only(item, keys, diag));
    LB_TRY(read_fault(item, diag, &step.fault));
    LB_TRY(lb_yaml_need_int(item, "after_s", 0, LB_DRILL_MAX_S - 1, diag, &step.after_s));
    LB_TRY(lb_yaml_need_int(item, "for_s", 1, LB_DRILL_MAX_S, diag, &step.for_s));
    if (step.after_s + step.for_s > LB_DRILL_MAX_S)
        return lb_yaml_fail(item, diag, "a drill is over within a day; shorten this step");
    for (size_t i = 0; i < drill->num_steps; i++) {
        if (drill->steps[i].fault == step.fault)
            return lb_yaml_fail(item, diag, "each fault stands in a drill once; make another");
    }
    drill->steps[drill->num_steps++] = step;
    return LB_OK;
}

static lb_status read_word(const struct lb_yaml_node *root, const char *key,
                           enum lb_word_shape shape, struct lb_diag *diag,
                           char out[LB_MAX_NAME_BYTES + 1])
{
    const char *word = NULL;
    LB_TRY(lb_word_need(root, key, shape, diag, &word));
    if (strlen(word) > LB_MAX_NAME_BYTES)
        return lb_yaml_fail(root, diag, "`%s` has at most %d bytes", key, LB_MAX_NAME_BYTES);
    (void)snprintf(out, LB_MAX_NAME_BYTES + 1, "%s", word);
    return LB_OK;
}

static lb_status read_drill(const struct lb_yaml_node *root, bool running, struct lb_diag *diag,
                            struct lb_drill *out)
{
    static const char *const plan_keys[] = {"drill", "steps", NULL};
    static const char *const running_keys[] = {"drill", "steps", "by", "start", NULL};
    const struct lb_yaml_node *steps = NULL;
    LB_TRY(lb_yaml_only(root, running ? running_keys : plan_keys, diag));
    LB_TRY(read_word(root, "drill", LB_WORD_ORG, diag, out->name));
    if (running) {
        LB_TRY(read_word(root, "by", LB_WORD_TEXT, diag, out->by));
        LB_TRY(lb_yaml_need_int(root, "start", 1, LAST_START_S, diag, &out->start_unix_s));
    }
    LB_TRY(lb_yaml_need(root, "steps", diag, &steps));
    if (lb_yaml_kind_of(steps) != LB_YAML_LIST || lb_yaml_len(steps) == 0 ||
        lb_yaml_len(steps) > LB_DRILL_NUM_FAULTS)
        return lb_yaml_fail(steps, diag, "`steps` is a list of 1 to %d faults",
                            (int)LB_DRILL_NUM_FAULTS);
    for (size_t i = 0; i < lb_yaml_len(steps); i++)
        LB_TRY(read_step(lb_yaml_item(steps, i), diag, out));
    return LB_OK;
}

lb_status lb_drill_load(const char *path, bool running, struct lb_diag *diag, struct lb_drill *out)
{
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    struct lb_drill drill = {.num_steps = 0};
    LB_TRY(lb_yaml_load_file(path, diag, &yaml));
    LB_TRY(read_drill(lb_yaml_root(yaml), running, diag, &drill));
    lb_sha256(lb_yaml_bytes(yaml), drill.sha256);
    *out = drill;
    return LB_OK;
}

/* --- writing --- */

lb_status lb_drill_text(const struct lb_drill *drill, struct lb_arena *arena, const char **out)
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) text;
    lb_buf_init(&text, MAX_TEXT_BYTES);
    lb_buf_printf(&text, "drill: %s\nby: \"", drill->name);
    for (const char *at = drill->by; *at != 0; at++) {
        if (*at == '"' || *at == '\\')
            lb_buf_put_u8(&text, '\\');
        lb_buf_put_u8(&text, (uint8_t)*at);
    }
    lb_buf_printf(&text, "\"\nstart: %lld\nsteps:\n", (long long)drill->start_unix_s);
    for (size_t i = 0; i < drill->num_steps; i++) {
        const struct lb_drill_step *step = &drill->steps[i];
        lb_buf_printf(&text, "  - {fault: %s, after_s: %lld, for_s: %lld}\n",
                      lb_drill_kind(step->fault)->name, (long long)step->after_s,
                      (long long)step->for_s);
    }
    LB_TRY(lb_buf_check(&text));
    *out = lb_arena_str(arena, lb_buf_span(&text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* --- time --- */

int64_t lb_drill_end_s(const struct lb_drill *drill)
{
    int64_t end = drill->start_unix_s;
    for (size_t i = 0; i < drill->num_steps; i++) {
        const struct lb_drill_step *step = &drill->steps[i];
        int64_t over = drill->start_unix_s + step->after_s + step->for_s;
        end = over > end ? over : end;
    }
    return end;
}

const struct lb_drill_step *lb_drill_active(const struct lb_drill *drill, enum lb_drill_fault fault,
                                            int64_t unix_s)
{
    for (size_t i = 0; i < drill->num_steps; i++) {
        const struct lb_drill_step *step = &drill->steps[i];
        int64_t begin = drill->start_unix_s + step->after_s;
        if (step->fault == fault && unix_s >= begin && unix_s < begin + step->for_s)
            return step;
    }
    return NULL;
}
