"""The parts that load the whole federation: the ten-department case beside both bare fan-outs, what
its stages take, and memory."""

import machine
import metrics
import report
from measure import LEVELS

_STAGE_LEVELS = (1, 64)
_CROWD = 1024
_SIDES = ("baseline", "coalesced", "forms")


def _slices(bench, plan, in_flight, number):
    """One round at one level; who goes first changes from round to round."""
    seconds, found = plan["seconds"], {}
    first = number % len(_SIDES)
    for side in _SIDES[first:] + _SIDES[:first]:
        found[side] = getattr(bench, side)(in_flight, seconds)
    found["collects"] = bench.collects(in_flight, found["forms"]["per_second"] * seconds,
                                       (1 if plan["quick"] else 2) * in_flight)
    return found


def measure(bench, plan, say):
    """All slices by level, as the report has them."""
    slices = {level: {side: [] for side in (*_SIDES, "collects")} for level in LEVELS}
    for number in range(plan["rounds"]):
        say(f"fan-out, round {number + 1} of {plan['rounds']}")
        for level in LEVELS:
            for side, result in _slices(bench, plan, level, number).items():
                slices[level][side].append(result)
    return {"levels": [report.level(level, **slices[level]) for level in LEVELS],
            "bytes_per_hop": bench.bytes}


def stages(bench, federation, plan, say):
    """What the nodes count themselves while cases run."""
    say("stages of a read and of a case")
    nodes = {role: [process for name, process in federation.processes.items()
                    if federation.members[name].kind == role] for role in ("adapter", "broker")}
    found = []
    for in_flight in _STAGE_LEVELS:
        before = {role: metrics.scrape(some) for role, some in nodes.items()}
        result = bench.forms(in_flight, plan["seconds"])
        after = {role: metrics.scrape(some) for role, some in nodes.items()}
        found.append({
            "in_flight": in_flight, "failed": result["failed"],
            "case_ms": {step: times["mean_ms"] for step, times in result["steps"].items()},
            "cpu_ms_per_case": {role: round(ms, 3) for role, ms in result["cpu_ms"].items()},
            **{role + "_us": metrics.between(role, before[role], after[role]) for role in nodes}})
    return found


def memory(bench, federation, idle, peak, num, say):
    """KiB of each role idle, under the load of the other parts, and while `num` (default 1,024) cases are
    collected at once. The broker counts by itself."""
    num = num or _CROWD
    say(f"memory with {num} cases in flight")
    with bench.watched() as crowd:
        result = bench.collects(num, num, num)
    crowded = bench.memory(crowd.kib.get)
    return {"idle": idle, "loaded": bench.memory(peak.kib.get), "crowd": crowded, "crowd_cases": num,
            "failed": result["failed"], "failure": result.get("failure", ""),
            "kib_per_case": {role: round((crowded[role] - idle[role]) / num, 2) for role in idle}}


def idle(bench):
    """KiB of each role right after the start."""
    return bench.memory(machine.rss_anon_kib)
