#include <stdio.h>

#include "gateway/base/log.h"
#include "gateway/base/utf8.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/link.h"
#include "gateway/window/corrections.h"
#include "gateway/wire/pb.h"

/*
 * What departments say. A word counts when it was sealed to this agent by the department that the
 * submission went to, and is the next one or a later one about it. It is on disk, then in the
 * evidence log, and only then said to be here.
 */

#define CONTENT_VERSION 1
#define MAX_TEXT_BYTES 2048
#define MAX_LAW_BYTES 256

struct taking {
    struct lb_window *window;
    const Lianban__V1__Parcel *parcel;
    const struct lb_node *sender;
    struct lb_directory *directory;
    struct lb_arena *arena;
    struct lb_span content;           /* the packed SealedParcel */
    Lianban__V1__SealedParcel *opened;
    bool of_request;                  /* for a correction, not of a submission */
    struct lb_word_row row;
};

/* --- opening --- */

static lb_status check_cover(struct taking *taking)
{
    const struct lb_window_options *options = &taking->window->options;
    const Lianban__V1__Parcel *parcel = taking->parcel;
    LB_ENSURE(strcmp(parcel->recipient, options->self) == 0, LB_MALFORMED,
              "a parcel for somebody else");
    LB_ENSURE(parcel->sealed != NULL && parcel->sealed->seq == 0 &&
                  parcel->sealed->enc.len == LB_HPKE_ENC_BYTES &&
                  parcel->sealed->sender_key.len == LB_X25519_BYTES,
              LB_MALFORMED, "a parcel that is not sealed");
    LB_ENSURE(parcel->expires_unix_s > lb_clock_unix_s(options->clock), LB_PARCEL_EXPIRED,
              "a parcel past its end");
    taking->sender = lb_directory_node(taking->directory, parcel->sender);
    LB_ENSURE(taking->sender != NULL && taking->sender->kind == LB_NODE_ADAPTER, LB_PEER_UNLISTED,
              "a parcel of no department");
    return LB_OK;
}

static lb_status check_sender_key(const struct taking *taking)
{
    const struct lb_node *node = taking->sender;
    int64_t now_s = lb_clock_unix_s(taking->window->options.clock);
    for (size_t i = 0; i < node->num_seal_keys; i++) {
        const struct lb_seal_key_entry *key = &node->seal_keys[i];
        if (lb_span_eq(lb_pb_span(taking->parcel->sealed->sender_key),
                       lb_span_of(key->public_key, sizeof(key->public_key))) &&
            lb_node_seal_key(node, key->id, now_s) == key)
            return LB_OK;
    }
    LB_FAIL(LB_KEY_RETIRED, "sealed from a key that is not the department's now");
}

static lb_status open_parcel(struct taking *taking)
{
    const Lianban__V1__Parcel *parcel = taking->parcel;
    const Lianban__V1__Sealed *sealed = parcel->sealed;
    LB_DEFER(lb_own_key_wipe) struct lb_own_key own = {.id = ""};
    struct lb_parcel_cover cover = {.sender = parcel->sender,
                                    .recipient = parcel->recipient,
                                    .key_id = sealed->key_id,
                                    .expires_unix_s = parcel->expires_unix_s};
    struct lb_parcel_sealed in = {.ciphertext = lb_pb_span(sealed->ciphertext)};
    memcpy(cover.name, parcel->name.data, sizeof(cover.name));
    memcpy(in.enc, sealed->enc.data, sizeof(in.enc));
    LB_TRY(check_sender_key(taking));
    LB_TRY(lb_seal_ring_get(taking->window->options.ring, taking->directory, sealed->key_id,
                            &own));
    LB_TRY(lb_parcel_open(&cover, &own.key, sealed->sender_key.data, &in, taking->arena,
                          &taking->content));
    return lb_pb_unpack(&lianban__v1__sealed_parcel__descriptor, taking->content, taking->arena,
                        &taking->opened);
}

/* --- judging --- */

static bool is_text(const char *text, size_t max_bytes)
{
    return text[0] == 0 || lb_utf8_line(text, max_bytes);
}

static bool is_date(const char *text)
{
    struct lb_date date;
    return text[0] == 0 || lb_date_parse(lb_span_str(text), &date);
}

