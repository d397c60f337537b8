#include <string.h>

#include "policy/engine/catalogue_internal.h"

/* Money and counts stay well inside 64 bits, so that a test may multiply them. */
#define MAX_NUMBER 1000000000000

static const char *const type_names[] = {
    [LB_QUESTION_BOOL] = "bool",   [LB_QUESTION_INT] = "int",       [LB_QUESTION_MONEY] = "money",
    [LB_QUESTION_DATE] = "date",   [LB_QUESTION_CHOICE] = "choice",
};
#define NUM_TYPES (sizeof(type_names) / sizeof(type_names[0]))

const char *lb_question_type_name(enum lb_question_type type)
{
    return type_names[type];
}

static lb_status read_type(struct catalogue_loader *loader, const struct lb_yaml_node *map,
                           enum lb_question_type *out_type)
{
    const char *name = NULL;
    size_t index = 0;
    LB_TRY(lb_yaml_need_text(map, "type", loader->reader.diag, &name));
    while (index < NUM_TYPES && strcmp(name, type_names[index]) != 0)
        index++;
    if (index == NUM_TYPES)
        return lb_yaml_fail(lb_yaml_get(map, "type"), loader->reader.diag,
                            "`%.80s` is no type; use bool, int, money, date or choice", name);
    *out_type = (enum lb_question_type)index;
    return LB_OK;
}

static void add_name(struct catalogue_loader *loader, const char *name,
                          enum catalogue_role role, enum lb_expr_kind kind)
{
    struct lb_catalogue *catalogue = loader->catalogue;
    catalogue->names[catalogue->num_names++] =
        (struct catalogue_name){name, role, catalogue->num_questions, kind};
}

static lb_status read_bool(struct catalogue_loader *loader, const struct lb_yaml_node *map,
                           struct lb_question *question)
{
    static const char *const keys[] = {"question", "type", "text", NULL};
    LB_TRY(lb_yaml_only(map, keys, loader->reader.diag));
    add_name(loader, question->id, NAME_ANSWER, LB_EXPR_TRUTH);
    return LB_OK;
}

static lb_status read_number(struct catalogue_loader *loader, const struct lb_yaml_node *map,
                             struct lb_question *question)
{
    static const char *const keys[] = {"question", "type", "text", "min", "max", NULL};
    struct lb_diag *diag = loader->reader.diag;
    LB_TRY(lb_yaml_only(map, keys, diag));
    LB_TRY(lb_yaml_need_int(map, "min", 0, MAX_NUMBER, diag, &question->min));
    LB_TRY(lb_yaml_need_int(map, "max", question->min + 1, MAX_NUMBER, diag, &question->max));
    add_name(loader, question->id, NAME_ANSWER, LB_EXPR_NUMBER);
    return LB_OK;
}

static lb_status read_gives(struct catalogue_loader *loader, const struct lb_yaml_node *map)
{
    struct lb_diag *diag = loader->reader.diag;
    const struct lb_yaml_node *gives = NULL;
    LB_TRY(lb_yaml_need(map, "gives", diag, &gives));
    LB_TRY(lb_word_map(gives, LB_WORD_NAME, 2, diag));
    for (size_t i = 0; i < lb_yaml_len(gives); i++) {
        const char *key = NULL;
        const char *what = NULL;
        const struct lb_yaml_node *item = lb_yaml_member(gives, i, &key);
        LB_TRY(lb_yaml_text(item, diag, &what));
        bool years = strcmp(what, "years") == 0;
        if (!years && strcmp(what, "date") != 0)
            return lb_yaml_fail(item, diag, "a date gives `years` or `date`; use one of them");
        LB_TRY(lb_form_take_key(&loader->reader, key, item));
        add_name(loader, key, years ? NAME_YEARS : NAME_DATE, LB_EXPR_NUMBER);
    }
    return LB_OK;
}

static lb_status read_date(struct catalogue_loader *loader, const struct lb_yaml_node *map,
                           struct lb_question *question)
{
    static const char *const keys[] = {"question", "type", "text", "from", "gives", NULL};
    struct lb_diag *diag = loader->reader.diag;
    struct lb_date from;
    LB_TRY(lb_yaml_only(map, keys, diag));
    LB_TRY(lb_yaml_need_text(map, "from", diag, &question->from));
    if (!lb_date_parse(lb_span_str(question->from), &from))
        return lb_yaml_fail(lb_yaml_get(map, "from"), diag,
                            "`from` is not a date; write YYYY-MM-DD");
    question->min = lb_catalogue_date_number(&from);
    return read_gives(loader, map);
}

