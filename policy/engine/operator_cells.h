#ifndef POLICY_ENGINE_OPERATOR_CELLS_H
#define POLICY_ENGINE_OPERATOR_CELLS_H

#include "policy/engine/operator.h"

/* Reading cells by the type of their field. A NULL cell, one of another kind, or one whose text
 * does not have the type's form is unreadable, which makes a fact unknown, never false or zero. */

/* lb_cell_at borrows the cell of the input's column in a row. */
const struct lb_cell *lb_cell_at(const struct lb_op_input *input, size_t row);

/* lb_cell_number reads an integer cell. */
bool lb_cell_number(const struct lb_cell *cell, int64_t *out);

/* lb_cell_text reads a text cell of the type; not empty, at most LB_MAX_VALUE_BYTES. Codes stay
 * text: a database that made an integer of "01" has lost what the code was. */
bool lb_cell_text(const struct lb_cell *cell, enum lb_field_type type, struct lb_span *out);

/* lb_cell_digest hashes a text in its type's canonical form (names and identity numbers
 * normalised), so that texts of any length compare in constant time. *out_readable is false when
 * the text does not have the type's form. NO_MEMORY. */
LB_MUST lb_status lb_cell_digest(struct lb_span text, enum lb_field_type type,
                                 struct lb_arena *arena, bool *out_readable, uint8_t out[32]);

#endif
