#include "bench/reads.h"

#include <string.h>

#include "bench/ends.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/limits.h"
#include "gateway/json/json.h"
#include "gateway/trust/keys.h"

#define PLAN_ARENA_BYTES (8U * 1024 * 1024)

/* The file being read; whatever is wrong with it ends the program. */
struct reader {
    struct lb_arena *arena;
    const char *path;
};

static void need(const struct reader *reader, lb_status status, const char *what)
{
    if (status != LB_OK)
        lb_bench_die("%s: %s: %s", reader->path, what, status->what);
}

static const char *text(const struct reader *reader, const struct lb_json *json, const char *key)
{
    struct lb_span found = LB_SPAN_EMPTY;
    need(reader, lb_json_get_str(json, key, &found), key);
    const char *copy = lb_arena_str(reader->arena, found);
    if (copy == NULL)
        lb_bench_die("out of memory");
    return copy;
}

static int64_t number(const struct reader *reader, const struct lb_json *json, const char *key)
{
    int64_t found = 0;
    need(reader, lb_json_get_int(json, key, &found), key);
    return found;
}

static const struct lb_json *list(const struct reader *reader, const struct lb_json *json,
                                  const char *key)
{
    const struct lb_json *found = NULL;
    need(reader, lb_json_get_array(json, key, &found), key);
    return found;
}

static void hex(const struct reader *reader, const struct lb_json *json, const char *key,
                uint8_t out[32])
{
    need(reader, lb_hex_decode(lb_span_str(text(reader, json, key)), out, 32), key);
}

static void *array(const struct reader *reader, size_t num, size_t size)
{
    void *made = lb_arena_array(reader->arena, num == 0 ? 1 : num, size);
    if (made == NULL)
        lb_bench_die("out of memory");
    memset(made, 0, num * size);
    return made;
}

static const char **texts(const struct reader *reader, const struct lb_json *from, size_t *out_num)
{
    *out_num = lb_json_len(from);
    const char **made = array(reader, *out_num, sizeof(made[0]));
    for (size_t i = 0; i < *out_num; i++)
        made[i] = lb_arena_str(reader->arena, lb_json_str(lb_json_at(from, i)));
    return made;
}

static struct lb_sign_key *sign_key(const struct reader *reader, const struct lb_json *json,
                                    const char *key, enum lb_sign_alg alg)
{
    struct lb_sign_key *found = NULL;
    need(reader, lb_keys_load_sign(text(reader, json, key), alg, &found), key);
    return found;
}

/* --- the section and what is asked --- */

static void read_views(const struct reader *reader, const struct lb_json *json,
                       struct lb_section *out)
{
    const struct lb_json *from = list(reader, json, "views");
    out->num_views = lb_json_len(from);
    struct lb_section_view *views = array(reader, out->num_views, sizeof(views[0]));
    for (size_t i = 0; i < out->num_views; i++) {
        const struct lb_json *one = lb_json_at(from, i), *asked = list(reader, one, "fields");
        size_t num = lb_json_len(asked);
        struct lb_section_field *fields = array(reader, num, sizeof(fields[0]));
        for (size_t k = 0; k < num; k++) {
            fields[k].name = text(reader, lb_json_at(asked, k), "field");
            fields[k].operator_text = text(reader, lb_json_at(asked, k), "op");
        }
        views[i] = (struct lb_section_view){text(reader, one, "view"),
                                            (uint32_t)number(reader, one, "version"), num, fields};
    }
    out->views = views;
}

