#include "tests/crash/points.h"

/* Where an adapter dies over what it is handed and what it says. The functions take only pointers
 * and numbers here, so that nothing of the adapter's inside is seen. */

struct lb_intake;
struct lb_intake_receipt;
struct lb_intake_routed;
struct lb_intake_row;
struct lb_intake_rows;
struct lb_intake_word;
struct lb_intake_words;
struct lb_link_word;
struct lb_adapter_link;

lb_status __real_lb_intake_rows_add(struct lb_intake_rows *rows, struct lb_store *store,
                                    struct lb_intake_row *row, const uint8_t (*people)[32],
                                    size_t num_people);
lb_status __wrap_lb_intake_rows_add(struct lb_intake_rows *rows, struct lb_store *store,
                                    struct lb_intake_row *row, const uint8_t (*people)[32],
                                    size_t num_people);
void __real_lb_intake_take(struct lb_intake *intake, const struct lb_intake_routed *routed,
                           size_t num, struct lb_intake_receipt *out);
void __wrap_lb_intake_take(struct lb_intake *intake, const struct lb_intake_routed *routed,
                           size_t num, struct lb_intake_receipt *out);
lb_status __real_lb_intake_words_add(struct lb_intake_words *words, struct lb_store *store,
                                     const struct lb_intake_word *word);
lb_status __wrap_lb_intake_words_add(struct lb_intake_words *words, struct lb_store *store,
                                     const struct lb_intake_word *word);
lb_status __real_lb_intake_words_seal(struct lb_intake_words *words, struct lb_store *store,
                                      const struct lb_intake_word *word, int64_t now_unix_s);
lb_status __wrap_lb_intake_words_seal(struct lb_intake_words *words, struct lb_store *store,
                                      const struct lb_intake_word *word, int64_t now_unix_s);
lb_status __real_lb_intake_words_end(struct lb_intake_words *words, struct lb_store *store,
                                     int64_t id, const char *code, int64_t now_unix_s);
lb_status __wrap_lb_intake_words_end(struct lb_intake_words *words, struct lb_store *store,
                                     int64_t id, const char *code, int64_t now_unix_s);
bool __real_lb_link_send_word(struct lb_adapter_link *link, const struct lb_link_word *word);
bool __wrap_lb_link_send_word(struct lb_adapter_link *link, const struct lb_link_word *word);

lb_status __wrap_lb_intake_rows_add(struct lb_intake_rows *rows, struct lb_store *store,
                                    struct lb_intake_row *row, const uint8_t (*people)[32],
                                    size_t num_people)
{
    lb_status status = __real_lb_intake_rows_add(rows, store, row, people, num_people);
    crash_pass("part-stored");
    return status;
}

void __wrap_lb_intake_take(struct lb_intake *intake, const struct lb_intake_routed *routed,
                           size_t num, struct lb_intake_receipt *out)
{
    crash_pass("parts-came");
    __real_lb_intake_take(intake, routed, num, out);
    crash_pass("parts-taken");
}

lb_status __wrap_lb_intake_words_add(struct lb_intake_words *words, struct lb_store *store,
                                     const struct lb_intake_word *word)
{
    lb_status status = __real_lb_intake_words_add(words, store, word);
    crash_pass("word-said");
    return status;
}

lb_status __wrap_lb_intake_words_seal(struct lb_intake_words *words, struct lb_store *store,
                                      const struct lb_intake_word *word, int64_t now_unix_s)
{
    lb_status status = __real_lb_intake_words_seal(words, store, word, now_unix_s);
    crash_pass("word-sealed");
    return status;
}

lb_status __wrap_lb_intake_words_end(struct lb_intake_words *words, struct lb_store *store,
                                     int64_t id, const char *code, int64_t now_unix_s)
{
    lb_status status = __real_lb_intake_words_end(words, store, id, code, now_unix_s);
    crash_pass("word-ended");
    return status;
}

bool __wrap_lb_link_send_word(struct lb_adapter_link *link, const struct lb_link_word *word)
{
    crash_pass("word-unsent");
    bool queued = __real_lb_link_send_word(link, word);
    crash_pass("word-sent");
    return queued;
}
