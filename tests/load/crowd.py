#!/usr/bin/python3
"""So many forms at once, each asking so many departments, through one broker: no fact is lost, every part is in its
intake once, and memory stays within what is stated here.

    crowd.py --bin DIR [--departments N] [--forms N] [--windows N] [--rounds N] [--seed S] [--json] [--keep]

An agent collects 64 cases at a time and lets the others wait, so the forms are spread over several agents of one
office. What the departments keep is read from their databases by SQL (departments.yaml), not by our engine.
"""

import argparse
import collections
import dataclasses
import datetime
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE] + [os.path.join(_HERE, "..", "..", *parts) for parts in
                          (("demo",), ("bench",), ("tests", "crash"), ("tests", "interop"))]

from brokers import edit  # noqa: E402
from city import FORM, City  # noqa: E402
from federation import Federation  # noqa: E402
from generate import DEFAULT_SEED  # noqa: E402
from load import again  # noqa: E402
from machine import Peak, rss_anon_kib  # noqa: E402
from processes import wait_until  # noqa: E402
from stubs import Contract, Refused  # noqa: E402

PEOPLE = 1000
DEADLINE_MS = 60000
CALL_SECONDS = 300
OPEN_AT_ONCE = 16
COME_SECONDS = DELIVERED_SECONDS = 180
PAUSE_SECONDS = 1
SETTLED_SECONDS = 2
LOOK_SECONDS = 0.1
# What a process may hold at its peak in memory that no file backs: so many MiB, and so many KiB for each read that
# can be under way there at once.
LIMITS = {"broker": (48, 48), "window": (32, 64), "adapter": (24, 64), "consent": (24, 64)}
# What a round may add to the peak of the one before it.
GROWTH_MIB, GROWTH = 8, 1.25


class Patient(Contract):
    """Calls that wait: whoever comes at once with so many others is not the first."""

    def call(self, channel, method, request, timeout=CALL_SECONDS, metadata=()):
        return super().call(channel, method, request, timeout, metadata)

    def stream(self, channel, method, request, timeout=CALL_SECONDS, metadata=()):
        return super().stream(channel, method, request, timeout, metadata)


@dataclasses.dataclass
class Case:
    """One person's case at one agent, and what is known of its facts so far."""

    window: object
    id: str
    id_no: str
    facts: dict = dataclasses.field(default_factory=dict)
    asked_again: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # by code


