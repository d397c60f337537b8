#include "gateway/evidence/witness_policy.h"

#include <stdlib.h>

#include "gateway/base/file.h"
#include "gateway/base/utf8.h"

#define MAX_ITEMS (4 + LB_POLICY_MAX_WITNESSES + LB_POLICY_MAX_GROUPS)
#define GROUP_BIT 32U

/* One parse: the line at hand, taken into its items. */
struct parse {
    struct lb_witness_policy *policy;
    const char *where;
    struct lb_diag *diag;
    unsigned line;
    size_t num_items;
    struct lb_span items[MAX_ITEMS];
    bool quorum_seen;
    uint64_t members;  /* of any group so far */
};

static lb_status refuse(struct parse *parse, const char *sentence)
{
    lb_diag_set(parse->diag, "%s:%u: %s", parse->where, parse->line, sentence);
    LB_FAIL(LB_CONFIG_INVALID, "witness policy");
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static lb_status split(struct parse *parse, struct lb_span line)
{
    parse->num_items = 0;
    for (size_t at = 0; at < line.len;) {
        if (is_blank(line.ptr[at])) {
            at++;
            continue;
        }
        size_t from = at;
        while (at < line.len && !is_blank(line.ptr[at]))
            at++;
        if (parse->num_items == MAX_ITEMS)
            return refuse(parse, "the line has too many items");
        parse->items[parse->num_items++] = lb_span_of(line.ptr + from, at - from);
    }
    return LB_OK;
}

/* --- names --- */

/* The bit of a witness or group; false when no earlier line defines it. */
static bool find_name(const struct lb_witness_policy *policy, struct lb_span name,
                      unsigned *out_bit)
{
    for (size_t i = 0; i < policy->num_witnesses; i++) {
        if (lb_span_is(name, policy->witnesses[i].name)) {
            *out_bit = (unsigned)i;
            return true;
        }
    }
    for (size_t i = 0; i < policy->num_groups; i++) {
        if (lb_span_is(name, policy->groups[i].name)) {
            *out_bit = GROUP_BIT + (unsigned)i;
            return true;
        }
    }
    return false;
}

static lb_status take_name(struct parse *parse, struct lb_span name,
                           char out[LB_MAX_NAME_BYTES + 1])
{
    unsigned bit = 0;
    if (name.len > LB_MAX_NAME_BYTES)
        return refuse(parse, "the name is too long");
    if (!lb_utf8_valid(name))
        return refuse(parse, "the name is not UTF-8");
    if (lb_span_is(name, "none"))
        return refuse(parse, "\"none\" can't be the name of a witness or group");
    if (find_name(parse->policy, name, &bit))
        return refuse(parse, "the name is given twice; each witness and group needs its own");
    memcpy(out, name.ptr, name.len);
    out[name.len] = 0;
    return LB_OK;
}

/* --- the four kinds of lines --- */

static lb_status read_log(struct parse *parse)
{
    struct lb_witness_policy *policy = parse->policy;
    if (parse->num_items < 2 || parse->num_items > 3)
        return refuse(parse, "a log line is: log <vkey> [<url>]");
    if (policy->num_logs == LB_POLICY_MAX_LOGS)
        return refuse(parse, "too many logs");
    struct lb_note_verifier verifier;
    if (lb_note_verifier_parse(parse->items[1], &verifier) != LB_OK)
        return refuse(parse, "not a log's key <origin>+<id>+<base64> of algorithm 1");
    for (size_t i = 0; i < policy->num_logs; i++) {
        const struct lb_note_verifier *other = &policy->logs[i].verifier;
        if (memcmp(other->public_key, verifier.public_key, sizeof(verifier.public_key)) == 0) {
            lb_note_verifier_cleanup(&verifier);
            return refuse(parse, "the log's key is given twice");
        }
    }
    policy->logs[policy->num_logs++].verifier = verifier;
    return LB_OK;
}

static lb_status take_witness(struct parse *parse, struct lb_policy_witness *witness)
{
    struct lb_witness_policy *policy = parse->policy;
    LB_TRY(take_name(parse, parse->items[1], witness->name));
    if (parse->num_items == 4) {
        if (parse->items[3].len > LB_MAX_SPIFFE_BYTES)
            return refuse(parse, "the witness's url is too long");
        memcpy(witness->url, parse->items[3].ptr, parse->items[3].len);
    }
    if (lb_cosigner_parse(parse->items[2], &witness->cosigner) != LB_OK)
        return refuse(parse, "not a witness's key <name>+<id>+<base64> of algorithm 4; take it "
                             "from `lianban keys witness`");
    for (size_t i = 0; i < policy->num_witnesses; i++) {
        if (memcmp(policy->witnesses[i].cosigner.public_key, witness->cosigner.public_key,
                   sizeof(witness->cosigner.public_key)) == 0)
            return refuse(parse, "the witness's key is given twice; it would count twice");
    }
    return LB_OK;
}

static lb_status read_witness(struct parse *parse)
{
    struct lb_witness_policy *policy = parse->policy;
    if (parse->num_items < 3 || parse->num_items > 4)
        return refuse(parse, "a witness line is: witness <name> <vkey> [<url>]");
    if (policy->num_witnesses == LB_POLICY_MAX_WITNESSES)
        return refuse(parse, "too many witnesses");
    struct lb_policy_witness witness = {.name = ""};
    lb_status status = take_witness(parse, &witness);
    if (status != LB_OK) {
        lb_cosigner_cleanup(&witness.cosigner);
        return status;
    }
    policy->witnesses[policy->num_witnesses++] = witness;
    return LB_OK;
}

/* A threshold of at most two digits, without a leading zero; 0 when it is none. */
static unsigned read_number(struct lb_span text)
{
    unsigned number = 0;
    if (text.len == 0 || text.len > 2 || text.ptr[0] == '0')
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return 0;
        number = number * 10 + (unsigned)(text.ptr[i] - '0');
    }
    return number;
}

