"""A short slice of `./run crash` and `./run load`: some points, some random instants, some cases at once, and
campaigns that can fail."""

import os
import shutil
import sqlite3
import sys
import tempfile
import unittest

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(_HERE, "..", "load")]

import brokers  # noqa: E402
import submissions  # noqa: E402
import crowd  # noqa: E402
from checks import Checks, Tree  # noqa: E402
from city import City  # noqa: E402
from crash import POINTS, Campaign, plan, run  # noqa: E402
from ground import ADAPTER, BROKER, Ground, receipts  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(_HERE))
BIN = os.environ.get("LIANBAN_BIN", os.path.join(ROOT, ".build", "bin"))
CRASH_BIN = os.environ.get("LIANBAN_CRASH_BIN", os.path.join(ROOT, ".build", "crash-bin"))
STEPS = [(ADAPTER, "ratchet-torn"), None, (BROKER, "commit-after"), None]


class Crash(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="lianban-crash-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def test_a_slice(self):
        ground = Ground(self.folder, BIN, CRASH_BIN)
        report = run(Campaign(ground, seed=4), STEPS, float("inf"))
        self.assertEqual(report["wrong"], [])
        self.assertEqual(report["points_not_reached"], [])
        self.assertEqual(report["rounds"], len(STEPS))
        self.assertGreater(report["entries_found_again"], 0)
        self.assertGreater(report["checkpoints_held"], 0)
        self.assert_found(ground)

    def assert_found(self, ground):
        """The same logs, changed by hand: each check says so."""
        state = ground.federation.members[ADAPTER].state
        with sqlite3.connect(os.path.join(state, "evidence.db")) as database:
            database.execute("UPDATE use SET used = 2 WHERE grant_id = (SELECT grant_id FROM use LIMIT 1)")
        self.assertTrue(any("one used 2 times" in word for word in Checks(ground).log(ADAPTER)))
        (size,) = database.execute("SELECT size FROM checkpoint").fetchone()
        ground.kept.entries[ADAPTER, size - 1] = bytes(32)
        ground.kept.roots[ADAPTER, 3] = bytes(32)
        ground.kept.roots[ADAPTER, size + 1] = bytes(32)
        words = " ".join(Checks(ground).log(ADAPTER))
        database.close()
        for word in ("is not what was shown", "another root at 3", "more were signed"):
            self.assertIn(word, words)


class Submissions(unittest.TestCase):
    """One federation with two brokers, one of which is gone in the end; two departments beside the ten."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="lianban-crash-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.federation = brokers.populated(folder, BIN, attached=False)
        cls.city = City(cls.federation, 12, seed=5)
        cls.addClassCleanup(cls.city.close)
        cls.city.come()
        brokers.made(cls.federation)
        cls.addClassCleanup(cls.federation.stop)
        cls.federation.start()

    def test_a_many_at_once(self):
        """Every fact of twelve departments is what SQL says, and a campaign can see that it is not."""
        many = crowd.Crowd(self.federation, self.city, seed=5)
        many.come(6)
        self.assertEqual((many.wrong, many.facts, many.parts), ([], 6 * 12, 6 * len(self.city.with_part)))
        other = self.federation.contract.new("CaseFact", state="ok", shown="?", receipt_ok=True)
        many.compare(crowd.Case(None, "altered", self.city.applicants()[0][0]["id_no"],
                                dict.fromkeys(self.city.names, other)))
        many.compare(crowd.Case(None, "lost", self.city.applicants()[0][0]["id_no"]))
        self.assertEqual(len(many.wrong), 2 * 12)
        many.look_into_intakes([dict.fromkeys(self.city.with_part, bytes(16))])
        self.assertEqual(len(many.wrong), 2 * 12 + len(self.city.with_part))

    def test_b_a_slice(self):
        report = submissions.campaign(self.federation, seed=3, cases=8, kills=8)
        self.assertEqual(report["wrong"], [])
        self.assertEqual(report["parts"], 2 * report["cases"])
        self.assertIn(report["gone_for_good"], self.federation.brokers)


class Memory(unittest.TestCase):
    def test_what_is_over_its_limit_or_grows_is_told(self):
        limits = crowd.limits_mib(20, 200, 4)
        even = dict.fromkeys(limits, 20.0)
        self.assertEqual(crowd.breaches([even, even], limits), [])
        over = {**even, "broker": limits["broker"] + 1}
        self.assertEqual(len(crowd.breaches([over], limits)), 1)
        self.assertEqual(len(crowd.breaches([even, {**even, "window": 34.0}], limits)), 1)


class Released(unittest.TestCase):
    def test_released_programs_have_no_place_to_die(self):
        for folder, found in ((BIN, False), (CRASH_BIN, True)):
            for program in ("lianban-adapter", "lianban-broker"):
                with open(os.path.join(folder, program), "rb") as file:
                    self.assertEqual(b"LIANBAN_CRASH" in file.read(), found, program)


class Plan(unittest.TestCase):
    def test_points_are_spread_and_all_there(self):
        points = [(name, point) for point in POINTS for name in (ADAPTER, BROKER)]
        for rounds in (0, 1, 6, 36, 500):
            steps = plan(rounds, points)
            self.assertEqual([step for step in steps if step], points)
            self.assertEqual(len(steps), rounds + len(points))
        self.assertEqual(plan(2, []), [None, None])
        self.assertEqual(plan(3, ["a"]), [None, None, None, "a"])

    def test_roots_are_those_of_rfc_6962(self):
        """By the recursion of the independent requester."""
        tree = Tree()
        raw = bytes([1, 9]) + bytes(24) + bytes(4) + bytes(192) + (1).to_bytes(4, "big") + b"\0"
        for num in range(40):
            self.assertEqual(tree.root(), receipts.root_of(tree.hashes), num)
            tree.add(raw)


if __name__ == "__main__":
    unittest.main()