class Crowd:
    """A running federation with one broker, the city's departments, and everybody who comes at once."""

    def __init__(self, federation, city, seed):
        self.federation, self.city = federation, city
        self._windows = [federation.window_at(name) for name, member in federation.members.items()
                         if member.kind == "window"]
        self._people = city.applicants()
        random.Random(seed).shuffle(self._people)
        self.wrong = []
        self.facts = self.parts = 0
        self.asked_again = collections.Counter()
        self.seconds = {}

    def come(self, num):
        """`num` cases, agreed to beforehand, then collected all at once and handed over all at once."""
        cases = self._timed("agree", OPEN_AT_ONCE, self._open, range(num))
        self._timed("collect", num, self._collect, cases)
        self._timed("hand over", num, self._hand_over, cases)
        names = self._timed("arrive", OPEN_AT_ONCE, self._arrive, cases)
        for case in cases:
            self.compare(case)
            self.asked_again.update(case.asked_again)
        self.look_into_intakes(names)
        self._timed("close", OPEN_AT_ONCE, lambda case: again(case.window.discard, case.id), cases)

    def _timed(self, what, workers, act, things):
        began = time.monotonic()
        with ThreadPoolExecutor(workers) as pool:
            done = list(pool.map(act, things))
        self.seconds[what] = round(time.monotonic() - began, 1)
        return done

    # --- steps of a case ---

    def _open(self, number):
        window, members = self._windows[number % len(self._windows)], self._people[number % len(self._people)]
        case_id = again(window.open, members, FORM)
        tickets = [(ticket.member, ticket.request_id) for ticket in again(window.ask, case_id)]
        again(window.confirm, case_id, members, tickets)
        return Case(window, case_id, members[0]["id_no"])

    def _collect(self, case):
        """What did not come in time is asked again, as a window does; that it was is told."""
        until = time.monotonic() + COME_SECONDS
        while True:
            try:
                outcome = again(case.window.collect, case.id)
            except Refused as refused:
                if refused.retry_after_ms == 0 or time.monotonic() > until:
                    raise
                case.asked_again[refused.code] += 1
                time.sleep(refused.retry_after_ms / 1000)
                continue
            case.facts.update((fact.department, fact) for fact in outcome.facts)
            missing = {fact.code for fact in case.facts.values() if fact.state in ("unavailable", "timeout")}
            if not missing or time.monotonic() > until:
                break
            case.asked_again.update(missing)
            time.sleep(PAUSE_SECONDS)
        if outcome.class_id != "TOLD" or outcome.result.receipts_failed:
            self.wrong.append(f"{case.id}: {outcome.class_id}, {outcome.result.receipts_failed} receipts do not hold")

    def _hand_over(self, case):
        again(case.window.submit, case.id)

    def _arrive(self, case):
        """Waits until every part of a case is with its department; the parts' names by department."""
        def parts():
            return again(case.window.parts, case.id)
        try:
            wait_until(lambda: {part.state for part in parts().values()} == {"DELIVERED"}, DELIVERED_SECONDS, case.id)
        except TimeoutError as late:
            self.wrong.append(f"a part did not arrive: {late}")
        return {department: part.name for department, part in parts().items()}

    # --- what must hold ---

    def compare(self, case):
        """Every fact is there, and is what SQL says."""
        for department, expected in self.city.shown(case.id_no).items():
            fact = case.facts.get(department)
            if fact is None:
                self.wrong.append(f"{case.id}: no word of {department}")
                continue
            self.facts += 1
            seen = fact.shown if fact.state == "ok" else None if fact.state == "not_found" else fact.code or fact.state
            if seen != expected or not fact.receipt_ok:
                self.wrong.append(f"{case.id} {department}: {fact.state} {fact.code}, not what SQL says, or no receipt")

    def look_into_intakes(self, names):
        """Every part is in its intake once; `names` as _arrive returns them."""
        for department in self.city.with_part:
            there = self.city.intake(department)
            wanted = [parts.get(department) for parts in names]
            lost = sum(name is None or there[name] != 1 for name in wanted)
            self.parts += len(wanted) - lost
            if lost:
                self.wrong.append(f"{department}: {lost} of {len(wanted)} parts are not there, or not once")
            if len(set(wanted)) != len(wanted):
                self.wrong.append(f"{department}: two cases have one part")


class Watch(threading.Thread):
    """How many reads the broker has under way, looked at again and again while it is used as a context."""

    def __init__(self, federation):
        super().__init__()
        self._federation, self._over = federation, threading.Event()
        self.reads = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.join()

    def run(self):
        (broker,), new = self._federation.brokers, self._federation.contract.new
        while not self._over.wait(LOOK_SECONDS):
            status = again(self._federation.call, broker, "Operations/GetStatus", new("GetStatusRequest"), broker)
            self.reads = max(self.reads, sum(member.pending for member in status.members))


# --- memory ---

def by_role(federation, kib_of):
    """The most that a process of each role holds, in MiB."""
    found = {}
    for name, process in federation.processes.items():
        role = federation.members[name].kind
        found[role] = max(found.get(role, 0.0), round(kib_of(process.pid) / 1024, 1))
    return found


def measured(crowd, num):
    """A round of `num` cases: the peaks of memory by role, and of reads at once."""
    pids = [process.pid for process in crowd.federation.processes.values()]
    with Peak(pids) as peak, Watch(crowd.federation) as watch:
        crowd.come(num)
    return by_role(crowd.federation, peak.kib.get), watch.reads


