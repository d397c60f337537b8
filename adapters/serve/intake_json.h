#ifndef ADAPTERS_SERVE_INTAKE_JSON_H
#define ADAPTERS_SERVE_INTAKE_JSON_H

#include "adapters/serve/intake_rows.h"
#include "adapters/serve/intake_words.h"
#include "gateway/json/json.h"

/* A part in JSON, as the department's clerks and programs read it (docs/INTAKE.md). */

/* lb_intake_kind_name is a part's kind for people and programs: "submission" ... */
const char *lb_intake_kind_name(Lianban__V1__Part__Kind kind);

/* lb_intake_json makes the object; the caller frees it. */
struct lb_json *lb_intake_json(const struct lb_intake_row *row,
                               const Lianban__V1__SealedParcel *parcel);
/* lb_intake_json_word makes that of a word; NULL stands for one whose content was emptied. */
struct lb_json *lb_intake_json_word(const struct lb_intake_word *row,
                                    const Lianban__V1__Word *word);

#endif
