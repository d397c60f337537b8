#!/usr/bin/python3
"""What happens when more comes than can be done: cases come at a rate, whether or not the earlier ones are over (an
open loop). The rate is raised until not all of them are done any more; then several times as many come for a while.

    overload.py --bin DIR [--departments N] [--windows N] [--slice S] [--seconds S] [--times N] [--lose PART]
                [--wait MS] [--seed S] [--json] [--keep]

What must hold under overload: as many cases are done in a second as at the best rate, all but --lose of them; whoever
was let in is done within the deadline of a case; the others are told at once, and when to come again; no agent's cases
are kept out by another's; nothing fails otherwise; and no process holds much more memory than before.
"""

import argparse
import collections
import dataclasses
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

from city import FORM  # noqa: E402
from crowd import by_role, populated  # noqa: E402
from load import again  # noqa: E402
from machine import Peak  # noqa: E402
from stubs import Refused  # noqa: E402

DEADLINE_MS = 15000
FIRST_RATE, STEP, MOST_STEPS = 2.0, 1.5, 14
# A rate is sustained while so many of those who come are done, and nearly as fast as they come: the last of a short
# slice are over after it.
SUSTAINED, KEEPS_UP = 0.95, 0.75
# The last few say more of themselves than of the rate.
MOST = 0.95
OPEN_AT_ONCE, CALLERS = 8, 1024
SETTLED_SECONDS = 1
# What an agent gets of its even share, at least.
EVEN = 0.5
# Whoever is told to come again is told in this part of the deadline: an agent waits 3 s for a place of its own, and
# asks a broker again for a third of the deadline.
AT_ONCE = 0.6
GROWTH_MIB, GROWTH = 32, 1.5


@dataclasses.dataclass
class Slice:
    """What came of the cases that came at one rate."""

    rate: float
    seconds: float
    offered: int = 0
    done: list = dataclasses.field(default_factory=list)     # seconds from its time to come until it was over
    refused: list = dataclasses.field(default_factory=list)  # likewise
    unsaid: int = 0                                           # refused without a time to come again
    by_window: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    wrong: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    ends: list = dataclasses.field(default_factory=list)     # when those that are done were over, from the begin

    @property
    def goodput(self):
        """Done in a second, until all but the last few of those who came are done."""
        ranked = sorted(self.ends)
        if not ranked:
            return 0.0
        num = max(1, int(MOST * len(ranked)))
        return num / max(ranked[num - 1], MOST * self.seconds)

    @property
    def sustained(self):
        return len(self.done) >= SUSTAINED * self.offered and self.goodput >= KEEPS_UP * self.rate

    def told(self):
        return {"offered_per_second": round(self.rate, 2), "done_per_second": round(self.goodput, 2),
                "offered": self.offered, "done": len(self.done), "told_to_come_again": len(self.refused),
                "done_p50_ms": millis(self.done, 0.5), "done_p99_ms": millis(self.done, 0.99),
                "told_p99_ms": millis(self.refused, 0.99), "done_by_window": dict(self.by_window),
                "wrong": dict(self.wrong)}


def millis(seconds, share):
    """The quantile in milliseconds; 0 of nothing."""
    ranked = sorted(seconds)
    return round(1000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))]) if ranked else 0


