"""The story in its order, and what came of it."""

import time

import all_forms
import blind
import cases
import logs
import hostile
import outreach
from members import DEPARTMENTS


def tell(federation, narrator, seconds):
    """Runs every scene; returns the results, `ok` only if every expectation held."""
    began = time.monotonic()
    scenes = [
        cases.by_command(federation, narrator),
        cases.classes(federation, narrator, seconds),
        cases.department_away(federation, narrator),
    ]
    denials = hostile.refusals(federation, narrator)
    scenes += [
        denials,
        logs.logs_hold(federation, narrator, denials["refusals"]),
        blind.broker_is_blind(federation, narrator),
    ]
    return {"ok": all(scene["ok"] for scene in scenes), "scenes": scenes,
            "seconds": round(time.monotonic() - began, 1)}


def tell_forms(federation, narrator, watches):
    """The scene of all forms alone, and that of the triggers."""
    began = time.monotonic()
    scenes = [all_forms.by_class(federation, narrator), outreach.finding(federation, narrator, watches)]
    return {"ok": all(scene["ok"] for scene in scenes), "scenes": scenes,
            "seconds": round(time.monotonic() - began, 1)}


def introduce(narrator, num_people, federation):
    narrator.scene("十个部门、一个中转方、一个同意服务台、一个窗口",
                   "Ten departments, a broker, a consent office, a window")
    narrator.say(f"虚构的 {num_people} 人、{len(federation.households)} 户，分散在十个部门各自的数据库里；"
                 f"{len(federation.processes)} 个进程，全新的证书与密钥，双向 TLS。",
                 f"{num_people} invented people in {len(federation.households)} households, spread over ten "
                 f"departments' own databases; {len(federation.processes)} processes, fresh keys, mutual TLS.")
    narrator.line(" ".join(DEPARTMENTS))
