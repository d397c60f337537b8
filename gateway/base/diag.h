#ifndef GATEWAY_BASE_DIAG_H
#define GATEWAY_BASE_DIAG_H

/*
 * Where a mistake in a file of ours (configuration, view, form, directory) is, and what to do, for
 * the person who starts the program. Never sent to a peer.
 */
struct lb_diag {
    char text[1024];
};

/* lb_diag_set writes one sentence "file:line: what is wrong; what to do"; longer texts are cut. */
void lb_diag_set(struct lb_diag *diag, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