def limits_mib(departments, forms, windows):
    """The limits by role. The consent office has no reads, but each case's grant."""
    reads = {"broker": departments * forms, "window": departments * -(-forms // windows), "adapter": forms,
             "consent": forms}
    return {role: round(mib + kib * reads[role] / 1024, 1) for role, (mib, kib) in LIMITS.items()}


def breaches(rounds, limits):
    """What of the rounds' memory is over its limits, or grows."""
    found = [f"{role}: {mib} MiB, and {limits[role]} are allowed" for memory in rounds
             for role, mib in memory.items() if mib > limits[role]]
    for before, after in zip(rounds, rounds[1:]):
        found += [f"{role}: {before[role]} MiB in one round, {mib} in the next" for role, mib in after.items()
                  if mib > before[role] * GROWTH + GROWTH_MIB]
    return found


# --- the campaign ---

def populated(folder, binaries, windows, departments, seed, **changes):
    """A federation with its city; nothing runs yet. The agents' and the broker's configuration is for many that come
    at once and wait, or as `changes` say."""
    federation = Federation(folder, binaries, windows=windows)
    federation.contract = Patient()
    federation.populate(DEFAULT_SEED, PEOPLE, datetime.date.today())
    city = City(federation, departments, seed)
    city.come()
    federation.make()
    changes = changes or {"deadline_ms": DEADLINE_MS, "wait_ms": DEADLINE_MS}
    for member in federation.members.values():
        if member.kind == "window":
            edit(member.config, **changes)
        elif member.kind == "broker":
            edit(member.config, **{key: value for key, value in changes.items() if key == "wait_ms"})
    return federation, city


def campaign(federation, city, options, tell):
    """All rounds against a federation that is up; the report."""
    crowd = Crowd(federation, city, options.seed)
    time.sleep(SETTLED_SECONDS)
    idle = by_role(federation, rss_anon_kib)
    one, _ = measured(crowd, 1)
    rounds, most = [], 0
    for number in range(options.rounds):
        memory, reads = measured(crowd, options.forms)
        rounds.append(memory)
        most = max(most, reads)
        tell(number + 1, crowd)
    time.sleep(SETTLED_SECONDS)
    limits = limits_mib(len(city.names), options.forms, options.windows)
    crowd.wrong += breaches(rounds, limits)
    return {"departments": len(city.names), "forms": options.forms, "windows": options.windows,
            "rounds": options.rounds, "facts": crowd.facts, "parts": crowd.parts,
            "asked_again": dict(crowd.asked_again),
            "reads_at_once": most, "seconds_of_last_round": crowd.seconds,
            "memory_mib": {"idle": idle, "one form": one, **{f"round {i + 1}": m for i, m in enumerate(rounds)},
                           "idle again": by_role(federation, rss_anon_kib), "limit": limits},
            "seed": options.seed, "wrong": crowd.wrong}


def tell_report(report):
    print(f"\n{report['forms']} forms at once, {report['rounds']} times, {report['departments']} departments, "
          f"{report['windows']} agents, one broker with up to {report['reads_at_once']} reads under way")
    print(f"{report['facts']} facts as SQL has them, {report['parts']} parts in their intakes once, "
          f"{sum(report['asked_again'].values())} times asked again" +
          "".join(f", {num} for {code}" for code, num in report["asked_again"].items()))
    print("seconds of the last round: " + ", ".join(f"{what} {num}" for what, num in
                                                    report["seconds_of_last_round"].items()))
    roles = list(LIMITS)
    print(f"{'MiB of a process, at most':28}" + "".join(f"{role:>10}" for role in roles))
    for when, memory in report["memory_mib"].items():
        print(f"{when:28}" + "".join(f"{memory[role]:>10}" for role in roles))
    for sentence in report["wrong"]:
        print(f"WRONG  {sentence}")


def _options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", required=True, help="the released programs")
    parser.add_argument("--departments", type=int, choices=range(2, 21), default=20, metavar="N",
                        help="that the form asks (20)")
    parser.add_argument("--forms", type=int, default=200, help="at once (200)")
    parser.add_argument("--windows", type=int, choices=range(1, 9), default=4, metavar="N",
                        help="agents of the office (4)")
    parser.add_argument("--rounds", type=int, default=2, help="so often (2)")
    parser.add_argument("--seed", type=int, default=None, help="the same people and records again")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    return options


def main():
    options = _options()
    folder = tempfile.mkdtemp(prefix="lianban-load-")
    print(f"seed {options.seed}, in {folder}", file=sys.stderr)

    def tell(number, crowd):
        print(f"  {number} of {options.rounds} rounds, {crowd.facts} facts, {len(crowd.wrong)} wrong", file=sys.stderr,
              flush=True)

    federation, city = populated(folder, options.bin, options.windows, options.departments, options.seed)
    try:
        federation.start()
        report = campaign(federation, city, options, tell)
    finally:
        city.close()
        federation.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(report, indent=1)) if options.json else tell_report(report)
    return 1 if report["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
