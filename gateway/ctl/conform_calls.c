#include "gateway/ctl/conform.h"

#include <string.h>

#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* Methods, who may call them, and messages that are none. */

static lb_status garbage_of(struct lb_ctl_kit *kit, uint8_t byte, size_t len,
                            const char **out_found)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    uint8_t *noise = lb_arena_alloc(kit->check_arena, len);
    LB_ENSURE(noise != NULL, LB_NO_MEMORY, "arena is full");
    memset(noise, byte, len);
    lb_status status = kit->port.call(kit->port.ctx, LB_CTL_KIT_BROKER, "/lianban.v1.Adapter/Read",
                                      lb_span_of(noise, len), kit->check_arena, &reply);
    *out_found = lb_code_name(lb_status_code(status));
    return LB_OK;
}

static lb_status describe(struct lb_ctl_kit *kit, const char **out_found)
{
    const Lianban__V1__DescribeRequest request = LIANBAN__V1__DESCRIBE_REQUEST__INIT;
    Lianban__V1__DescribeResponse *reply = NULL;
    struct lb_span bytes = LB_SPAN_EMPTY;
    *out_found = lb_ctl_kit_call(kit, LB_CTL_KIT_WINDOW, "/lianban.v1.Adapter/Describe", &request,
                                 &bytes);
    if (strcmp(*out_found, "OK") != 0)
        return LB_OK;
    LB_TRY(lb_pb_unpack(&lianban__v1__describe_response__descriptor, bytes, kit->check_arena,
                        &reply));
    bool own = strcmp(reply->adapter, kit->adapter) == 0, there = false;
    for (size_t i = 0; i < reply->n_views; i++)
        there |= strcmp(reply->views[i]->view, kit->view) == 0;
    *out_found = own && there ? "OK" : "another adapter, or without the kit's view";
    return LB_OK;
}

static lb_status garbage(struct lb_ctl_kit *kit, const char **out_found)
{
    return garbage_of(kit, 0xff, 64, out_found);
}

static lb_status groups(struct lb_ctl_kit *kit, const char **out_found)
{
    return garbage_of(kit, 0x5b, 100000, out_found);
}

/* --- the route beside a read --- */

enum route { ROUTE_HONEST, ROUTE_MISSING, ROUTE_OF_OTHER, ROUTE_FORGED, ROUTE_UNSIGNED };

static void spoil_route(Lianban__V1__RoutedReadRequest *request, enum route how)
{
    if (how == ROUTE_MISSING)
        request->read->route = NULL;
    if (how == ROUTE_OF_OTHER)
        request->read->request->txn.data[0] ^= 1;
    if (how == ROUTE_FORGED)
        request->read->route->leaf.data[1] ^= 1;
    if (how == ROUTE_UNSIGNED) { /* one letter of the signature is another */
        uint8_t *letter = &request->log->checkpoint.data[request->log->checkpoint.len - 20];
        *letter = *letter == 'A' ? 'B' : 'A';
    }
}

static lb_status send_route(struct lb_ctl_kit *kit, enum lb_ctl_kit_member as, enum route how,
                            const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    struct lb_ctl_kit_read read;
    Lianban__V1__RoutedReadRequest *request = NULL;
    struct lb_span reply = LB_SPAN_EMPTY;
    struct lb_hash route;
    LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
    LB_TRY(lb_ctl_kit_build(kit, &ask, &read));
    LB_TRY(lb_ctl_kit_route(kit, &read, &request, &route));
    spoil_route(request, how);
    *out_found = lb_ctl_kit_call(kit, as, "/lianban.v1.Adapter/Read", request, &reply);
    return LB_OK;
}

static lb_status window_reads(struct lb_ctl_kit *kit, const char **out_found)
{
    return send_route(kit, LB_CTL_KIT_WINDOW, ROUTE_HONEST, out_found);
}

static lb_status no_route(struct lb_ctl_kit *kit, const char **out_found)
{
    return send_route(kit, LB_CTL_KIT_BROKER, ROUTE_MISSING, out_found);
}

static lb_status other_route(struct lb_ctl_kit *kit, const char **out_found)
{
    return send_route(kit, LB_CTL_KIT_BROKER, ROUTE_OF_OTHER, out_found);
}

static lb_status forged_route(struct lb_ctl_kit *kit, const char **out_found)
{
    return send_route(kit, LB_CTL_KIT_BROKER, ROUTE_FORGED, out_found);
}

static lb_status unsigned_route(struct lb_ctl_kit *kit, const char **out_found)
{
    return send_route(kit, LB_CTL_KIT_BROKER, ROUTE_UNSIGNED, out_found);
}

/* --- sizes --- */

