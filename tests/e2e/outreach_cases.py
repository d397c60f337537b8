"""Policies that find people: found and true, once, and what is left of it anywhere.

The cases of test_duplicates.py's federation, in a file of their own.
"""

import os
import threading

import fixture  # noqa: F401  (finds the demo's modules)
from material import TRIGGERS
from members import agent_of
from outreach import REACHES_OUT, Outreach
from processes import wait_until
from stubs import Refused
from verdicts import Outcomes

SOON = 30
_MEDICAL, _JOBLESS, _DROP = TRIGGERS
_WITHDRAWN = "heavy-withdrawn"


class Cases:
    """Mixed into a TestCase, whose `federation` runs with the watches planted; in the order of their names."""

    federation = watches = None

    @classmethod
    def setUpClass(cls):
        cls.outreach = Outreach(cls.federation, cls.watches, version=4)
        cls.addClassCleanup(cls.outreach.close)
        cls.outcomes = Outcomes(os.path.join(cls.federation.root, "departments"), cls.federation.people.today)
        cls.addClassCleanup(cls.outcomes.close)

    def agent(self, form):
        return self.federation.window_at(agent_of(TRIGGERS[form]))

    def withdraw(self, watch):
        """Everybody who agreed does so at the desk."""
        for member, grant in zip(watch["members"], watch["grants"]):
            if member["role"] != "child":
                self.federation.desk.revoke(grant, member["id_no"])

    def is_over(self, watch):
        try:
            self.agent(watch["form"]).get(watch["case"])
            return False
        except Refused as refused:
            return refused.code == "CASE_UNKNOWN"

    def found(self, form):
        return {part.case_id for part in self.outreach.signals(form)}

    def assert_found(self, form, true):
        self.outreach.wait_signals(form, len(true))
        found = self.found(form)
        recall, precision = len(found & true) / len(true), len(found & true) / max(1, len(found))
        print(f"\n{form}: {len(self.outreach.of(form))} watched, {len(true)} true, {len(found)} found;"
              f" recall {recall:.3f}, precision {precision:.3f}")
        self.assertEqual(found, true)
        self.assertEqual(len(self.outreach.signals(form)), len(true))  # each once

    def test_1_what_is_true_is_what_the_databases_say(self):
        for watch in self.watches:
            with self.subTest(form=watch["form"], key=watch["key"]):
                self.assertEqual(self.outcomes.judge(watch)["class"], watch["class"])

    def test_2_who_withdrew_is_not_asked(self):
        watch, = [watch for watch in self.outreach.of(_MEDICAL) if watch["key"] == _WITHDRAWN]
        self.withdraw(watch)
        told = self.outreach.run(_MEDICAL)
        self.assertEqual((told["looked"], told["no_grant"]), (len(self.outreach.of(_MEDICAL)) - 1, 1), told)
        wait_until(lambda: self.is_over(watch), SOON, "the end of the watch")
        self.assert_found(_MEDICAL, self.outreach.candidates(_MEDICAL) - {watch["case"]})
        self.assertEqual((told["signalled"], told["unknown"]), (3, 1), told)

    def test_3_killed_and_run_again_it_finds_the_same(self):
        agent = self.federation.processes[agent_of(TRIGGERS[_JOBLESS])]
        slow = threading.Thread(target=self.outreach.command, args=("run", _JOBLESS, "--per-minute", "240"))
        slow.start()
        wait_until(lambda: self.looked(_JOBLESS) >= 2, SOON, "the first looks")
        agent.kill()
        slow.join()
        agent.start()
        self.federation.wait_answering(agent_of(TRIGGERS[_JOBLESS]))
        told = self.outreach.run(_JOBLESS)
        self.assertEqual((told["again"], told["failed"]), (0, 0), told)
        self.assert_found(_JOBLESS, self.outreach.candidates(_JOBLESS))

    def looked(self, form):
        return sum(row["looked"] != "" for row in self.outreach.command("list", form)["rows"])

    def test_4_an_income_that_dropped(self):
        told = self.outreach.run(_DROP)
        self.assertEqual(told["looked"], len(self.outreach.of(_DROP)), told)
        self.assert_found(_DROP, self.outreach.candidates(_DROP))

    def test_5_nobody_is_looked_at_twice(self):
        for form in TRIGGERS:
            before = {name: len(self.federation.entries(name)) for name in ("tax", "social-security")}
            told = self.outreach.run(form)
            self.assertEqual((told["looked"], told["signalled"]), (0, 0), told)
            self.assertEqual(before, {name: len(self.federation.entries(name)) for name in before})

    def test_6_a_signal_says_whom_to_reach_and_nothing_else(self):
        part = self.outreach.signals(_MEDICAL)[0]
        watch, = [watch for watch in self.watches if watch["case"] == part.case_id]
        json = self.outreach.clerk.show(part.number)
        self.assertEqual([person["id_no"] for person in json["people"]], [watch["members"][0]["id_no"]])
        self.assertEqual((json["facts"], json["papers"], json["note"], json["class"]), ([], [], "", "CANDIDATE"))
        self.assertTrue(json["due"])
        self.assertEqual((part.state, part.waiting), ("to_contact", True))
        for kind in ("ACCEPTED", "RETURNED", "DECIDED", "WITHDRAWN"):
            with self.subTest(kind), self.assertRaises(Refused) as refused:
                self.outreach.clerk.say(part.number, kind, reference="x", text_zh="x", law="SAL45",
                                        outcome=2 if kind == "DECIDED" else 0)
            self.assertIn(refused.exception.code, ("CASE_STATE", "MALFORMED"))

    def test_7_of_others_nothing_stays_anywhere(self):
        """Neither at the department that reaches out, nor what was found at the agent."""
        others = [watch for watch in self.watches if watch["case"] not in self.found(watch["form"])]
        cases = {entry.get("detail", {}).get("case") for entry in self.federation.entries(REACHES_OUT, details=True)}
        self.assertTrue(cases & {part.case_id for part in self.outreach.signals(_MEDICAL)})
        self.assertEqual(cases & {watch["case"] for watch in others}, set())
        for watch in others:
            if not self.is_over(watch):
                result = self.agent(watch["form"]).get(watch["case"])
                self.assertEqual((result.class_id, result.facts_ok, len(result.parts)), ("", 0, 0))
                self.assertEqual(result.suggestion, 0)

    def test_8_reaching_out_ends_it(self):
        signals = self.outreach.signals(_JOBLESS)
        self.outreach.clerk.say(signals[0].number, "CONTACTED")
        self.outreach.clerk.say(signals[0].number, "APPLIED", ack=True, reference="2026-0420")
        self.outreach.clerk.say(signals[1].number, "NOT_REACHED", ack=True)
        first, second = ([watch for watch in self.watches if watch["case"] == part.case_id][0] for part in signals[:2])
        wait_until(lambda: self.is_over(first), SOON, "the end of who was reached")
        wait_until(lambda: [word.kind for word in self.agent(_JOBLESS).get(second["case"]).parts[0].words]
                   == ["NOT_REACHED"], SOON, "the word")

    def test_9_what_is_withdrawn_before_anybody_called_is_closed(self):
        part = self.outreach.signals(_DROP)[0]
        watch, = [watch for watch in self.watches if watch["case"] == part.case_id]
        self.withdraw(watch)
        wait_until(lambda: self.is_over(watch), SOON, "the end of the watch")
        self.assertIn("closed", {one.state for one in self.outreach.clerk.parts() if one.number == part.number})
        with self.assertRaises(Refused) as refused:
            self.outreach.clerk.show(part.number)
        self.assertEqual(refused.exception.code, "PARCEL_UNKNOWN")

    def test_9b_nobody_else_runs_it(self):
        window = self.federation.window
        with self.assertRaises(Refused) as refused:
            window.open(self.watches[0]["members"], _MEDICAL)
        self.assertEqual(refused.exception.code, "WRONG_REQUESTER")
