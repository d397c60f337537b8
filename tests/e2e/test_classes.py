"""Every household of a population comes to the class computed independently (acceptance 1)."""

import concurrent.futures
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import find_story  # noqa: E402
from expected import Expected  # noqa: E402

CLASSES = {"TEKUN", "DIBAO", "SINGLE", "EDGE", "RIGID", "NONE", "MANUAL"}


def setUpModule():
    global federation  # pylint: disable=global-statement
    federation = fixture.running()


class Classes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            cls.outcomes = list(pool.map(lambda h: federation.window.apply(h["members"]),
                                         federation.households))

    def test_every_household(self):
        wrong = [(h["household"], h["class"], h["reasons"], o.class_id)
                 for h, o in zip(federation.households, self.outcomes) if o.class_id != h["class"]]
        self.assertEqual(wrong, [])
        self.assertEqual({h["class"] for h in federation.households}, CLASSES)

    def test_the_databases_say_the_same(self):
        judge = Expected(os.path.join(federation.root, "departments"), federation.people.today)
        self.addCleanup(judge.close)
        for household, outcome in zip(federation.households, self.outcomes):
            with self.subTest(household=household["household"]):
                self.assertEqual(judge.judge(household["members"])[0], outcome.class_id)

    def test_the_allowance_is_divided_once_and_last(self):
        judge = Expected(os.path.join(federation.root, "departments"), federation.people.today)
        self.addCleanup(judge.close)
        found = [(h["household"], o.result.amounts[0].value, judge.allowance(h["members"]))
                 for h, o in zip(federation.households, self.outcomes) if o.class_id == "DIBAO"]
        self.assertGreater(len(found), 5)
        self.assertEqual([entry for entry in found if entry[1] != entry[2]], [])
        self.assertTrue(all(not o.result.amounts for o in self.outcomes if o.class_id != "DIBAO"))

    def test_every_receipt_was_checked(self):
        for outcome in self.outcomes:
            self.assertEqual(outcome.result.receipts_failed, 0)
            self.assertGreaterEqual(outcome.result.receipts_checked, 10)
            self.assertGreater(outcome.result.documents_saved, 0)

    def test_facts_name_their_source(self):
        for outcome in self.outcomes:
            for fact in outcome.facts:
                if fact.state == "ok":
                    self.assertTrue(fact.department and fact.view and fact.operator and fact.txn)
                    self.assertRegex(fact.as_of, r"^\d{4}-\d\d-\d\d$")

    def test_amounts_are_never_shown(self):
        for outcome in self.outcomes:
            for fact in outcome.facts:
                if fact.operator in ("SUM", "SHARE"):
                    self.assertEqual(fact.shown, "")

    def test_a_missing_fact_is_named_and_left_to_a_person(self):
        index = federation.households.index(find_story(federation, "manual-unlisted"))
        result = self.outcomes[index].result
        self.assertEqual(result.class_id, "MANUAL")
        self.assertIn("not_found", {fact.state for fact in result.missing})

    def test_reasons_have_their_source(self):
        index = federation.households.index(find_story(federation, "dibao-couple"))
        result = self.outcomes[index].result
        self.assertEqual(result.class_id, "DIBAO")
        self.assertTrue(all(reason.text_zh and reason.text_en for reason in result.reasons))
        self.assertTrue(any(reason.source for reason in result.reasons))


if __name__ == "__main__":
    unittest.main()
