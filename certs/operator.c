#include "certs/operator.h"

#include <pwd.h>
#include <unistd.h>

#include "certs/operator_tools.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/operator_token.h"
#include "gateway/trust/keys.h"

/* The register of a window's operators; the agent may be running. */

#define DAY_S INT64_C(86400)
#define DEFAULT_DAYS 365
#define MAX_DAYS 1096

struct operator_options {
    const char *config;
    const char *badge;
    const char *unit;
    const char *identity;
    const char *relatives;
    const char *device;
    int64_t days;
};

/* How many of the options below a command takes. */
enum { TAKES_CONFIG = 1, TAKES_BADGE = 2, TAKES_ALL = 7 };

static lb_status read_options(struct lb_tool *tool, int argc, char **argv, size_t num,
                              struct operator_options *o)
{
    const struct lb_option known[] = {
        {.name = "--config", .kind = LB_OPTION_TEXT, .required = true, .target = &o->config},
        {.name = "--badge", .kind = LB_OPTION_TEXT, .required = true, .target = &o->badge},
        {.name = "--unit", .kind = LB_OPTION_TEXT, .required = true, .target = &o->unit},
        {.name = "--identity", .kind = LB_OPTION_TEXT, .target = &o->identity},
        {.name = "--relatives", .kind = LB_OPTION_TEXT, .target = &o->relatives},
        {.name = "--device", .kind = LB_OPTION_TEXT, .target = &o->device},
        {.name = "--days", .kind = LB_OPTION_INT, .target = &o->days, .min = 1, .max = MAX_DAYS},
    };
    return lb_tool_options(tool, argc, argv, known, num);
}

static const char *login(void)
{
    const struct passwd *user = getpwuid(geteuid());
    return user == NULL ? "unknown" : user->pw_name;
}

static lb_status open_register(struct lb_tool *tool, const struct operator_options *options,
                               bool create, struct lb_operator_window *out_window,
                               struct lb_register **out_register)
{
    LB_TRY(lb_operator_window_read(tool, options->config, out_window));
    return lb_register_open(out_window->folder, create, &tool->diag, out_register);
}

static lb_status explain(struct lb_tool *tool, lb_status status, const char *badge)
{
    if (lb_status_code(status) == LB_STORE_CONFLICT)
        return lb_tool_explain(tool, status,
                               "badge %.64s is given out, or this person has one already", badge);
    if (lb_status_code(status) == LB_BADGE_UNKNOWN)
        return lb_tool_explain(tool, status, "badge %.64s is not in the register", badge);
    return lb_tool_explain(tool, status, "the register cannot be changed (badge %.64s)", badge);
}

static const char *state_of(const struct lb_register_entry *entry, int64_t now)
{
    enum lb_code code = lb_status_code(lb_register_may_serve(entry, now));
    return code == LB_CODE_OK ? "serves" : code == LB_BADGE_SUSPENDED ? "suspended" : "expired";
}

static struct lb_json *describe(struct lb_tool *tool, const struct lb_register_entry *entry)
{
    struct lb_json *item = lb_json_object();
    lb_json_set_cstr(item, "badge", entry->badge);
    lb_json_set_cstr(item, "unit", entry->unit);
    lb_json_set_cstr(item, "state", state_of(entry, lb_clock_unix_s(tool->clock)));
    lb_tool_set_time(item, "not_after", "not_after_text", entry->not_after);
    lb_json_set_cstr(item, "device", entry->has_device ? "yes" : "no");
    return item;
}

static lb_status show(struct lb_tool *tool, struct lb_register *reg, const char *badge)
{
    struct lb_register_entry entry;
    LB_TRY(explain(tool, lb_register_find(reg, badge, tool->arena, &entry), badge));
    struct lb_json *result = describe(tool, &entry);
    lb_json_set_cstr(result, "person", entry.hash);
    lb_json_set_int(result, "relatives", (int64_t)entry.num_relatives);
    return lb_tool_result(tool, result);
}

/* --- the commands --- */

