"""An adapter killed with SIGKILL in mid-case: the case says so, and completes with no use counted twice
(acceptance 4)."""

import os
import random
import signal
import sqlite3
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import cut_short, find_story  # noqa: E402
from logs import counterparts  # noqa: E402
from material import DEADLINE_MS  # noqa: E402
from processes import wait_until  # noqa: E402
from stubs import Refused  # noqa: E402

DEPARTMENT = "social-security"
TRIALS = 8


def setUpModule():
    global federation  # pylint: disable=global-statement
    federation = fixture.running(share_runs=100)  # one household in every case


def uses(department):
    """How often each grant was used, as the adapter itself counts."""
    path = os.path.join(federation.members[department].state, "evidence.db")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return dict(connection.execute("SELECT hex(grant_id), used FROM use"))
    finally:
        connection.close()


class Kill(unittest.TestCase):
    def setUp(self):
        household = find_story(federation, "dibao-twelve")
        self.members, self.expected = household["members"], household["class"]
        self.case_id = federation.window.open(self.members)
        federation.window.agree(self.case_id, self.members)
        self.before = uses(DEPARTMENT)

    def new_uses(self):
        return {grant: used for grant, used in uses(DEPARTMENT).items() if used != self.before.get(grant)}

    def asked(self):
        """How many members the department is asked about; incomes are of adults alone."""
        return sum(member["role"] != "child" for member in self.members)

    def complete(self):
        """Restarts the department and completes the case."""
        federation.restart(DEPARTMENT)
        outcome = federation.window.collect(self.case_id)
        self.assertEqual(outcome.class_id, self.expected)
        self.assertEqual(outcome.result.facts_ok, outcome.result.facts_total)
        used = self.new_uses()
        self.assertEqual(len(used), self.asked())
        self.assertEqual(set(used.values()), {1})

    def test_killed_before_it_answers(self):
        began = time.monotonic()
        outcome = cut_short(federation, self.case_id, DEPARTMENT)
        self.assertLess(time.monotonic() - began, DEADLINE_MS / 1000)
        self.assertEqual(outcome.class_id, "MANUAL")
        self.assertEqual(outcome.states(DEPARTMENT), ["unavailable"])
        self.assertEqual({fact.department for fact in outcome.result.missing}, {DEPARTMENT})
        self.complete()

    def test_killed_at_any_moment(self):
        """Between taking the request and handing over the answer: what was counted is not counted again."""
        dice = random.Random(4)
        for trial in range(TRIALS):
            if trial:
                self.setUp()
            with self.subTest(trial=trial):
                process = federation.processes[DEPARTMENT]
                killer = threading.Timer(dice.uniform(0, 0.06), process.kill)
                killer.start()
                outcome = federation.window.collect(self.case_id)
                killer.join()
                self.assertIn(outcome.class_id, ("MANUAL", self.expected))
                self.assertLessEqual(set(outcome.states(DEPARTMENT)), {"ok", "unavailable"})
                self.complete()

    def test_an_answer_that_was_lost(self):
        """The adapter has counted the use and answered, and the broker dies with the answer unread."""
        adapter, broker = federation.processes[DEPARTMENT], federation.processes["broker"]
        frozen, outcome = threading.Event(), []

        def freeze(_):
            if not frozen.is_set():
                broker.signal(signal.SIGSTOP)
                frozen.set()

        adapter.signal(signal.SIGSTOP)
        collecting = threading.Thread(
            target=lambda: outcome.append(federation.window.collect(self.case_id, freeze)))
        collecting.start()
        self.assertTrue(frozen.wait(10), "no department has answered")
        adapter.signal(signal.SIGCONT)
        wait_until(self.new_uses, 5, "a counted use")
        broker.kill()
        collecting.join()
        self.assertEqual(outcome[0].class_id, "MANUAL")
        broker.start()
        federation.wait_ready()
        self.assertEqual(federation.window.collect(self.case_id).class_id, self.expected)
        self.assertEqual(set(self.new_uses().values()), {1})
        self.assertEqual(len(self.new_uses()), self.asked())
        self.assertGreater(sum(e["retry"] for e in federation.entries(DEPARTMENT, "--type", "read")), 0)

    def test_the_logs_still_agree(self):
        cut_short(federation, self.case_id, DEPARTMENT)
        self.complete()
        self.assertEqual(counterparts(federation, broker_died=True), [])
        verdict = federation.verify_logs()
        self.assertTrue(verdict["verified"], verdict["logs"])


class Office(unittest.TestCase):
    def refused_after(self, case_id):
        began = time.monotonic()
        with self.assertRaises(Refused):
            federation.window.ask(case_id)
        return time.monotonic() - began

    def asked(self, case_id):
        try:
            return federation.window.ask(case_id)
        except Refused:
            return None

    def test_one_that_stays_away_is_waited_for_once(self):
        """Whoever waits for it holds a hand that others need."""
        office, case_id = federation.processes["consent"], federation.window.open(
            find_story(federation, "dibao-twelve")["members"])
        office.kill()
        waited = self.refused_after(case_id)
        self.assertGreater(waited, 4)
        self.assertLess(self.refused_after(case_id), waited / 2)
        office.start()
        federation.wait_ready()
        wait_until(lambda: self.asked(case_id), 30, "the office")


if __name__ == "__main__":
    unittest.main()
