#include <stdio.h>
#include <string.h>

#include "gateway/ctl/fake.h"
#include "gateway/wire/pb.h"

/* The agent's methods that officers use: what was asked is kept, and answered as the test says. */

lb_status test_ask_agent(void *ctx, const char *method, const void *request,
                         const ProtobufCMessageDescriptor *reply_kind, struct lb_arena *arena,
                         void *out)
{
    struct test_cli *cli = ctx;
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_span packed, reply = lb_span_of(cli->agent_reply, cli->agent_reply_len);
    assert_non_null(scratch);
    (void)snprintf(cli->agent_method, sizeof(cli->agent_method), "%s", method);
    assert_ok(lb_pb_pack(request, scratch, &packed));
    assert_true(packed.len <= sizeof(cli->agent_request));
    memcpy(cli->agent_request, packed.ptr, packed.len);
    cli->agent_request_len = packed.len;
    LB_TRY(lb_status_of(cli->agent_code));
    return lb_pb_unpack(reply_kind, reply, arena, out);
}

void test_agent_says(struct test_cli *cli, const void *reply)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_span packed;
    assert_non_null(scratch);
    assert_ok(lb_pb_pack(reply, scratch, &packed));
    assert_true(packed.len <= sizeof(cli->agent_reply));
    memcpy(cli->agent_reply, packed.ptr, packed.len);
    cli->agent_reply_len = packed.len;
}
