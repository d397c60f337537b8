#include "gateway/ctl/fake.h"

/* What the agent of the tests says of a case. */

#define TEXT(literal_) ((char *)(uintptr_t)(literal_))

void test_fake_result(const struct test_cli *cli, Lianban__V1__CaseResult *result)
{
    static Lianban__V1__Reason reason = LIANBAN__V1__REASON__INIT;
    static Lianban__V1__Reason *reasons[] = {&reason};
    static Lianban__V1__CaseFact missing = LIANBAN__V1__CASE_FACT__INIT;
    static Lianban__V1__CaseFact *all_missing[] = {&missing};
    reason.condition = TEXT("below_standard");
    reason.truth = TEXT("UNKNOWN");
    reason.text_zh = TEXT("收入低于标准");
    reason.text_en = TEXT("Income below the standard");
    reason.source = TEXT("Law 1");
    result->case_id = TEXT("c-1");
    result->form = TEXT("social-assistance");
    result->form_version = 1;
    result->state = TEXT("DECIDED");
    result->class_id = TEXT(cli->class_id == NULL ? "MANUAL" : cli->class_id);
    result->class_zh = TEXT("人工判定");
    result->class_en = TEXT("For a person to decide");
    result->n_reasons = 1;
    result->reasons = reasons;
    result->documents_saved = 7;
    result->facts_total = 3;
    result->facts_ok = 2;
    result->receipts_checked = 2;
    result->receipts_failed = cli->receipts_failed;
    missing.code = TEXT(cli->missing_code);
    result->n_missing = cli->missing_code == NULL ? 0 : 1;
    result->missing = all_missing;
}
