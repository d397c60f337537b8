#ifndef GATEWAY_CTL_FAKE_H
#define GATEWAY_CTL_FAKE_H

#include "gateway/ctl/fixture.h"

/* test_fake_remote is a way to an agent and a consent office that live in the fixture. */
struct lb_ctl_remote test_fake_remote(struct test_cli *cli);
/* test_fake_result fills in a case's result (fake_result.c). */
void test_fake_result(const struct test_cli *cli, Lianban__V1__CaseResult *result);
/* The part of it that asks members about their logs (fake_evidence.c). */
lb_status test_fake_evidence(void *ctx, const struct lb_ctl_desk_profile *profile,
                             const struct lb_clock *clock, struct lb_diag *diag,
                             struct lb_ctl_evidence_port *out);
/* The agent's methods that officers use (fake_casework.c). */
lb_status test_ask_agent(void *ctx, const char *method, const void *request,
                         const ProtobufCMessageDescriptor *reply_kind, struct lb_arena *arena,
                         void *out);
/* A consent office's further methods (fake_office.c) and a department's intake (fake_intake.c):
 * false when the method is none of theirs. */
bool test_fake_office(struct test_cli *cli, const char *method, const void *request,
                      struct lb_arena *arena, void *out);
bool test_fake_intake(struct test_cli *cli, const char *method, const void *request,
                      struct lb_arena *arena, void *out);

#endif