static lb_status check_word(const Lianban__V1__Word *word)
{
    LB_ENSURE(word->about.len == LB_PARCEL_NAME_BYTES, LB_MALFORMED, "about no submission");
    LB_ENSURE(word->number >= 1 && word->number <= LB_PARTS_MAX_WORDS, LB_MALFORMED,
              "a word out of number");
    LB_ENSURE(word->kind >= LIANBAN__V1__WORD__KIND__ACCEPTED &&
                  word->kind <= LIANBAN__V1__WORD__KIND__NOT_REACHED,
              LB_MALFORMED, "no such kind of word");
    LB_ENSURE(word->outcome >= LIANBAN__V1__WORD__OUTCOME__OUTCOME_UNSPECIFIED &&
                  word->outcome <= LIANBAN__V1__WORD__OUTCOME__DATA_FORWARDED,
              LB_MALFORMED, "no such outcome");
    LB_ENSURE(word->kind != LIANBAN__V1__WORD__KIND__DECIDED ||
                  word->outcome != LIANBAN__V1__WORD__OUTCOME__OUTCOME_UNSPECIFIED,
              LB_MALFORMED, "decided without an outcome");
    LB_ENSURE(is_text(word->reference, LB_MAX_NAME_BYTES) &&
                  is_text(word->text_zh, MAX_TEXT_BYTES) &&
                  is_text(word->text_en, MAX_TEXT_BYTES) && is_text(word->law, MAX_LAW_BYTES) &&
                  is_date(word->until),
              LB_MALFORMED, "a word with texts out of bounds");
    return LB_OK;
}

/* The submission, or the correction request, which must have gone to whoever speaks of it. */
static lb_status find_submission(struct taking *taking)
{
    const Lianban__V1__Word *word = taking->opened->word;
    struct lb_parcel_row submission;
    Lianban__V1__SealedParcel *content = NULL;
    lb_status status = lb_parcel_get(taking->window->store, word->about.data, taking->arena,
                                     &submission);
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_PART_UNKNOWN,
              "about nothing that is followed here");
    LB_TRY(status);
    LB_ENSURE(memcmp(submission.name, submission.about, sizeof(submission.name)) == 0,
              LB_MALFORMED, "about no submission");
    LB_ENSURE(strcmp(submission.kept->recipient, taking->parcel->sender) == 0, LB_MALFORMED,
              "about another department's part");
    LB_TRY(lb_parcel_part(&submission, taking->arena, &content));
    LB_ENSURE((content->part->kind == LIANBAN__V1__PART__KIND__SIGNAL) ==
                  (word->kind >= LIANBAN__V1__WORD__KIND__CONTACTED),
              LB_MALFORMED, "a word of a submission about a signal, or the other way round");
    memcpy(taking->row.case_id, submission.case_id, sizeof(taking->row.case_id));
    taking->of_request = content->part->kind == LIANBAN__V1__PART__KIND__CORRECTION_REQUEST;
    return lb_correction_word_check(word, taking->of_request);
}

static lb_status judge(struct taking *taking)
{
    const Lianban__V1__SealedParcel *opened = taking->opened;
    LB_ENSURE(opened->version == CONTENT_VERSION, LB_VERSION_UNSUPPORTED,
              "a word of another version");
    LB_ENSURE(opened->body_case == LIANBAN__V1__SEALED_PARCEL__BODY_WORD, LB_MALFORMED,
              "a window takes words only");
    LB_TRY(check_word(opened->word));
    LB_TRY(find_submission(taking));
    taking->row.sender = taking->parcel->sender;
    memcpy(taking->row.name, taking->parcel->name.data, sizeof(taking->row.name));
    memcpy(taking->row.about, opened->word->about.data, sizeof(taking->row.about));
    taking->row.number = opened->word->number;
    taking->row.content = taking->content;
    taking->row.taken_s = lb_clock_unix_s(taking->window->options.clock);
    return LB_OK;
}

/* --- keeping --- */

/* Again the same is no news; the entry may still be missing. */
static lb_status keep(struct taking *taking, bool *out_new)
{
    struct lb_case_store *store = taking->window->store;
    struct lb_word_row before;
    lb_status status = lb_word_get(store, taking->row.sender, taking->row.name, taking->arena,
                                   &before);
    *out_new = lb_status_code(status) == LB_ABSENT;
    if (!*out_new) {
        LB_TRY(status);
        LB_ENSURE(lb_span_eq(before.content, taking->content), LB_PARCEL_CHANGED,
                  "another word under the same name");
        taking->row = before;
        return LB_OK;
    }
    status = lb_word_add(store, &taking->row, taking->arena);
    LB_ENSURE(lb_status_code(status) != LB_STORE_CONFLICT, LB_MALFORMED,
              "another word has that number");
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_PART_UNKNOWN, "the case is over");
    return status;
}

static lb_status ensure_logged(struct taking *taking, const Lianban__V1__ParcelHanded *handed)
{
    const Lianban__V1__EntryProof *peer = handed->parcel->entry;
    struct lb_log_entry entry = {.leaf = {.type = LB_LEAF_PARCEL, .count = 1}};
    if (taking->row.logged)
        return LB_OK;
    (void)snprintf(entry.leaf.code, sizeof(entry.leaf.code), "%s", "DELIVERED");
    memcpy(entry.leaf.txn, taking->row.name, sizeof(entry.leaf.txn));
    lb_sha256(lb_pb_span(taking->parcel->sealed->ciphertext), entry.leaf.request_hash);
    if (peer != NULL) {
        struct lb_hash hash;
        lb_merkle_leaf(lb_pb_span(peer->leaf), &hash);
        memcpy(entry.leaf.peer_leaf, hash.bytes, sizeof(entry.leaf.peer_leaf));
    }
    LB_TRY(lb_log_append_wait(taking->window->options.log, &entry));
    LB_TRY(lb_word_logged(taking->window->store, &taking->row, entry.index));
    taking->row.logged = true;
    taking->row.entry = entry.index;
    return LB_OK;
}

