#include "tests/fuzz/targets.h"

/* One target as libFuzzer calls it; BUILD names the target. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)FUZZ_ENTRY(lb_span_of(data, size));
    return 0;
}
