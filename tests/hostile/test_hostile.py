"""Attacks on a running federation of separate processes (LIANBAN_BIN), then: is it still whole?"""

import datetime
import os
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import paths  # noqa: E402, F401  (first)
import blind  # noqa: E402
import by_rogue  # noqa: E402
from federation import Federation  # noqa: E402
from generate import DEFAULT_SEED  # noqa: E402
from ground import BIN, Ground, Seen  # noqa: E402
from search import find, needles  # noqa: E402
from table import TABLE  # noqa: E402

PEOPLE = 200
MIN_ATTACKS = 300


def setUpModule():
    global ground  # pylint: disable=global-statement
    # For programs built with the sanitizers: a finding ends the process, which is then missed.
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=1:strict_string_checks=1:abort_on_error=1")
    os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1:abort_on_error=1")
    root = tempfile.mkdtemp(prefix="lianban-hostile-")
    if os.environ.get("LIANBAN_KEEP") != "1":
        unittest.addModuleCleanup(shutil.rmtree, root, ignore_errors=True)
    running = Federation(root, BIN)
    running.populate(DEFAULT_SEED, PEOPLE, datetime.date.today())
    running.make()
    unittest.addModuleCleanup(running.stop)
    running.start()
    ground = Ground(running)
    unittest.addModuleCleanup(ground.close)


class Hostile(unittest.TestCase):
    """The tests run in the order of their names: the table, then what is left of the ground, then a
    department that rewrites its history, then the end."""

    maxDiff = None

    def attack(self, attack):
        before = {node: ground.size(node) for node in attack.logs}
        seen = ground.perform(attack)
        self.assertTrue(attack.fits(seen), f"{seen}, expected {attack.how} {attack.codes}")
        for node, expected in attack.logs.items():
            found = ground.await_outcomes(node, before[node], expected, attack.repeats)
            self.assertEqual(found, sorted(expected), f"in the log of {node}")
        if attack.repeats and attack.logs:
            time.sleep(1.2)  # what was counted in another second must not be found in the next row

    def good_case(self):
        """A whole application through the window agent comes to its class."""
        household = next(h for h in ground.running.households if h["class"] != "MANUAL")
        outcome = ground.running.window.apply(household["members"])
        missing = [(fact.department, fact.state, fact.code) for fact in outcome.result.missing]
        self.assertEqual((outcome.class_id, missing), (household["class"], []))
        self.assertEqual(outcome.result.receipts_failed, 0)

    def test_1_the_table_is_whole(self):
        names = [attack.name for attack in TABLE]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names), MIN_ATTACKS)

    def test_3_every_process_is_well(self):
        self.assertEqual(ground.trouble(), [])
        ground.running.wait_ready()

    def test_4_a_good_case_still_works(self):
        self.good_case()

    def test_4_every_log_verifies(self):
        verdict = ground.running.verify_logs()
        self.assertEqual([log["code"] for log in verdict["logs"]], ["OK"] * len(verdict["logs"]))
        self.assertEqual(len(verdict["logs"]), 12)

    def test_4_both_sides_agree(self):
        """What the broker routed ended, and what it delivered a department has an entry of."""
        ends, routes, reads = ground.counterparts()
        self.assertEqual(sorted(routes - ends), [])
        delivered = {leaf.peer_leaf for _, leaf in ground.leaves("broker") if leaf.type == "DELIVER"}
        self.assertEqual([hash_.hex() for hash_ in delivered - reads], [])

    def test_4_nobody_is_in_what_the_broker_wrote(self):
        running = ground.running
        names = blind.identities(os.path.join(running.root, "departments"))
        wanted = needles(names | blind.released(running.people))
        self.assertGreater(len(wanted), 1000)
        self.assertEqual(find(wanted, running.members["broker"].folder), [])

    def test_4_no_log_of_a_process_names_anybody(self):
        names = needles(blind.identities(os.path.join(ground.running.root, "departments")))
        for process in ground.running.processes.values():
            with self.subTest(process.name):
                self.assertEqual(find(names, process.log), [])

    def test_5_a_department_that_rewrites_its_history(self):
        """Quarantined: asked no more, until somebody has looked and starts the broker anew."""
        name = by_rogue.ATTACHED
        before = ground.size("broker")
        self.assertEqual(by_rogue.forked_adapter(ground), Seen("refused", "LOG_FORK"))
        self.assertIn(("DENY", "LOG_FORK"), ground.await_outcomes("broker", before, [("DENY", "LOG_FORK")]))
        read = ground.read(ground.office_grant(name), name)
        (event,) = ground.me.collect([read])
        self.assertIn(event.code, ("UNAVAILABLE", "LOG_FORK"))
        self.assertEqual(event.sealed, b"")
        self.assertEqual(ground.running.unlinked(), [name])
        ground.close()
        self.assertEqual(ground.running.stop(), [])
        ground.running.start()
        self.good_case()

    def test_9_everything_stops_cleanly(self):
        ground.close()
        self.assertEqual(ground.running.stop(), [])
        self.assertEqual([w for w in ground.trouble() if not w.endswith("has ended")], [])


def _add(attack, number):
    def test(self):
        self.attack(attack)
    test.__doc__ = attack.name
    name = "".join(c if c.isalnum() else "_" for c in attack.name)
    setattr(Hostile, f"test_2_{number:03}_{name}", test)


for _number, _attack in enumerate(TABLE):
    _add(_attack, _number)


if __name__ == "__main__":
    unittest.main()