static lb_status take_members(struct parse *parse, struct lb_policy_group *group)
{
    for (size_t i = 3; i < parse->num_items; i++) {
        unsigned bit = 0;
        if (!find_name(parse->policy, parse->items[i], &bit))
            return refuse(parse, "the group names what no line before it defines");
        uint64_t member = UINT64_C(1) << bit;
        if ((parse->members & member) != 0)
            return refuse(parse, "a witness or group may be a member only once, of one group");
        parse->members |= member;
        group->members |= member;
    }
    return LB_OK;
}

static lb_status read_group(struct parse *parse)
{
    struct lb_witness_policy *policy = parse->policy;
    if (parse->num_items < 4)
        return refuse(parse, "a group line is: group <name> all|any|<k> <member>...");
    if (policy->num_groups == LB_POLICY_MAX_GROUPS)
        return refuse(parse, "too many groups");
    struct lb_policy_group group = {.name = ""};
    unsigned num = (unsigned)(parse->num_items - 3);
    LB_TRY(take_name(parse, parse->items[1], group.name));
    if (lb_span_is(parse->items[2], "all"))
        group.threshold = num;
    else if (lb_span_is(parse->items[2], "any"))
        group.threshold = 1;
    else
        group.threshold = read_number(parse->items[2]);
    if (group.threshold == 0 || group.threshold > num)
        return refuse(parse, "a group needs all, any, or a number from 1 to that of its members");
    LB_TRY(take_members(parse, &group));
    policy->groups[policy->num_groups++] = group;
    return LB_OK;
}

static lb_status read_quorum(struct parse *parse)
{
    if (parse->num_items != 2)
        return refuse(parse, "a quorum line is: quorum <name>, or: quorum none");
    if (parse->quorum_seen)
        return refuse(parse, "there is a quorum line already");
    parse->quorum_seen = true;
    if (lb_span_is(parse->items[1], "none")) {
        parse->policy->quorum = LB_QUORUM_NONE;
        return LB_OK;
    }
    if (!find_name(parse->policy, parse->items[1], &parse->policy->quorum))
        return refuse(parse, "the quorum names what no line before it defines");
    return LB_OK;
}

static lb_status read_line(struct parse *parse, struct lb_span line)
{
    for (size_t i = 0; i < line.len; i++) {
        if ((line.ptr[i] < 0x20 && line.ptr[i] != '\t') || line.ptr[i] == 0x7f)
            return refuse(parse, "a control character; only tabs and line feeds are allowed");
    }
    size_t from = 0;
    while (from < line.len && is_blank(line.ptr[from]))
        from++;
    if (from == line.len || line.ptr[from] == '#')
        return LB_OK;
    LB_TRY(split(parse, line));
    if (lb_span_is(parse->items[0], "log"))
        return read_log(parse);
    if (lb_span_is(parse->items[0], "witness"))
        return read_witness(parse);
    if (lb_span_is(parse->items[0], "group"))
        return read_group(parse);
    if (lb_span_is(parse->items[0], "quorum"))
        return read_quorum(parse);
    return refuse(parse, "a line starts with log, witness, group, quorum or #");
}