class Stock:
    """Cases that are agreed to and not collected, by agent; one that was told to come again goes back."""

    def __init__(self, federation, city, seed):
        self.windows = [(name, federation.window_at(name)) for name, member in federation.members.items()
                        if member.kind == "window"]
        self._people = city.applicants()
        random.Random(seed).shuffle(self._people)
        self._cases = {name: collections.deque() for name, _ in self.windows}
        self._number = 0

    def fill(self, num):
        """Opens cases until there are so many."""
        missing = []
        for name, window in self.windows:
            lacks = -(-num // len(self.windows)) - len(self._cases[name])
            missing += [(name, window)] * max(0, lacks)
        random.Random(self._number).shuffle(missing)
        with ThreadPoolExecutor(OPEN_AT_ONCE) as pool:
            list(pool.map(self._open, missing, range(self._number, self._number + len(missing))))
        self._number += len(missing)

    def _open(self, where, number):
        name, window = where
        members = self._people[number % len(self._people)]
        case_id = patiently(window.open, members, FORM)
        tickets = [(ticket.member, ticket.request_id) for ticket in patiently(window.ask, case_id)]
        patiently(window.confirm, case_id, members, tickets)
        self._cases[name].append(case_id)

    def take(self, name):
        return self._cases[name].popleft()

    def give_back(self, name, case_id):
        self._cases[name].append(case_id)


def patiently(call, *arguments):
    """A call that comes again when it is told to."""
    while True:
        try:
            return again(call, *arguments)
        except Refused as refused:
            if refused.retry_after_ms == 0:
                raise
            time.sleep(refused.retry_after_ms / 1000)


def collect(window, case_id):
    """One case, once: "" when it is done, or what came instead."""
    outcome = window.collect(case_id)
    missing = sorted({fact.code or fact.state for fact in outcome.facts if fact.state not in ("ok", "not_found")})
    if missing or outcome.class_id != "TOLD" or outcome.result.receipts_failed:
        return ", ".join(missing) or outcome.class_id
    return ""


class Loop:
    """Cases that come at a rate, each to the next agent."""

    def __init__(self, stock):
        self._stock, self._lock = stock, threading.Lock()

    def run(self, rate, seconds):
        found = Slice(rate, seconds)
        begin = time.monotonic()
        with ThreadPoolExecutor(CALLERS) as pool:
            for number in range(max(1, int(rate * seconds))):
                due = begin + number / rate
                time.sleep(max(0.0, due - time.monotonic()))
                name, window = self._stock.windows[number % len(self._stock.windows)]
                pool.submit(self._one, found, name, window, self._stock.take(name), begin, due)
                found.offered += 1
        return found

    def _one(self, found, name, window, case_id, begin, due):
        refused, wrong = None, ""
        try:
            wrong = collect(window, case_id)
        except Refused as error:
            refused = error
        took = time.monotonic() - due
        with self._lock:
            if refused is None and not wrong:
                found.done.append(took)
                found.ends.append(time.monotonic() - begin)
                found.by_window[name] += 1
            elif refused is not None and refused.code == "BUSY":
                found.refused.append(took)
                found.unsaid += refused.retry_after_ms == 0
            else:
                found.wrong[wrong or f"{refused.canonical} {refused.code}"] += 1
        if refused is not None and refused.code == "BUSY":
            self._stock.give_back(name, case_id)


def sustainable(stock, seconds, tell):
    """The slices at rising rates, until one is not sustained."""
    loop, found, rate = Loop(stock), [], FIRST_RATE
    loop.run(rate, seconds)  # connections, plans, caches
    for _ in range(MOST_STEPS):
        stock.fill(int(1.1 * rate * seconds) + 4)
        found.append(loop.run(rate, seconds))
        tell(found[-1])
        if not found[-1].sustained and rate > FIRST_RATE:
            break
        rate *= STEP
    return found


def breaches(report, most, lose, patience=1.0):
    """What of the report is not as it must be."""
    over, wrong = report["overload"], []
    peak = report["best_done_per_second"]
    if over["done_per_second"] < (1 - lose) * peak:
        wrong.append(f"{over['done_per_second']} cases a second are done under overload, {peak} at best")
    if over["done_p99_ms"] > most:
        wrong.append(f"whoever was let in took up to {over['done_p99_ms']} ms (p99), and {most} are allowed")
    if over["told_p99_ms"] > AT_ONCE * DEADLINE_MS * patience:
        wrong.append(f"whoever was told to come again was told after up to {over['told_p99_ms']} ms (p99)")
    if report["told_without_a_time"]:
        wrong.append(f"{report['told_without_a_time']} were not told when to come again")
    if not over["told_to_come_again"]:
        wrong.append("nobody was told to come again: that was no overload")
    even = over["done"] / report["windows"]
    done = [over["done_by_window"].get(name, 0) for name in report["agents"]]
    if min(done) < EVEN * even:
        wrong.append(f"agents got {done}, and {round(even)} each would be even")
    wrong += [f"{num} times {what}" for part in (*report["slices"], over) for what, num in part["wrong"].items()]
    before, after = report["memory_mib"]["before"], report["memory_mib"]["overload"]
    wrong += [f"{role}: {before[role]} MiB before, {mib} under overload" for role, mib in after.items()
              if mib > before[role] * GROWTH + GROWTH_MIB]
    return wrong


def campaign(federation, city, options, tell):
    """Finds the rate, offers several times as much, and reports."""
    stock = Stock(federation, city, options.seed)
    pids = [process.pid for process in federation.processes.values()]
    stock.fill(int(FIRST_RATE * options.slice) + 4)
    with Peak(pids) as before:
        slices = sustainable(stock, options.slice, tell)
    best = max(part.goodput for part in slices)
    held = max([part.rate for part in slices if part.sustained], default=FIRST_RATE)
    # Nobody may be missing: those who are done, and who have not been told yet to come again.
    stock.fill(int(options.times * held * min(options.seconds, AT_ONCE * DEADLINE_MS / 1000 + 2)
                   + 1.2 * best * options.seconds))
    time.sleep(SETTLED_SECONDS)
    with Peak(pids) as during:
        over = Loop(stock).run(options.times * held, options.seconds)
    tell(over)
    report = {"departments": len(city.names), "windows": len(stock.windows), "times": options.times,
              "agents": [name for name, _ in stock.windows],
              "sustained_per_second": round(held, 2), "best_done_per_second": round(best, 2),
              "slices": [part.told() for part in slices], "overload": over.told(),
              "told_without_a_time": over.unsaid + sum(part.unsaid for part in slices),
              "memory_mib": {"before": by_role(federation, before.kib.get),
                             "overload": by_role(federation, during.kib.get)},
              "seed": options.seed}
    report["wrong"] = breaches(report, DEADLINE_MS * options.patience, options.lose, options.patience)
    return report


def tell_report(report):
    print(f"\n{report['departments']} departments, {report['windows']} agents, cases that come at a rate")
    print(f"{'come/s':>8}{'done/s':>8}{'done':>7}{'told':>7}{'p50 ms':>8}{'p99 ms':>8}{'told p99':>10}")
    for part in (*report["slices"], report["overload"]):
        print(f"{part['offered_per_second']:>8}{part['done_per_second']:>8}{part['done']:>7}"
              f"{part['told_to_come_again']:>7}{part['done_p50_ms']:>8}{part['done_p99_ms']:>8}"
              f"{part['told_p99_ms']:>10}")
    over, best = report["overload"], report["best_done_per_second"]
    print(f"sustained {report['sustained_per_second']} a second; at {report['times']} times that, "
          f"{round(100 * over['done_per_second'] / best)} % of the best {best} are done")
    print("done by agent: " + ", ".join(f"{name} {num}" for name, num in sorted(over["done_by_window"].items())))
    for when, memory in report["memory_mib"].items():
        print(f"{when:10}" + "".join(f"  {role} {mib} MiB" for role, mib in memory.items()))
    for sentence in report["wrong"]:
        print(f"WRONG  {sentence}")


def options_of(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", required=True, help="the released programs")
    parser.add_argument("--overload", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--departments", type=int, choices=range(2, 21), default=10, metavar="N",
                        help="that the form asks (10)")
    parser.add_argument("--windows", type=int, choices=range(1, 9), default=3, metavar="N", help="agents (3)")
    parser.add_argument("--slice", type=float, default=4.0, metavar="S", help="seconds for each rate that is tried (4)")
    parser.add_argument("--seconds", type=float, default=12.0, metavar="S", help="of overload (12)")
    parser.add_argument("--times", type=float, default=4.0, metavar="N", help="the sustained rate (4)")
    parser.add_argument("--lose", type=float, default=0.1, metavar="PART", help="of the best, at most (0.1)")
    parser.add_argument("--patience", type=float, default=1.0, metavar="N",
                        help="times the waiting that is allowed, where the machine does other things as well (1)")
    parser.add_argument("--wait", type=int, default=None, metavar="MS",
                        help="for a place, at an agent (as it is released). No more than 1,024 come at a time, so\n"
                             "where they are done in less than 3 s, nobody is refused unless this is shorter")
    parser.add_argument("--seed", type=int, default=None, help="the same people and records again")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    options = parser.parse_args(arguments)
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    return options


def run(options):
    """The report of one campaign in a federation of its own."""
    folder = tempfile.mkdtemp(prefix="lianban-overload-")
    print(f"seed {options.seed}, in {folder}", file=sys.stderr)

    def tell(part):
        print(f"  {part.rate:.1f} come a second, {part.goodput:.1f} are done, {len(part.refused)} told to come again",
              file=sys.stderr, flush=True)

    changes = {"deadline_ms": DEADLINE_MS, **({} if options.wait is None else {"wait_ms": options.wait})}
    federation, city = populated(folder, options.bin, options.windows, options.departments, options.seed, **changes)
    try:
        federation.start()
        return campaign(federation, city, options, tell)
    finally:
        city.close()
        federation.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    options = options_of()
    report = run(options)
    print(json.dumps(report, indent=1)) if options.json else tell_report(report)
    return 1 if report["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