static void read_section(const struct reader *reader, const struct lb_json *json,
                         struct lb_bench_plan *out)
{
    struct lb_section *section = &out->section;
    *section = (struct lb_section){
        .provider = text(reader, json, "provider"),
        .audience = out->adapter,
        .form = text(reader, json, "form"),
        .form_version = (uint32_t)number(reader, json, "form_version"),
        .purpose = text(reader, json, "purpose"),
        .case_id = "bench",
        .basis = text(reader, json, "basis"),
        .role = text(reader, json, "role"),
        .operator_hash = out->person,
        .method = text(reader, json, "method"),
        .level = (int)number(reader, json, "level"),
        .answer_bytes = (uint32_t)number(reader, json, "answer_bytes"),
    };
    section->laws = texts(reader, list(reader, json, "law"), &section->num_laws);
    hex(reader, json, "form_sha256", section->form_sha256);
    hex(reader, json, "notice", section->notice_sha256);
    read_views(reader, json, section);
}

static void read_wants(const struct reader *reader, const struct lb_json *from,
                       struct lb_bench_plan *out)
{
    out->num_wants = lb_json_len(from);
    if (out->num_wants == 0 || out->num_wants > LB_BENCH_MAX_WANTS)
        lb_bench_die("%s: from 1 to %d wants", reader->path, LB_BENCH_MAX_WANTS);
    Lianban__V1__Want *wants = array(reader, out->num_wants, sizeof(wants[0]));
    for (size_t i = 0; i < out->num_wants; i++) {
        const struct lb_json *one = lb_json_at(from, i);
        lianban__v1__want__init(&wants[i]);
        wants[i].view = (char *)(uintptr_t)text(reader, one, "view");
        wants[i].field = (char *)(uintptr_t)text(reader, one, "field");
        wants[i].operator_ = (char *)(uintptr_t)text(reader, one, "operator");
        wants[i].args = (char **)(uintptr_t)texts(reader, list(reader, one, "args"),
                                                  &wants[i].n_args);
        out->wants[i] = &wants[i];
    }
}

/* --- the whole --- */

static void read_keys(const struct reader *reader, const struct lb_json *json,
                      struct lb_bench_plan *out)
{
    need(reader, lb_keys_load_x25519(text(reader, json, "sender_key"), &out->sender), "sender_key");
    out->issuer_key = sign_key(reader, json, "issuer_key", LB_SIGN_ES256);
    out->operator_key = sign_key(reader, json, "operator_key", LB_SIGN_ES256);
    out->broker_key = sign_key(reader, json, "broker_key", LB_SIGN_ED25519);
    hex(reader, json, "seal_public", out->seal_public);
    hex(reader, json, "adapter_log_key", out->adapter_log_key);
}

void lb_bench_plan_read(const char *path, const char *people, struct lb_bench_plan *out)
{
    struct reader reader = {lb_arena_new(PLAN_ARENA_BYTES), path};
    struct lb_json *json = NULL;
    const struct lb_json *section = NULL;
    struct lb_span content = LB_SPAN_EMPTY;
    if (reader.arena == NULL)
        lb_bench_die("out of memory");
    need(&reader, lb_file_read(path, LB_MAX_CONFIG_FILE_BYTES, reader.arena, &content), "plan");
    need(&reader, lb_json_parse(content, &json), "plan");
    *out = (struct lb_bench_plan){
        .requester = text(&reader, json, "requester"),
        .requester_org = text(&reader, json, "requester_org"),
        .broker = text(&reader, json, "broker"),
        .adapter = text(&reader, json, "adapter"),
        .seal_id = text(&reader, json, "seal_id"),
        .broker_state = text(&reader, json, "broker_state"),
        .issuer = text(&reader, json, "issuer"),
        .kid = text(&reader, json, "kid"),
        .status_uri = text(&reader, json, "status_uri"),
        .operator_kid = text(&reader, json, "operator_kid"),
        .unit = text(&reader, json, "unit"),
        .person = text(&reader, json, "person"),
    };
    need(&reader, lb_json_get_object(json, "section", &section), "section");
    read_keys(&reader, json, out);
    read_section(&reader, section, out);
    read_wants(&reader, list(&reader, json, "wants"), out);
    need(&reader, lb_bench_people_read(people, reader.arena, &out->people), "people");
    lb_json_free(json);
}
