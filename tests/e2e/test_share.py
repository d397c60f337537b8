"""The blind household sum on running processes: a department that comes late completes the same run,
and what was added up once is not added up otherwise, also after a crash."""

import os
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import cut_short, find_story  # noqa: E402
from expected import Expected  # noqa: E402
from logs import counterparts  # noqa: E402

SHARING = ("social-security", "tax", "finance")
LATE = "finance"


def setUpModule():
    global federation  # pylint: disable=global-statement
    federation = fixture.running(60)


def kept(department, table):
    """How many rows a department keeps of its sums."""
    path = os.path.join(federation.members[department].state, "evidence.db")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    finally:
        connection.close()


class Share(unittest.TestCase):
    """In the order of their names: each builds on what is remembered of the one before."""

    @classmethod
    def setUpClass(cls):
        cls.household = find_story(federation, "dibao-couple")
        cls.members = cls.household["members"]
        cls.adults = [member for member in cls.members if member["role"] != "child"]

    def apply(self, members):
        """A whole case that is closed afterwards; (class, codes of what is missing)."""
        outcome = federation.window.apply(members)
        return outcome.class_id, {fact.code for fact in outcome.result.missing}

    def test_1_a_late_department_completes_the_run(self):
        case_id = federation.window.open(self.members)
        federation.window.agree(case_id, self.members)
        cut = cut_short(federation, case_id, LATE)
        self.assertEqual(cut.class_id, "MANUAL")
        self.assertEqual({fact.department for fact in cut.result.missing}, {LATE})
        federation.restart(LATE)
        whole = federation.window.collect(case_id)
        self.assertEqual(whole.class_id, self.household["class"])
        self.assertEqual(whole.result.facts_ok, whole.result.facts_total)
        for department in SHARING:
            with self.subTest(department):
                self.assertEqual(kept(department, "share_run"), 1)
                self.assertEqual(kept(department, "share_place"), len(self.adults))
        federation.window.discard(case_id)

    def test_2_no_share_is_seen(self):
        """Neither by the window system nor by an officer, and the class is the databases' own."""
        outcome = federation.window.apply(self.members)
        shares = [fact for fact in outcome.facts if fact.operator == "SHARE"]
        self.assertEqual(len(shares), 5 * len(self.adults))
        self.assertEqual({(fact.state, fact.shown) for fact in shares}, {("ok", "")})
        judge = Expected(os.path.join(federation.root, "departments"), federation.people.today)
        self.addCleanup(judge.close)
        self.assertEqual(judge.judge(self.members)[0], outcome.class_id)
        details = [entry["detail"] for entry in federation.entries("tax", "--type", "read", details=True)]
        runs = {detail["share"]["run"] for detail in details if "share" in detail}
        self.assertEqual(len(runs), 2)
        self.assertEqual({detail["share"]["persons"] for detail in details if "share" in detail},
                         {len(self.adults)})

    def test_3_one_of_them_alone_is_refused(self):
        class_id, codes = self.apply(self.members[:1])
        self.assertEqual((class_id, codes), ("MANUAL", {"SHARE_HOUSEHOLD"}))

    def test_4_also_after_every_department_was_killed(self):
        for department in SHARING:
            federation.processes[department].kill()
            federation.restart(department)
        class_id, codes = self.apply([{**self.adults[1], "role": "applicant"}])
        self.assertEqual((class_id, codes), ("MANUAL", {"SHARE_HOUSEHOLD"}))

    def test_5_one_of_them_with_somebody_else_is_refused(self):
        other = next(member for household in federation.households for member in household["members"]
                     if member["role"] == "applicant" and household is not self.household)
        class_id, codes = self.apply([self.members[0], {**other, "role": "member"}])
        self.assertEqual(class_id, "MANUAL")
        self.assertIn("SHARE_HOUSEHOLD", codes)

    def test_6_the_same_household_within_its_budget(self):
        # Two runs so far; whether the refused one counts for the first of them depends on who was asked first.
        outcomes = [self.apply(self.members) for _ in range(3)]
        self.assertEqual(outcomes[0], (self.household["class"], set()))
        self.assertEqual(outcomes[2], ("MANUAL", {"SHARE_BUDGET"}))

    def test_7_both_sides_hold_the_evidence(self):
        self.assertEqual(counterparts(federation), [])
        self.assertEqual({log["code"] for log in federation.verify_logs()["logs"]}, {"OK"})


if __name__ == "__main__":
    unittest.main()
