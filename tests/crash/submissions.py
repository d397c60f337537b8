"""Kills brokers, adapters and the agent while cases are handed to departments, one of two brokers in the end
for good, and checks that every part is in its department's intake once, that every part is decided, and that
nothing is left on the way.

For `crash.py --submissions` and, in short, for test_crash.py.
"""

import collections
import os
import random
import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(_HERE, "..", "..", "demo"), os.path.join(_HERE, "..", "interop")]

from clerks import enrolled  # noqa: E402
from load import again, opened  # noqa: E402
from processes import wait_until  # noqa: E402
from search import find, needles  # noqa: E402
from stubs import Refused  # noqa: E402

CLASSES = ("TEKUN", "DIBAO", "SINGLE", "EDGE", "RIGID")
DEPARTMENTS = ("civil-affairs", "medical-insurance")
AGENT = "window"
IN_FLIGHT = 8
INSTANT_SECONDS = 0.4
END_SECONDS = 180
BACK_SECONDS = 60


class Submissions:
    """A running federation with two brokers, whose windows hand over what was judged before."""

    def __init__(self, federation, seed):
        self.federation, self._dice = federation, random.Random(seed)
        self.kills, self.wrong = collections.Counter(), []
        self.cases, self.parts = [], 0
        self.seconds = 0.0
        self._over = threading.Event()
        self._clerks = enrolled(federation, DEPARTMENTS, 2)
        self._victims = [*federation.brokers, *DEPARTMENTS, AGENT]
        self.lost = None  # the broker that is gone for good, halfway through

    # --- before ---

    def judge(self, num):
        """So many cases, each of a class that is handed to departments."""
        households = [h for h in self.federation.households if h["class"] in CLASSES]
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            self.cases = list(pool.map(lambda n: self._judged(households[n % len(households)]), range(num)))

    def _judged(self, household):
        case = opened(self.federation, household)
        again(self.federation.window.collect, case.id)
        return case.id

    # --- the storm ---

    def hand_over(self, kills):
        """All cases while programs die; halfway through one broker does not come back."""
        began = time.monotonic()
        workers = [threading.Thread(target=self._work, args=(clerk,)) for clerk in self._clerks.values()]
        for worker in workers:
            worker.start()
        try:
            with ThreadPoolExecutor(IN_FLIGHT) as pool:
                handed = pool.map(self._submit, self.cases)
                self._storm(kills)
                self.wrong += [sentence for sentence in handed if sentence]
            self._wait_decided()
        finally:
            self._over.set()
            for worker in workers:
                worker.join()
        self.seconds = time.monotonic() - began

    def _submit(self, case_id):
        time.sleep(self._dice.uniform(0, 2))
        until = time.monotonic() + END_SECONDS
        while time.monotonic() < until:
            try:
                return again(self.federation.window.submit, case_id)
            except Refused:
                time.sleep(0.2)
        return f"{case_id}: the agent did not take it"

    def _storm(self, kills):
        for number in range(kills):
            time.sleep(self._dice.uniform(0, INSTANT_SECONDS))
            last = number == kills // 2  # of this broker
            victim = self._dice.choice(self.federation.brokers if last else self._victims)
            self.federation.processes[victim].kill()
            self.kills[victim] += 1
            if last:
                self.lost = victim
                self._victims.remove(victim)
                continue
            self.federation.processes[victim].start()
            if victim == AGENT:
                self.federation.wait_answering(AGENT)

    # --- in the departments ---

    def _work(self, clerk):
        """Takes out what comes, accepts and decides it; whatever was not answered is looked at again."""
        while not self._over.is_set():
            try:
                for part in clerk.parts():
                    settle(clerk, part)
            except Refused:
                pass
            self._over.wait(0.1)

    def _wait_decided(self):
        try:
            wait_until(lambda: not self._undecided(), END_SECONDS, "the end of every part")
        except TimeoutError as late:
            self.wrong += [str(late), *self._undecided()[:10]]

    def _undecided(self):
        left = []
        for case_id in self.cases:
            parts = again(self.federation.window.parts, case_id)
            if set(parts) != set(DEPARTMENTS):
                left.append(f"{case_id}: parts of {sorted(parts)}")
            left += [f"{case_id} {name}: {part.state} {part.code}" for name, part in parts.items()
                     if part.state != "DECIDED"]
        return left

    # --- after ---

    def check(self):
        """Every part once where it belongs, nothing left on the way, nothing readable there."""
        self.wrong += [f"{name} ended by itself: {process.last_line()}"
                       for name, process in self.federation.processes.items()
                       if not process.is_running and name != self.lost]
        for clerk in self._clerks.values():
            taken = collections.Counter(p.case_id for p in again(clerk.parts) if p.kind == "submission")
            self.parts += sum(taken[case_id] for case_id in self.cases)
            self.wrong += [f"{clerk.name}: {case_id} is there {taken[case_id]} times" for case_id in self.cases
                           if taken[case_id] != 1]
        for name in self.federation.brokers:
            if name != self.lost:
                self._check_empty(name)
        people = needles(m["id_no"] for h in self.federation.households for m in h["members"])
        for name in self.federation.brokers:
            self.wrong += [f"{name} has a person's number at {path}:{offset}" for path, offset, _ in
                           find(people, self.federation.members[name].state)]

    def _check_empty(self, broker):
        try:
            wait_until(lambda: held(self.federation, broker) == 0, BACK_SECONDS, f"an empty outbox of {broker}")
        except TimeoutError as late:
            self.wrong.append(str(late))

    def close(self):
        for clerk in self._clerks.values():
            clerk.close()

    def report(self):
        return {"cases": len(self.cases), "parts": self.parts, "kills": dict(self.kills),
                "gone_for_good": self.lost or "", "seconds": round(self.seconds, 1), "wrong": self.wrong}


def settle(clerk, part):
    """Accepts and decides it, unless that was done or there is nothing to."""
    if part.kind != "submission" or part.state not in ("open", "accepted"):
        return
    if part.state == "open":
        clerk.accept(part.number)
    clerk.decide(part.number)


def held(federation, broker):
    """Parcels that a broker still has."""
    path = os.path.join(federation.members[broker].state, "evidence.db")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute("SELECT count(*) FROM parcel WHERE sealed IS NOT NULL").fetchone()[0]
    finally:
        connection.close()


def campaign(federation, seed, cases, kills):
    """So many cases and kills against a federation that is up."""
    submissions = Submissions(federation, seed)
    try:
        submissions.judge(cases)
        submissions.hand_over(kills)
        submissions.check()
    finally:
        submissions.close()
    return submissions.report()


def tell_report(report):
    print(f"\n{report['cases']} cases with {report['parts']} parts, handed over and decided in {report['seconds']} s")
    for name, num in sorted(report["kills"].items()):
        print(f"  {num:5}  {name} killed" + (", at last for good" if name == report["gone_for_good"] else ""))
    for sentence in report["wrong"]:
        print(f"WRONG  {sentence}")
