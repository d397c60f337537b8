"""The same ten-department look-up by PostgreSQL's postgres_fdw, beside whole cases of ours, in one run.

Ten department servers with the demo's data, each behind a masking view; a front that gathers them; the
look-up a prepared statement over persistent TLS connections. Several ways to run it are tried and the best
one is kept, for each number in flight by itself.
"""

import os

import pgfdw_load
import spread
from measure import LoadFailed
from members import DEPARTMENTS
from pgfdw_servers import Servers, StartFailed, missing

LEVELS = (1, 8)
TARGET_LEVEL, TARGET = 8, 4.0
_APPLICANTS = 8
_WARM_MS = 1000
_TRIAL_SECONDS = 2
# Ways to run it, by what is told the foreign servers; the first is what a server has that nobody tuned.
_WAYS = {
    "one department after another": {},
    "async_capable": {"async_capable": "true"},
    "async_capable, parallel_commit": {"async_capable": "true", "parallel_commit": "true"},
    "parallel_commit": {"parallel_commit": "true"},
    "async_capable, parallel_commit, fetch_size 1000": {
        "async_capable": "true", "parallel_commit": "true", "fetch_size": "1000"},
    "async_capable, parallel_commit, use_remote_estimate": {
        "async_capable": "true", "parallel_commit": "true", "use_remote_estimate": "true"},
}
_QUICK_WAYS = ("async_capable, parallel_commit",)
NOT_DONE = (
    "What this look-up does not do: no grant is checked and none can be withdrawn, nobody's consent is asked; the",
    "front sees every person and every answer, incomes of one department included; the audit lines stand on one",
    "side's word, unsigned, in a file that is not synced before the answer leaves and that its owner can edit.",
)


class Differs(LoadFailed):
    """The look-up and a case of ours do not say the same of a person, or a read was not logged."""


def measure(bench, federation, plan, say):
    """Slices of both sides in turn, at each of LEVELS; `bench` has a running federation. Raises StartFailed,
    LoadFailed or Differs."""
    people = _applicants(os.path.join(federation.root, "applicants.tsv"))
    told = [_told(federation, id_no) for id_no, _ in people]
    say("PostgreSQL: a server for each department and one in front")
    with Servers(os.path.join(federation.root, "departments"), DEPARTMENTS) as servers:
        load = pgfdw_load.Load(servers, people)
        compared = sum(same(facts, load.answer(number)) for number, facts in enumerate(told))
        ways = {name: _WAYS[name] for name in _QUICK_WAYS} if plan.get("quick") else _WAYS
        trials = _trials(servers, load, ways, plan, say)
        levels = [_level(bench, servers, load, best(trials, level), plan, say, level) for level in LEVELS]
        return {"applicants": _APPLICANTS, "facts_compared": compared, "trials": trials, "levels": levels,
                "audit_lines": _audited(servers, load)}


def best(trials, in_flight):
    """The way with the most look-ups a second."""
    return max((trial for trial in trials if trial["in_flight"] == in_flight),
               key=lambda trial: trial["per_second"])["way"]


def targets(found):
    """What the look-up is asked to stay behind, as (measured and required) numbers."""
    level = next(entry for entry in found["levels"] if entry["in_flight"] == TARGET_LEVEL)
    return [{"id": "pgfdw_cases", "name": "cases/s / postgres_fdw best plan, at 8 in flight", "relation": ">=",
             "required": TARGET, "measured": level["ratio"]["per_second"]["median"]}]


