#ifndef CERTS_OPERATOR_TOOLS_H
#define CERTS_OPERATOR_TOOLS_H

#include "certs/tool.h"
#include "gateway/register/register.h"
#include "gateway/trust/issuer_keys.h"

/* Inside certs: the commands behind lb_operator_command. */
extern const struct lb_tool_set lb_operator_tools;

/* What a window's own configuration says about its operators. */
struct lb_operator_window {
    const char *organization;
    const char *folder;              /* of the register */
    const char *person_key;          /* file with 64 hex digits */
    struct lb_issuer_files issuer;
};

/* lb_operator_window_read reads the window agent's configuration file. CONFIG_INVALID with file and
 * line; FILE_FAILED. */
LB_MUST lb_status lb_operator_window_read(struct lb_tool *tool, const char *path,
                                          struct lb_operator_window *out);

/* lb_operator_person reads one identity number from a file, from standard input ("-"), or, with
 * source NULL, at the terminal without showing it, and gives its keyed hash. No message repeats
 * it. */
LB_MUST lb_status lb_operator_person(struct lb_tool *tool, const struct lb_operator_window *window,
                                     const char *source,
                                     char out[LB_REGISTER_HASH_CHARS + 1]);
/* lb_operator_relatives reads numbers, one a line, from a file; the hashes are in the arena. */
LB_MUST lb_status lb_operator_relatives(struct lb_tool *tool,
                                        const struct lb_operator_window *window, const char *path,
                                        const char *const **out_hashes, size_t *out_num);
/* lb_operator_device reads a device's public key: the public form of `lianban keys device`. */
LB_MUST lb_status lb_operator_device(struct lb_tool *tool, const char *path,
                                     uint8_t out[LB_P256_PUBLIC_BYTES]);

#endif
