#ifndef ADAPTERS_SERVE_FIXTURE_ATTACKS_H
#define ADAPTERS_SERVE_FIXTURE_ATTACKS_H

#include "adapters/serve/fixture.h"

/* The attack table: each row spoils one thing of an otherwise honest request and names the code the
 * adapter must answer. Nothing sealed may come back with any of them. */
struct attack {
    const char *what;
    enum lb_code want;
    bool consent;  /* spoil a consent-based ask instead of a mandate */
    void (*spoil)(struct fixture *fx, struct fx_ask *ask);
};

extern const struct attack fx_attacks[];
extern const size_t fx_num_attacks;

#endif