static lb_status read_lines(struct parse *parse, struct lb_span text)
{
    while (text.len > 0) {
        parse->line++;
        const uint8_t *lf = memchr(text.ptr, '\n', text.len);
        if (lf == NULL)
            return refuse(parse, "the line does not end; a file that was cut off is not read");
        size_t len = (size_t)(lf - text.ptr);
        LB_TRY(read_line(parse, lb_span_of(text.ptr, len)));
        text = lb_span_of(lf + 1, text.len - len - 1);
    }
    parse->line++;
    return parse->quorum_seen ? LB_OK
                              : refuse(parse, "there is no quorum line; say who must cosign");
}

lb_status lb_witness_policy_parse(struct lb_span text, const char *where, struct lb_diag *diag,
                                  struct lb_witness_policy **out_policy)
{
    struct parse parse = {.where = where, .diag = diag};
    if (text.len > LB_POLICY_MAX_BYTES)
        return refuse(&parse, "the policy is too long");
    parse.policy = calloc(1, sizeof(*parse.policy));
    LB_ENSURE(parse.policy != NULL, LB_NO_MEMORY, "witness policy");
    lb_status status = read_lines(&parse, text);
    if (status != LB_OK) {
        lb_witness_policy_free(parse.policy);
        return status;
    }
    *out_policy = parse.policy;
    return LB_OK;
}

lb_status lb_witness_policy_load(const char *path, struct lb_diag *diag,
                                 struct lb_witness_policy **out_policy)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(4 * LB_POLICY_MAX_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "witness policy");
    struct lb_span text = LB_SPAN_EMPTY;
    lb_status status = lb_file_read(path, LB_POLICY_MAX_BYTES, arena, &text);
    if (status != LB_OK) {
        lb_diag_set(diag, "%s: the witness policy cannot be read; check that the file exists and "
                          "has at most %d bytes", path, LB_POLICY_MAX_BYTES);
        return status;
    }
    return lb_witness_policy_parse(text, path, diag, out_policy);
}

void lb_witness_policy_free(struct lb_witness_policy *policy)
{
    if (policy == NULL)
        return;
    for (size_t i = 0; i < policy->num_logs; i++)
        lb_note_verifier_cleanup(&policy->logs[i].verifier);
    for (size_t i = 0; i < policy->num_witnesses; i++)
        lb_cosigner_cleanup(&policy->witnesses[i].cosigner);
    free(policy);
}

/* --- judging --- */

const struct lb_policy_log *lb_witness_policy_log(const struct lb_witness_policy *policy,
                                                  const char *origin)
{
    for (size_t i = 0; i < policy->num_logs; i++) {
        if (strcmp(policy->logs[i].verifier.name, origin) == 0)
            return &policy->logs[i];
    }
    return NULL;
}

bool lb_witness_policy_met(const struct lb_witness_policy *policy, uint32_t cosigned)
{
    /* Groups name earlier ones only, so one pass in order decides them all. */
    uint64_t met = cosigned;
    for (size_t i = 0; i < policy->num_groups; i++) {
        const struct lb_policy_group *group = &policy->groups[i];
        if ((unsigned)__builtin_popcountll(group->members & met) >= group->threshold)
            met |= UINT64_C(1) << (GROUP_BIT + i);
    }
    return policy->quorum == LB_QUORUM_NONE || (met >> policy->quorum & 1) != 0;
}

lb_status lb_witness_policy_cosigned(const struct lb_witness_policy *policy, struct lb_span note,
                                     uint32_t *out_cosigned)
{
    uint32_t cosigned = 0;
    for (size_t i = 0; i < policy->num_witnesses; i++) {
        int64_t unix_s = 0;
        lb_status status =
            lb_cosign_verify(note, &policy->witnesses[i].cosigner, &unix_s, NULL);
        if (status == LB_OK)
            cosigned |= UINT32_C(1) << i;
        else if (status->code != LB_ABSENT && status->code != LB_SIGNATURE_INVALID)
            return status;
    }
    *out_cosigned = cosigned;
    return LB_OK;
}
