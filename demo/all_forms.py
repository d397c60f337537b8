"""A scene: every form with every class it can come to, through the whole federation."""

from concurrent.futures import ThreadPoolExecutor

import forms
from stubs import Refused

_IN_FLIGHT = 8


def by_class(federation, narrator):
    """The told cases of all forms; expected and suggested class, and the documents nobody had to bring."""
    cases = _told(federation)
    narrator.scene("每张表，每一类结果", "Every form, every class it can come to")
    narrator.say("每一行是一次完整办理：告知、同意、各部门最小化答复、回执核验、规则判定。",
                 "Each line is a whole application: notice, consent, minimized answers, receipts checked, rules.")
    with ThreadPoolExecutor(_IN_FLIGHT) as pool:
        ended = list(pool.map(lambda case: _apply(federation, case), cases))
    for case, (actual, saved) in zip(cases, ended):
        narrator.row(actual == case["class"], (case["form"], 22), (case["class"], 9), (actual, 9),
                     (f"{saved:3d}", 4), (case["zh"], 34), (case["en"], 0))
    wrong = sum(actual != case["class"] for case, (actual, _) in zip(cases, ended))
    saved = sum(saved for _, saved in ended)
    narrator.verdict(not wrong, f"{len(cases)} 件，{len({case['form'] for case in cases})} 张表，不一致 {wrong} 件；"
                                f"免提交材料 {saved} 份",
                     f"{len(cases)} cases of {len({case['form'] for case in cases})} forms, {wrong} differ; "
                     f"{saved} documents not asked for")
    return {"scene": "all-forms", "ok": not wrong, "documents_saved": saved, "cases": [
        {"form": case["form"], "story": case["key"], "expected": case["class"], "actual": actual,
         "documents_saved": count} for case, (actual, count) in zip(cases, ended)]}


def _told(federation):
    """The stories of social assistance, then those of the other forms."""
    households = [{"form": "social-assistance", **household["story"], "class": household["class"],
                   "members": household["members"]} for household in federation.households if "story" in household]
    return households + [case for case in forms.cases_of(federation.people) if case["key"]]


def _apply(federation, case):
    try:
        outcome = federation.window.apply(case["members"], case["form"])
        federation.window.discard(outcome.case_id)
        if outcome.result.receipts_failed:
            return "RECEIPTS", 0
        return outcome.class_id, outcome.result.documents_saved
    except Refused as refused:
        return refused.code or refused.canonical, 0
