#ifndef GATEWAY_TRUST_RECOVERY_FIXTURE_H
#define GATEWAY_TRUST_RECOVERY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/trust/fixture.h"
#include "gateway/trust/recovery.h"

/* For tests of what follows a lost log: the fixture's adapter has lost it, the broker and a consent
 * office have seen it, Li and Wang are the adapter's officers. */
#define ORIGIN "example.gov/adapter/tax/one"
#define NEXT ORIGIN "~r1"
#define LI "spiffe://example.gov/officer/tax/li"
#define WANG "spiffe://example.gov/officer/tax/wang"
#define HEALTH "spiffe://example.gov/officer/health/zhao"
#define CONSENT "spiffe://example.gov/consent/hall"

enum { LOST, NEW, NEWER, BY_LI, BY_WANG, BY_BROKER, BY_CONSENT, NUM_KEYS };

extern struct fixture fx;
extern struct lb_sign_key *keys[NUM_KEYS];  /* keys[LOST] is the fixture's */

int lost_set_up(void **state);
int lost_tear_down(void **state);

/* lost_vkey is a key under a SPIFFE id or a log's name. */
const char *lost_vkey(const char *name, int key);
/* lost_seen makes a line that nobody has signed, with the lost log's own signature of a size and a
 * root that begins with `first`; the other two are signed by who saw it. */
struct lb_seen_line lost_seen(const char *member, const char *origin, int lost, uint64_t size,
                              uint8_t first);
struct lb_seen_line seen_by_broker(uint64_t size, uint8_t first);
struct lb_seen_line seen_by_consent(uint64_t size, uint8_t first);

/* lost_recovery is one that holds, of which 4 entries are kept; lost_text writes it, lost_signed
 * signs a text by one or two (NULL) names and keys, lost_note by both officers. */
struct lb_recovery lost_recovery(const struct lb_seen_line *lines, size_t num);
struct lb_span lost_text(const struct lb_recovery *recovery);
struct lb_span lost_signed(struct lb_span text, const char *first, int first_key,
                           const char *second, int second_key);
struct lb_span lost_note(const struct lb_recovery *recovery);

#endif