static lb_status run_add(struct lb_tool *tool, int argc, char **argv)
{
    struct operator_options o = {.days = DEFAULT_DAYS};
    struct lb_operator_window window;
    LB_DEFER(lb_register_closep) struct lb_register *reg = NULL;
    LB_TRY(read_options(tool, argc, argv, TAKES_ALL, &o));
    LB_TRY(open_register(tool, &o, true, &window, &reg));
    int64_t now = lb_clock_unix_s(tool->clock);
    struct lb_register_entry entry = {.badge = o.badge,
                                      .unit = o.unit,
                                      .not_before = now,
                                      .not_after = now + o.days * DAY_S,
                                      .has_device = o.device != NULL};
    LB_TRY(lb_operator_person(tool, &window, o.identity, entry.hash));
    if (o.relatives != NULL)
        LB_TRY(lb_operator_relatives(tool, &window, o.relatives, &entry.relatives,
                                     &entry.num_relatives));
    if (o.device != NULL)
        LB_TRY(lb_operator_device(tool, o.device, entry.device));
    lb_status status = lb_register_add(reg, &entry, login(), now);
    if (lb_status_code(status) == LB_MALFORMED)
        return lb_tool_usage(tool, "--badge and --unit take 1 to 64 bytes without blanks");
    LB_TRY(explain(tool, status, o.badge));
    return show(tool, reg, o.badge);
}

static lb_status set_suspended(struct lb_tool *tool, int argc, char **argv, bool suspended)
{
    struct operator_options o = {0};
    struct lb_operator_window window;
    LB_DEFER(lb_register_closep) struct lb_register *reg = NULL;
    LB_TRY(read_options(tool, argc, argv, TAKES_BADGE, &o));
    LB_TRY(open_register(tool, &o, false, &window, &reg));
    LB_TRY(explain(tool,
                   lb_register_suspend(reg, o.badge, suspended, login(),
                                       lb_clock_unix_s(tool->clock)),
                   o.badge));
    return show(tool, reg, o.badge);
}

static lb_status run_suspend(struct lb_tool *tool, int argc, char **argv)
{
    return set_suspended(tool, argc, argv, true);
}

static lb_status run_resume(struct lb_tool *tool, int argc, char **argv)
{
    return set_suspended(tool, argc, argv, false);
}

static lb_status run_show(struct lb_tool *tool, int argc, char **argv)
{
    struct operator_options o = {0};
    struct lb_operator_window window;
    LB_DEFER(lb_register_closep) struct lb_register *reg = NULL;
    LB_TRY(read_options(tool, argc, argv, TAKES_BADGE, &o));
    LB_TRY(open_register(tool, &o, false, &window, &reg));
    return show(tool, reg, o.badge);
}

static lb_status run_list(struct lb_tool *tool, int argc, char **argv)
{
    struct operator_options o = {0};
    struct lb_operator_window window;
    struct lb_register_entry *entries = NULL;
    size_t num = 0;
    LB_DEFER(lb_register_closep) struct lb_register *reg = NULL;
    LB_TRY(read_options(tool, argc, argv, TAKES_CONFIG, &o));
    LB_TRY(open_register(tool, &o, false, &window, &reg));
    LB_TRY(lb_tool_explain(tool, lb_register_list(reg, tool->arena, &entries, &num),
                           "the register cannot be read"));
    struct lb_json *result = lb_json_object(), *list = lb_json_array();
    for (size_t i = 0; i < num; i++)
        lb_json_append(list, describe(tool, &entries[i]));
    lb_json_set(result, "operators", list);
    return lb_tool_result(tool, result);
}

/* --- token --- */

static void free_sign_key(struct lb_sign_key **key)
{
    lb_sign_key_free(*key);
}

static lb_status issue(struct lb_tool *tool, const struct lb_operator_window *window,
                       const struct lb_register_entry *entry, struct lb_operator *claims,
                       struct lb_span *out_token)
{
    const char *path = NULL;
    uint8_t random[16];
    char jti[2 * sizeof(random) + 1];
    LB_DEFER(free_sign_key) struct lb_sign_key *key = NULL;
    LB_TRY(lb_issuer_current(&window->issuer, tool->arena, &claims->kid, &path));
    LB_TRY(lb_tool_explain(tool, lb_keys_load_sign(path, LB_SIGN_ES256, &key),
                           "%s: is no P-256 key, or is open to others (chmod 600)", path));
    LB_TRY(lb_crypto_random(random, sizeof(random)));
    lb_hex_encode(lb_span_of(random, sizeof(random)), jti);
    claims->organization = window->organization;
    claims->unit = entry->unit;
    claims->person = entry->hash;
    claims->jti = jti;
    claims->iat = lb_clock_unix_s(tool->clock);
    claims->exp = claims->iat + LB_OPERATOR_TOKEN_LIFE_S;
    return lb_operator_token_issue(claims, key, tool->arena, out_token);
}