/* Put in after the seal was made: the sealing itself takes no larger one. */
static lb_status of_size(struct lb_ctl_kit *kit, size_t grant_bytes, const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    struct lb_ctl_kit_read read;
    struct lb_ctl_kit_answer answer;
    char *long_grant = lb_arena_alloc(kit->check_arena, grant_bytes + 1);
    LB_ENSURE(long_grant != NULL, LB_NO_MEMORY, "arena is full");
    memset(long_grant, 'A', grant_bytes);
    long_grant[grant_bytes] = 0;
    LB_TRY(lb_ctl_kit_ask_mandate(kit, &ask));
    LB_TRY(lb_ctl_kit_build(kit, &ask, &read));
    read.request->grant = long_grant;
    LB_TRY(lb_ctl_kit_send(kit, &read, &answer));
    *out_found = answer.outer;
    return LB_OK;
}

static lb_status largest_grant(struct lb_ctl_kit *kit, const char **out_found)
{
    return of_size(kit, LB_MAX_GRANT_BYTES, out_found);
}

static lb_status too_large_grant(struct lb_ctl_kit *kit, const char **out_found)
{
    return of_size(kit, LB_MAX_GRANT_BYTES + 1, out_found);
}

const struct lb_ctl_check lb_ctl_checks_calls[] = {
    {"call.describe", "what the adapter offers", "接入端提供的内容", "OK", .run = describe},
    {"call.garbage", "garbage for a read", "以乱码充当查询", "MALFORMED", .run = garbage},
    {"call.groups", "100,000 nested groups", "十万层嵌套", "MALFORMED", .run = groups},
    {"call.nothing", "an empty message", "空报文", "MALFORMED",
     .method = "/lianban.v1.Adapter/Read", .as_broker = true},
    {"call.no-method", "a method that does not exist", "不存在的方法", "NO_METHOD",
     .method = "/lianban.v1.Adapter/Destroy", .as_broker = true},
    {"call.largest-grant", "a grant as large as may be, which is none", "大小恰在上限的无效授权",
     "GRANT_MALFORMED", .run = largest_grant},
    {"call.too-large-grant", "a grant one byte larger", "超出上限一字节的授权", "TOO_LARGE",
     .run = too_large_grant},
    {"call.window-reads", "a window that reads without a broker", "窗口绕过中转方查询",
     "ROLE_NOT_ALLOWED", .run = window_reads},
    {"call.broker-stops", "a broker that ends a grant", "中转方停用授权", "ROLE_NOT_ALLOWED",
     .method = "/lianban.v1.Adapter/StopGrant", .as_broker = true},
    {"call.window-stops", "a window that ends a grant", "窗口停用授权", "ROLE_NOT_ALLOWED",
     .method = "/lianban.v1.Adapter/StopGrant"},
    {"call.broker-erases", "a broker that erases a person", "中转方删除个人记录",
     "ROLE_NOT_ALLOWED", .method = "/lianban.v1.Adapter/EraseSubject", .as_broker = true},
    {"call.window-erases", "a window that erases a person", "窗口删除个人记录",
     "ROLE_NOT_ALLOWED", .method = "/lianban.v1.Adapter/EraseSubject"},
    {"call.window-entries", "a window that reads the log's entries", "窗口读取存证条目",
     "ROLE_NOT_ALLOWED", .method = "/lianban.v1.Evidence/GetEntries"},
    {"call.window-digests", "a window that compares logs", "窗口比对存证", "ROLE_NOT_ALLOWED",
     .method = "/lianban.v1.Evidence/GetDigests"},
    {"call.window-digest-entries", "a window that reads another's part of the log",
     "窗口读取比对条目", "ROLE_NOT_ALLOWED", .method = "/lianban.v1.Evidence/GetDigestEntries"},
    {"call.window-reviews", "a window that reviews accesses", "窗口充当安全员", "ROLE_NOT_ALLOWED",
     .method = "/lianban.v1.Evidence/RecordReview"},
    {"call.broker-reviews", "a broker that reviews accesses", "中转方充当安全员",
     "ROLE_NOT_ALLOWED", .method = "/lianban.v1.Evidence/RecordReview", .as_broker = true},
    {"route.missing", "a read without the broker's entry", "缺少中转方存证的查询", "MALFORMED",
     .run = no_route},
    {"route.other", "the broker's entry of another read", "另一查询的中转存证", "RECEIPT_INVALID",
     .run = other_route},
    {"route.forged", "an entry that is not in the broker's log", "不在中转方日志中的存证",
     "RECEIPT_INVALID", .run = forged_route},
    {"route.unsigned", "a broker's log with a broken signature", "签名无效的中转方日志",
     "SIGNATURE_INVALID", .run = unsigned_route},
    {.id = NULL},
};
