#include "gateway/base/diag.h"

#include <stdarg.h>
#include <stdio.h>

void lb_diag_set(struct lb_diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(diag->text, sizeof(diag->text), format, args);
    va_end(args);
}