def lines(found):
    """For people."""
    told = ["the same look-up by postgres_fdw: ten servers and one in front, TLS with certificates both ways, pgaudit",
            f"  {'':<22}{'look-ups or cases/s':>24}{'p50 ms':>24}{'p99 ms':>26}{'n':>7}"]
    for entry in found["levels"]:
        for name in ("ours", "postgres_fdw"):
            side = entry[name]
            label = f"{name}, {entry['in_flight']} in flight"
            told.append(f"  {label:<22}{spread.text(side['per_second']):>24}{spread.text(side['p50_ms']):>24}"
                        f"{spread.text(side['p99_ms']):>26}{side['n']:>7}")
        ratios = entry["ratio"]
        told.append(f"  {'ours / postgres_fdw':<22}{spread.text(ratios['per_second'], 3):>24}"
                    f"{spread.text(ratios['p50_ms'], 2):>24}")
        cost = entry["cpu_ms"]
        told += [f"  processor ms of one, {name}: {_cost(cost[name])}" for name in ("ours", "postgres_fdw")]
        told.append(f"  best plan: {entry['way']}; the Append is {'asynchronous' if entry['async'] else 'serial'}")
    told += ["  tried, look-ups/s: " + "; ".join(
        f"{trial['way']} {trial['per_second']:.0f} at {trial['in_flight']}" for trial in found["trials"])]
    told.append(f"  {found['facts_compared']} facts of {found['applicants']} people are the same on both sides; "
                f"{found['audit_lines']} audit lines")
    return told + ["  " + line for line in NOT_DONE] + [""]


# --- inside ---

def _cost(by_role):
    parts = ", ".join(f"{role} {ms:.1f}" for role, ms in sorted(by_role.items()))
    return f"{sum(by_role.values()):.1f} ({parts})"


def _applicants(path):
    with open(path, encoding="utf-8") as file:
        people = [tuple(line.split("\t")[:2]) for line in file]
    return people[:_APPLICANTS]


def _trials(servers, load, ways, plan, say):
    """Every way at every level, shortly."""
    found = []
    for name, options in ways.items():
        say(f"PostgreSQL: {name}")
        servers.option(options)
        for level in LEVELS:
            result = load.run(level, min(plan["seconds"], _TRIAL_SECONDS), _WARM_MS)
            found.append({"way": name, "in_flight": level, "per_second": result["per_second"],
                          "p50_ms": result["p50_ms"]})
    return found


def _level(bench, servers, load, way, plan, say, in_flight):
    say(f"PostgreSQL: {in_flight} in flight beside ours")
    servers.option(_WAYS[way])
    seconds, ours, theirs = plan["seconds"], [], []
    for number in range(plan["rounds"]):
        turns = [lambda: theirs.append(load.run(in_flight, seconds, _WARM_MS)),
                 lambda: ours.append(bench.forms(in_flight, seconds))]
        for turn in turns if number % 2 == 0 else reversed(turns):
            turn()
    return {"in_flight": in_flight, "way": way, "async": "Async Foreign Scan" in load.plan(),
            "ours": spread.side(ours), "postgres_fdw": spread.side(theirs),
            "ratio": {figure: spread.ratio(ours, theirs, figure) for figure in ("per_second", "p50_ms")},
            "cpu_ms": {"ours": spread.cpu(ours), "postgres_fdw": spread.cpu(theirs)}}


def _told(federation, id_no):
    """What a case of ours says of a person."""
    household = next(each for each in federation.households if each["members"][0]["id_no"] == id_no)
    outcome = federation.window.apply(household["members"])
    federation.window.discard(outcome.case_id)
    return outcome.facts


def same(facts, rows):
    """How many of a case's facts that may be shown the look-up's rows say too. Raises Differs."""
    shown = [fact for fact in facts if fact.shown or fact.state != "ok"]
    for fact in shown:
        value, as_of = rows.get((fact.department, fact.fact), (None, fact.as_of))
        ours = {"true": "1", "false": "0"}.get(fact.shown, fact.shown)
        # No row says nothing of 0, FALSE and, where the register is not complete, not found.
        theirs = value if (fact.department, fact.fact) in rows else "0" if fact.state == "ok" else ""
        if ours != (theirs or "") or as_of != fact.as_of:
            raise Differs(f"{fact.department} {fact.fact}: {ours} of {fact.as_of} by us, {theirs} of {as_of} by the "
                          "look-up")
    return len(shown)


def _audited(servers, load):
    """Lines of pgaudit in all; every look-up left one at each server."""
    counts = {cluster.name: cluster.audited() for cluster in servers.all}
    for name, count in counts.items():
        if count < load.ended:
            raise Differs(f"{name} logged {count} reads of {load.ended}")
    return sum(counts.values())


__all__ = ["Differs", "LoadFailed", "StartFailed", "best", "lines", "measure", "missing", "same", "targets"]
