#ifndef TESTS_FROZEN_PARTS_H
#define TESTS_FROZEN_PARTS_H

#include "tests/frozen/frozen.h"

/* What makes and reads the objects; one file for each kind. */

#define FROZEN_NOW INT64_C(1800000000)
#define FROZEN_REQUESTER "spiffe://test.gov/window/street-office"
#define FROZEN_AUDIENCE "spiffe://test.gov/adapter/tax/1"
#define FROZEN_ORIGIN "test.gov/adapter/tax/1"
#define FROZEN_ID "99010119800101201X"

#define FROZEN_PARTS(X)                                                                            \
    X(leaf)                                                                                        \
    X(checkpoint)                                                                                  \
    X(vkey)                                                                                        \
    X(directory)                                                                                   \
    X(grant)                                                                                       \
    X(section)                                                                                     \
    X(status_list)                                                                                 \
    X(withdrawal)                                                                                  \
    X(operator_token)                                                                              \
    X(sealed_request)                                                                              \
    X(sealed_answer)                                                                               \
    X(read_request)                                                                                \
    X(hello)                                                                                       \
    X(batch)                                                                                       \
    X(answers)                                                                                     \
    X(status_update)                                                                               \
    X(collect_request)                                                                             \
    X(collect_event)                                                                               \
    X(evidence)                                                                                    \
    X(ratchet)

#define FROZEN_DECLARE(name_)                                                                      \
    struct lb_span make_##name_(struct frozen_set *set);                                           \
    void accept_##name_(struct frozen_set *set, struct lb_span bytes);
FROZEN_PARTS(FROZEN_DECLARE)
#undef FROZEN_DECLARE

#endif