static lb_status read_choice(struct catalogue_loader *loader, const struct lb_yaml_node *item,
                             struct lb_question_choice *choices, size_t index)
{
    static const char *const keys[] = {"choice", "text", NULL};
    struct lb_diag *diag = loader->reader.diag;
    LB_TRY(lb_yaml_only(item, keys, diag));
    LB_TRY(lb_word_need(item, "choice", LB_WORD_NAME, diag, &choices[index].id));
    if (strlen(choices[index].id) >= LB_CATALOGUE_MAX_ANSWER_BYTES ||
        strcmp(choices[index].id, "unknown") == 0)
        return lb_yaml_fail(item, diag, "a choice is not named so; take another, short name");
    for (size_t i = 0; i < index; i++)
        if (strcmp(choices[i].id, choices[index].id) == 0)
            return lb_yaml_fail(item, diag, "choice %s stands here twice; remove one",
                                choices[i].id);
    return lb_form_read_text(&loader->reader, item, "text", &choices[index].text);
}

static lb_status read_choices(struct catalogue_loader *loader, const struct lb_yaml_node *map,
                              struct lb_question *question)
{
    static const char *const keys[] = {"question", "type", "text", "choices", NULL};
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_only(map, keys, loader->reader.diag));
    LB_TRY(lb_form_need_list(&loader->reader, map, "choices", LB_CATALOGUE_MAX_CHOICES, &list));
    size_t num = lb_yaml_len(list);
    if (num < 2)
        return lb_yaml_fail(list, loader->reader.diag, "one choice is none; give two at least");
    struct lb_question_choice *choices =
        lb_arena_array(loader->reader.arena, num, sizeof(*choices));
    LB_ENSURE(choices != NULL, LB_NO_MEMORY, "choices");
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_choice(loader, lb_yaml_item(list, i), choices, i));
    question->choices = choices;
    question->num_choices = num;
    add_name(loader, question->id, NAME_ANSWER, LB_EXPR_TEXT);
    return LB_OK;
}

static lb_status read_question(struct catalogue_loader *loader, const struct lb_yaml_node *map,
                               struct lb_question *question)
{
    typedef lb_status read_fn(struct catalogue_loader *, const struct lb_yaml_node *,
                              struct lb_question *);
    static read_fn *const readers[] = {
        [LB_QUESTION_BOOL] = read_bool,   [LB_QUESTION_INT] = read_number,
        [LB_QUESTION_MONEY] = read_number, [LB_QUESTION_DATE] = read_date,
        [LB_QUESTION_CHOICE] = read_choices,
    };
    LB_TRY(lb_form_take_name(&loader->reader, map, "question", &question->id));
    LB_TRY(lb_form_read_text(&loader->reader, map, "text", &question->text));
    LB_TRY(read_type(loader, map, &question->type));
    return readers[question->type](loader, map, question);
}

lb_status lb_catalogue_read_questions(struct catalogue_loader *loader,
                                      const struct lb_yaml_node *root)
{
    static const char *const keys[] = {"questions", NULL};
    struct lb_catalogue *catalogue = loader->catalogue;
    struct lb_arena *arena = catalogue->arena;
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_only(root, keys, loader->reader.diag));
    LB_TRY(lb_form_need_list(&loader->reader, root, "questions", LB_CATALOGUE_MAX_QUESTIONS,
                             &list));
    size_t num = lb_yaml_len(list);
    catalogue->questions = lb_arena_array(arena, num, sizeof(*catalogue->questions));
    catalogue->names = lb_arena_array(arena, num * 2, sizeof(*catalogue->names));
    LB_ENSURE(catalogue->questions != NULL && catalogue->names != NULL, LB_NO_MEMORY,
              "questions");
    for (size_t i = 0; i < num; i++) {
        LB_TRY(read_question(loader, lb_yaml_item(list, i), &catalogue->questions[i]));
        catalogue->num_questions++;
    }
    return LB_OK;
}