/* --- answering --- */

static lb_status answer(const struct taking *taking, const char *code,
                        Lianban__V1__ParcelReceipt *out)
{
    const Lianban__V1__Parcel *parcel = taking->parcel;
    lianban__v1__parcel_receipt__init(out);
    out->name = parcel->name;
    out->sender = parcel->sender;
    out->recipient = parcel->recipient;
    out->code = (char *)(uintptr_t)code;
    return LB_OK;
}

/* Its number; all of a Take are proved together. */
static lb_status name_entry(const struct taking *taking, Lianban__V1__ParcelReceipt *out)
{
    out->entry = lb_arena_alloc(taking->arena, sizeof(*out->entry));
    LB_ENSURE(out->entry != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__entry_proof__init(out->entry);
    out->entry->index = taking->row.entry;
    return LB_OK;
}

lb_status lb_parts_prove_taken(struct lb_window *window, Lianban__V1__TakeRequest *request,
                               struct lb_arena *arena)
{
    struct lb_log *log = window->options.log;
    uint64_t shown = 0, size = 0;
    LB_TRY(lb_link_show(log, &shown, arena, &request->log, &size));
    for (size_t i = 0; i < request->n_receipts; i++) {
        Lianban__V1__EntryProof **entry = &request->receipts[i]->entry;
        struct lb_span leaf;
        if (*entry == NULL)
            continue;
        uint64_t index = (*entry)->index;
        LB_TRY(lb_log_leaf(log, index, arena, &leaf));
        LB_TRY(lb_link_prove(log, index, leaf, size, arena, entry));
    }
    return LB_OK;
}

static lb_status take(struct taking *taking, const Lianban__V1__ParcelHanded *handed,
                      bool *out_new)
{
    LB_TRY(check_cover(taking));
    LB_TRY(open_parcel(taking));
    LB_TRY(judge(taking));
    LB_TRY(keep(taking, out_new));
    LB_TRY(ensure_logged(taking, handed));
    return taking->of_request ? lb_corrections_catch_up(taking->window, taking->row.case_id)
                              : LB_OK;
}

/* What will be judged alike tomorrow is said; anything else is left to be handed over again. */
static bool is_said(enum lb_code code)
{
    switch (code) {
    case LB_MALFORMED:
    case LB_TOO_LARGE:
    case LB_SEAL_BROKEN:
    case LB_PARCEL_CHANGED:
    case LB_PARCEL_EXPIRED:
    case LB_PEER_UNLISTED:
    case LB_PART_UNKNOWN:
    case LB_VERSION_UNSUPPORTED:
    case LB_KEY_RETIRED:
        return true;
    default:
        return false;
    }
}

static lb_status take_and_answer(struct taking *taking, const Lianban__V1__ParcelHanded *handed,
                                 Lianban__V1__ParcelReceipt *out_receipt)
{
    bool is_new = false;
    lb_status status = take(taking, handed, &is_new);
    if (status != LB_OK) {
        if (!is_said(status->code))
            return status;
        lb_log_failure("word_refused", status);
        return answer(taking, lb_code_name(status->code), out_receipt);
    }
    struct lb_parcel_row submission = {.kept = NULL};
    memcpy(submission.case_id, taking->row.case_id, sizeof(submission.case_id));
    memcpy(submission.about, taking->row.about, sizeof(submission.about));
    if (is_new)
        lb_parts_push(taking->window, &submission);
    LB_TRY(answer(taking, "DELIVERED", out_receipt));
    return name_entry(taking, out_receipt);
}

lb_status lb_parts_word(struct lb_window *window, const Lianban__V1__ParcelHanded *handed,
                        struct lb_arena *arena, Lianban__V1__ParcelReceipt *out_receipt)
{
    LB_ENSURE(handed->parcel != NULL && handed->parcel->parcel != NULL &&
                  handed->parcel->parcel->name.len == LB_PARCEL_NAME_BYTES,
              LB_RECEIPT_INVALID, "a broker handed over nothing that has a name");
    struct taking taking = {.window = window, .parcel = handed->parcel->parcel, .arena = arena,
                            .directory = lb_trust_directory(window->options.trust)};
    lb_status status = take_and_answer(&taking, handed, out_receipt);
    lb_directory_unref(taking.directory);
    return status;
}
