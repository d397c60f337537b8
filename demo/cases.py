"""Scenes about cases: every class, one case by the command line, a department that goes away."""

import collections
import json
import math
import os
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import yaml

from material import FORM
from processes import wait_until
from stubs import Refused

_IN_FLIGHT = 8
_STOPPED = "social-security"
_APPLY_SECONDS = 60
_NOTICE_LINES = 7


def find_story(federation, key):
    """The household a story is about."""
    return next(h for h in federation.households if h.get("story", {}).get("key") == key)


# --- one case by the command line ---

def by_command(federation, narrator):
    """One household by `lianban apply`, while the desk beside it confirms."""
    household = find_story(federation, "tekun-home")
    narrator.scene("窗口经办：一条命令办一件事", "At the window: one command, one application")
    narrator.say("一位独居老人申请社会救助。她在同意服务台出示身份证并同意；各部门只回答所问，她不必带任何证明。",
                 "An old woman applies. She shows her card and agrees at the consent desk; the departments "
                 "answer what is asked, and she brings no papers.")
    narrator.line("$ lianban apply --form social-assistance --household - --language zh")
    shown, printed = _apply(federation, household, "zh")
    narrator.quote(_shorten(shown))
    good = printed == household["class"]
    narrator.verdict(good, f"结论 {printed}，应为 {household['class']}",
                     f"suggested {printed}, expected {household['class']}")
    return {"scene": "command", "ok": good, "expected": household["class"], "actual": printed}


def _apply(federation, household, language):
    """(what it printed, the class): the command waits for the desk, which works in this process."""
    members = household["members"]
    with tempfile.TemporaryDirectory() as folder:
        tickets = os.path.join(folder, "tickets.json")
        command = [os.path.join(federation.binaries, "lianban"), "apply", "--form", "social-assistance",
                   "--household", "-", "--agent", federation.members["window"].address,
                   "--operator", "W-0017", "--unit", "street-office-01", "--labels", FORM,
                   "--tickets", tickets, "--wait", str(_APPLY_SECONDS), "--language", language]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) as run:
            run.stdin.write(yaml.safe_dump({"members": members}, allow_unicode=True))
            run.stdin.close()
            case_id = _confirm_tickets(federation, tickets, members, run)
            shown = run.stdout.read()
    return shown, federation.window.get(case_id).class_id if case_id else "(none)"


def _confirm_tickets(federation, path, members, run):
    """Confirms as the command's tickets appear; returns the case's number, or "" if it ended first."""
    wait_until(lambda: os.path.exists(path) or run.poll() is not None, _APPLY_SECONDS, "a ticket")
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        case = json.load(file)
    federation.window.confirm(case["case_id"], members,
                              [(ticket["member"], ticket["request_id"]) for ticket in case["tickets"]])
    return case["case_id"]


def _shorten(shown):
    """Without most of the notice, which is long."""
    lines = shown.split("\n")
    tickets = next((i for i, line in enumerate(lines) if line.startswith("成员")), 0)
    return "\n".join(lines[:_NOTICE_LINES] + ["……"] + lines[tickets:])


# --- every class ---

def classes(federation, narrator, seconds):
    """Story households, then as many others as begin within `seconds`; expected and suggested classes."""
    stories = [h for h in federation.households if "story" in h]
    others = [h for h in federation.households if "story" not in h]
    narrator.scene("各类家庭：应得与实得", "Households of each class: expected and suggested")
    results = _judge(federation, stories, narrator)
    for household, actual in results:
        story = household["story"]
        narrator.row(actual == household["class"], (story["zh"], 30), (story["en"], 44),
                     (household["class"], 7), (actual, 7))
    began = time.monotonic()
    rest = _judge(federation, others, narrator, began + seconds)
    took = time.monotonic() - began
    wrong = [pair for pair in results + rest if pair[1] != pair[0]["class"]]
    count = collections.Counter(household["class"] for household, _ in rest)
    told = "，".join(f"{name} {num}" for name, num in sorted(count.items()))
    narrator.verdict(not wrong, f"另有 {len(rest)} 户（共 {len(others)} 户），用时 {took:.0f} 秒：{told}；"
                                f"不一致 {len(wrong)} 户",
                     f"{len(rest)} of {len(others)} others in {took:.0f} s; {len(wrong)} of all differ")
    for household, actual in wrong[:20]:
        narrator.line(f"household {household['household']}: {household['class']} {household['reasons']}"
                      f" expected, {actual} suggested")
    return {"scene": "classes", "ok": not wrong, "households": _entries(results + rest),
            "not_asked": len(others) - len(rest), "seconds": round(took, 1)}


def _entries(results):
    """Without names or numbers: a result file is no second central copy."""
    return [{"household": household["household"], "story": household.get("story", {}).get("key"),
             "expected": household["class"], "actual": actual} for household, actual in results]


def _judge(federation, households, narrator, until=math.inf):
    """[(household, class)] in the order given, several cases at a time; none begins after `until`."""
    done, lock = [0], threading.Lock()

    def one(household):
        actual = _suggested(federation, household) if time.monotonic() < until else None
        with lock:
            done[0] += 1
            narrator.progress("办件", "cases", done[0], len(households))
        return household, actual

    with ThreadPoolExecutor(_IN_FLIGHT) as pool:
        return [pair for pair in pool.map(one, households) if pair[1] is not None]


def _suggested(federation, household):
    try:
        outcome = federation.window.apply(household["members"])
        if outcome.result.receipts_failed:
            return "RECEIPTS"
        federation.window.discard(outcome.case_id)
        return outcome.class_id
    except Refused as refused:
        return refused.code or refused.canonical


# --- a department goes away ---

def department_away(federation, narrator):
    """An adapter is killed in the middle of a case, and comes back."""
    household = find_story(federation, "dibao-couple")
    members = household["members"]
    narrator.scene("一个部门中途断线", "A department goes away in mid-case")
    case_id = federation.window.open(members)
    federation.window.agree(case_id, members)
    cut = cut_short(federation, case_id, _STOPPED)
    states = cut.states(_STOPPED)
    held = cut.class_id == "MANUAL" and states == ["unavailable"]
    narrator.verdict(held, f"人社适配器在办件途中被强行终止：{_STOPPED} = {'/'.join(states)}，结论 {cut.class_id}（转人工，不当作“没有”）",
                     f"its adapter was killed: {_STOPPED} is {'/'.join(states)}, suggestion {cut.class_id}; "
                     "unknown is never no")
    federation.restart(_STOPPED)
    whole = federation.window.collect(case_id)
    completed = whole.class_id == household["class"]
    narrator.verdict(completed, f"恢复后同一办件继续：结论 {whole.class_id}，应为 {household['class']}",
                     f"it returns, the same case completes: {whole.class_id}, expected {household['class']}")
    return {"scene": "away", "ok": held and completed, "department": _STOPPED, "cut_short": cut.class_id,
            "states": states, "expected": household["class"], "actual": whole.class_id,
            "case": case_id}


def cut_short(federation, case_id, department):
    """Collects, and kills a department's adapter once another department has answered."""
    process = federation.processes[department]
    process.signal(signal.SIGSTOP)
    killed = threading.Event()

    def on_fact(fact):
        if fact.department != department and not killed.is_set():
            killed.set()
            process.kill()

    return federation.window.collect(case_id, on_fact)
