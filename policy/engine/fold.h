#ifndef POLICY_ENGINE_FOLD_H
#define POLICY_ENGINE_FOLD_H

#include <stddef.h>
#include <stdint.h>

/* lb_fold_ideograph returns the plain ideograph that a Kangxi radical or a CJK compatibility
 * ideograph stands for, and any other code point as it is. */
uint32_t lb_fold_ideograph(uint32_t point);

#endif