/* Recorded first: a token that nobody knows of is none. */
static lb_status run_token(struct lb_tool *tool, int argc, char **argv)
{
    struct operator_options o = {0};
    struct lb_operator_window window;
    struct lb_register_entry entry;
    struct lb_operator claims = {0};
    struct lb_span token;
    LB_DEFER(lb_register_closep) struct lb_register *reg = NULL;
    LB_TRY(read_options(tool, argc, argv, TAKES_BADGE, &o));
    LB_TRY(open_register(tool, &o, false, &window, &reg));
    int64_t now = lb_clock_unix_s(tool->clock);
    LB_TRY(explain(tool, lb_register_find(reg, o.badge, tool->arena, &entry), o.badge));
    LB_TRY(lb_tool_explain(tool, lb_register_may_serve(&entry, now),
                           "badge %.64s may not serve: it is %s", o.badge, state_of(&entry, now)));
    LB_TRY(explain(tool, lb_register_note_token(reg, o.badge, login(), now), o.badge));
    LB_TRY(issue(tool, &window, &entry, &claims, &token));
    struct lb_json *result = lb_json_object();
    lb_json_set_cstr(result, "badge", entry.badge);
    lb_json_set_cstr(result, "kid", claims.kid);
    lb_tool_set_time(result, "expires", "expires_text", claims.exp);
    lb_json_set_str(result, "token", token);
    return lb_tool_result(tool, result);
}

#define CONFIG_HELP                                                                                \
    "  --config FILE     the window agent's own configuration\n"                                   \
    "  --json            print the result as JSON\n"

static const struct lb_tool_command commands[] = {
    {"add",
     "lianban operator add --config FILE --badge BADGE --unit UNIT [--identity FILE|-]\n"
     "                     [--relatives FILE] [--device FILE] [--days N] [--json]\n\n"
     "Puts a person into the register of a window's operators. Only keyed hashes of identity\n"
     "numbers are kept. The agent may be running; it records the change before it lets anybody\n"
     "serve.\n\n"
     CONFIG_HELP
     "  --identity FILE|- the person's own identity number; without it, it is asked for\n"
     "  --relatives FILE  the declared relatives' numbers, one a line\n"
     "  --device FILE     public key of the person's device (lianban keys device): cases are\n"
     "                    opened only with a proof by it\n"
     "  --days N          how long the registration holds, default 365\n"
     "\nExample:\n  lianban operator add --config window.yaml --badge W-0017 --unit office-01\n",
     run_add},
    {"suspend",
     "lianban operator suspend --config FILE --badge BADGE [--json]\n\n"
     "No new token for this person from now on; one that has left already ends within 5\n"
     "minutes.\n\n" CONFIG_HELP
     "\nExample:\n  lianban operator suspend --config window.yaml --badge W-0017\n",
     run_suspend},
    {"resume",
     "lianban operator resume --config FILE --badge BADGE [--json]\n\n"
     "Takes a suspension back.\n\n" CONFIG_HELP
     "\nExample:\n  lianban operator resume --config window.yaml --badge W-0017\n",
     run_resume},
    {"list",
     "lianban operator list --config FILE [--json]\n\n"
     "Lists the register.\n\n" CONFIG_HELP
     "\nExample:\n  lianban operator list --config window.yaml\n",
     run_list},
    {"show",
     "lianban operator show --config FILE --badge BADGE [--json]\n\n"
     "Shows one entry; of relatives only how many were declared.\n\n" CONFIG_HELP
     "\nExample:\n  lianban operator show --config window.yaml --badge W-0017\n",
     run_show},
    {"token",
     "lianban operator token --config FILE --badge BADGE [--json]\n\n"
     "Makes an operator token of 5 minutes, for a window system that calls the broker itself.\n"
     "That it was made is recorded.\n\n" CONFIG_HELP
     "\nExample:\n  lianban operator token --config window.yaml --badge W-0017 --json\n",
     run_token},
};

const struct lb_tool_set lb_operator_tools = {
    .name = "operator",
    .help = "lianban operator: the register of a window's operators.\n",
    .commands = commands,
    .num_commands = sizeof(commands) / sizeof(commands[0]),
};

int lb_operator_command(int argc, char **argv)
{
    return lb_tool_run(&lb_operator_tools, argc, argv, stdout, stderr);
}
