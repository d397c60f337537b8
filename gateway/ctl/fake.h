#ifndef GATEWAY_CTL_FAKE_H
#define GATEWAY_CTL_FAKE_H

#include "gateway/ctl/fixture.h"

/* test_fake_remote is a way to an agent and a consent office that live in the fixture. */
struct lb_ctl_remote test_fake_remote(struct test_cli *cli);

#endif
