#ifndef GATEWAY_BASE_HTML_H
#define GATEWAY_BASE_HTML_H

#include <stdint.h>

/* lb_html_entity is what stands for a character that HTML reads as its own, in elements and in
 * attributes within double quotes ("&lt;" for '<'); NULL for any other. */
const char *lb_html_entity(uint32_t point);

#endif
