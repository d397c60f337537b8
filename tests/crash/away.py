"""Keeps one department away for an hour while cases go on, and checks that its parts wait and say so, that the
other departments' parts are done meanwhile, and that on its return all goes through without anybody's help.

For `crash.py --away` and, in short, for tests/e2e.
"""

import os
import sys
import time

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(_HERE, "..", "..", "demo"), os.path.join(_HERE, "..", "interop")]

from load import again, opened  # noqa: E402
from processes import wait_until  # noqa: E402
from submissions import CLASSES, DEPARTMENTS, held, settle  # noqa: E402

PRESENT, AWAY = DEPARTMENTS
TRY_AGAIN_SECONDS = 300  # at the latest (gateway/exchange/outbox_end.c)
NEWS_SECONDS = 60        # until the window shows what there is
PROMPT_SECONDS = 60      # from the department's start until it has everything
DONE_SECONDS = 60


class Absence:
    """A running federation with one broker, and the clerks of both departments by name."""

    def __init__(self, federation, clerks):
        self.federation, self._window, self._clerks = federation, federation.window, clerks
        self._households = [h for h in federation.households if h["class"] in CLASSES]
        self.ready = []    # judged before it went, handed over while it is away
        self.handed = []
        self.undecided = []  # (case, household), begun while it is away
        self.wrong = []
        self.away_seconds = self.linked_seconds = self.delivered_seconds = 0.0
        self.furthest_try_seconds = self.most_tries = 0

    # --- before ---

    def judge(self, num):
        for number in range(num):
            case = opened(self.federation, self._household(number))
            self._expect(again(self._window.collect, case.id), case.expected)
            self.ready.append(case.id)

    # --- while it is away ---

    def go_on(self, seconds, every, tell=lambda absence: None, begin=True):
        """It goes; so often a case is handed over and, to `begin`, another is opened, until so many seconds are
        over."""
        self.federation.processes[AWAY].stop()
        began = due = time.monotonic()
        while time.monotonic() - began < seconds and len(self.wrong) < 10:
            if self.ready:
                self._hand_over(self.ready.pop())
            if begin:
                self._begin()
            for case_id in self.handed:
                self._check_waits(case_id)
            self._look_at_broker()
            tell(self)
            due += every
            time.sleep(max(0.0, min(due, began + seconds) - time.monotonic()))
        self.away_seconds = time.monotonic() - began

    def _hand_over(self, case_id):
        """Its part for the department that is there is done at once."""
        again(self._window.submit, case_id)
        self.handed.append(case_id)
        self._wait_state(case_id, PRESENT, "DELIVERED")
        self._settle(PRESENT)
        self._wait_state(case_id, PRESENT, "DECIDED")

    def _begin(self):
        """A case that asks the one who is away: only its facts are missing, and a person would decide."""
        household = self._household(len(self.undecided) + 7)
        case = opened(self.federation, household)
        outcome = again(self._window.collect, case.id)
        self._expect(outcome, "MANUAL")
        self.wrong += [f"{case.id}: {fact.department} {fact.state} {fact.code}" for fact in outcome.result.missing
                       if (fact.department, fact.state) != (AWAY, "unavailable")]
        self.undecided.append(case)

    def _check_waits(self, case_id):
        """The window knows that it waits, why, since when and until when."""
        self._wait_state(case_id, AWAY, "WAITING")
        part, now = again(self._window.parts, case_id)[AWAY], time.time()
        ahead = part.next_try_unix_s - now
        self.furthest_try_seconds = max(self.furthest_try_seconds, round(ahead))
        if part.code != "UNAVAILABLE" or not part.due or not 0 < part.since_unix_s <= now:
            self.wrong.append(f"{case_id}: {part.state} {part.code}, since {part.since_unix_s}, due {part.due}")
        if not -NEWS_SECONDS <= ahead <= TRY_AGAIN_SECONDS:
            self.wrong.append(f"{case_id}: the next try is {ahead:.0f} s ahead")

    def _look_at_broker(self):
        """Its operator sees the same."""
        def told():
            waiting = self._told_by_broker()
            self.most_tries = max([self.most_tries, *(parcel.tries for parcel in waiting)])
            return len(waiting) == len(self.handed)
        self._wait(told, NEWS_SECONDS, f"{len(self.handed)} parts that wait, as the broker tells")

    def _told_by_broker(self):
        """What waits for the one that is away; a parcel that is being tried this moment is not among it."""
        federation, (broker,) = self.federation, self.federation.brokers
        parcels = again(federation.call, broker, "Operations/GetParcels",
                        federation.contract.new("GetParcelsRequest"), broker).parcels
        return [p for p in parcels if p.recipient == federation.members[AWAY].spiffe and p.away == "UNAVAILABLE"]

    # --- when it is back ---

    def come_back(self):
        """Nobody does anything but start it."""
        began = time.monotonic()
        self._clerks[AWAY].close()
        self.federation.restart(AWAY)
        self.linked_seconds = time.monotonic() - began
        for case_id in self.handed:
            self._wait_state(case_id, AWAY, "DELIVERED", PROMPT_SECONDS)
        self.delivered_seconds = time.monotonic() - began
        if self.delivered_seconds > PROMPT_SECONDS:
            self.wrong.append(f"it had everything only {self.delivered_seconds:.0f} s after its start")

    def finish(self):
        """What was begun meanwhile gets its class and is handed over; every part is there once and is decided."""
        for case in self.undecided:
            self._expect(again(self._window.collect, case.id), case.expected)
            again(self._window.submit, case.id)
            self.handed.append(case.id)
            for name in DEPARTMENTS:
                self._wait_state(case.id, name, "DELIVERED")
        for name, clerk in self._clerks.items():
            self._settle(name)
            taken = [part.case_id for part in again(clerk.parts) if part.kind == "submission"]
            self.wrong += [f"{name}: {case_id} is there {taken.count(case_id)} times" for case_id in self.handed
                           if taken.count(case_id) != 1]
            for case_id in self.handed:
                self._wait_state(case_id, name, "DECIDED")
        self._wait(lambda: held(self.federation, self.federation.brokers[0]) == 0, DONE_SECONDS, "an empty outbox")

    def report(self):
        return {"away_seconds": round(self.away_seconds, 1), "cases": len(self.handed),
                "begun_meanwhile": len(self.undecided), "most_tries": self.most_tries,
                "furthest_try_seconds": self.furthest_try_seconds,
                "linked_seconds": round(self.linked_seconds, 1),
                "delivered_seconds": round(self.delivered_seconds, 1), "wrong": self.wrong}

    # --- steps of several ---

    def _household(self, number):
        return self._households[number % len(self._households)]

    def _expect(self, outcome, wanted):
        if outcome.class_id != wanted or outcome.result.receipts_failed:
            self.wrong.append(f"{outcome.case_id}: {outcome.class_id}, expected {wanted}; "
                              f"{outcome.result.receipts_failed} receipts do not hold")

    def _settle(self, name):
        for part in again(self._clerks[name].parts):
            again(settle, self._clerks[name], part)

    def _wait_state(self, case_id, department, wanted, seconds=NEWS_SECONDS):
        self._wait(lambda: again(self._window.parts, case_id)[department].state == wanted, seconds,
                   f"{case_id} {department}: {wanted}")

    def _wait(self, condition, seconds, what):
        try:
            wait_until(condition, seconds, what)
        except TimeoutError as late:
            self.wrong.append(str(late))


def campaign(absence, seconds, every, tell=lambda absence: None):
    """An absence of so many seconds against a federation that is up."""
    absence.judge(int(seconds / every) + 1)
    absence.go_on(seconds, every, tell)
    absence.come_back()
    absence.finish()
    return absence.report()


def tell_report(report):
    print(f"\n{AWAY} was away for {report['away_seconds']} s; {report['cases']} cases were handed over, "
          f"{report['begun_meanwhile']} of them begun meanwhile")
    print(f"the broker tried a part up to {report['most_tries']} times; the window was told of the next try at most "
          f"{report['furthest_try_seconds']} s ahead")
    print(f"back, it was linked after {report['linked_seconds']} s and had every part after "
          f"{report['delivered_seconds']} s")
    for sentence in report["wrong"]:
        print(f"WRONG  {sentence}")
