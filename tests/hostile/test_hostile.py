"""Attacks on a running federation of separate processes (LIANBAN_BIN), then: is it still whole?"""

import datetime
import os
import re
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import paths  # noqa: E402  (first)
import blind  # noqa: E402
import by_directory  # noqa: E402
import by_double  # noqa: E402
import by_method  # noqa: E402
import by_rogue  # noqa: E402
from clerks import enrolled  # noqa: E402
from federation import Federation  # noqa: E402
from generate import DEFAULT_SEED  # noqa: E402
from ground import BIN, CLERKS_DEPARTMENT, SHARE_RUNS, Ground, Seen  # noqa: E402
from search import find, needles  # noqa: E402
from table import TABLE  # noqa: E402
from takeover import Takeover  # noqa: E402

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
    running = Federation(root, BIN, share_runs=SHARE_RUNS)
    running.populate(DEFAULT_SEED, PEOPLE, datetime.date.today())
    running.make()
    unittest.addModuleCleanup(running.stop)
    running.start()
    ground = Ground(running, enrolled(running, (CLERKS_DEPARTMENT,), 2)[CLERKS_DEPARTMENT])
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

    def test_1_every_method_has_its_rows(self):
        """Of every service in proto/: what is new can't be forgotten."""
        self.assertEqual(sorted(by_method.DOORS), sorted(ground.contract.methods()))

    def test_1_every_demand_has_its_rows(self):
        """README.md names rows that are there."""
        rows = {attack.name for attack in (*TABLE, *by_directory.INERT)}
        rows |= {trick.name for trick in by_double.TRICKS} | {name for name, _, _ in by_directory.REFUSED}
        rows |= {attack.name for _, attack in by_directory.WITHOUT}
        with open(os.path.join(paths.HERE, "README.md"), encoding="utf-8") as file:
            demands = [line.split("|")[2] for line in file if line.startswith("| ")][1:]
        self.assertGreater(len(demands), 40)
        for cell in demands:
            named = [word for word in re.findall("`([^`]+)`", cell) if not word.endswith(".c")]
            self.assertTrue(named)
            self.assertEqual([word for word in named if word not in rows], [])

    def test_3_every_process_is_well(self):
        self.assertEqual(ground.trouble(), [])
        ground.running.wait_ready()

    def test_4_a_good_case_still_works(self):
        self.good_case()

    def test_4_every_log_verifies(self):
        verdict = ground.running.verify_logs()
        self.assertEqual([log["code"] for log in verdict["logs"]], ["OK"] * len(verdict["logs"]))
        self.assertEqual(len(verdict["logs"]), 13)

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

    # --- the broker is taken over ---

    takeover = None

    def test_6_a_broker_is_taken_over(self):
        """Left to itself the double is as good a broker as the real one: what follows is its malice."""
        type(self).takeover = Takeover(ground)
        facts, result = self.takeover.honest
        self.assertEqual(result.receipts_failed, 0)
        self.assertEqual(result.receipts_checked, 3)
        for name, seen in facts.items():
            self.assertLessEqual({state for state, _, _ in seen}, {"ok", "not_found"}, name)
        # Nothing but the department's name and the sealed bytes: all answers of a section are as long.
        for name, (declared, size, code) in self.takeover.sizes().items():
            self.assertEqual((size, code), (declared, "ANSWERED"), name)

    def trick(self, trick):
        said, due, codes, result = self.takeover.play(trick)
        self.assertEqual(said, due)
        self.assertLessEqual(codes - {"ANSWERED"}, set(trick.adapter))
        if trick.adapter and trick.adapter != ("ANSWERED",):
            self.assertTrue(codes & set(trick.adapter), codes)
        if "RECEIPT_INVALID" in trick.agent.values():
            self.assertEqual(result.receipts_failed, len(trick.agent))
        self.assertEqual(result.class_id, "MANUAL")

    def test_6_z_nothing_was_obtained(self):
        """No identity, no released amount in all that passed through the double; and nothing fell over."""
        self.assertGreater(len(self.takeover.double.seen), 100000)
        self.assertEqual(self.takeover.identities_seen(), [])
        self.takeover.end()
        self.assertEqual(ground.trouble(), [])
        self.good_case()

    # --- the directory's signer as well ---

    signer = None

    def test_7_a_shadow_in_the_directory(self):
        """Every node accepts a directory with members, an issuer and a form of the signer's own."""
        type(self).signer = by_directory.Signer(ground)
        self.signer.add(by_directory.shadows)

    def refused_directory(self, change, code):
        self.assertEqual(self.signer.refused(change), {code})

    def without(self, change, attack):
        """While the directory lacks something."""
        with self.signer.during(change):
            self.attack(attack)

    def test_7_z_nobody_was_turned_to_a_shadow(self):
        self.good_case()
        self.assertEqual(ground.trouble(), [])

    def test_9_everything_stops_cleanly(self):
        ground.close()
        self.assertEqual(ground.running.stop(), [])
        self.assertEqual([w for w in ground.trouble() if not w.endswith("has ended")], [])


def _add(stage, number, name, act):
    """A test of a row: `act` gets the test case."""
    def test(self):
        act(self)
    test.__doc__ = name
    word = "".join(c if c.isalnum() else "_" for c in name)
    setattr(Hostile, f"test_{stage}_{number:03}_{word}", test)


def _add_all():
    for number, attack in enumerate(TABLE):
        _add("2", number, attack.name, lambda case, a=attack: case.attack(a))
    for number, trick in enumerate(by_double.TRICKS):
        _add("6_b", number, "A malicious broker: " + trick.name, lambda case, t=trick: case.trick(t))
    for number, attack in enumerate(by_directory.INERT):
        _add("7_b", number, attack.name, lambda case, a=attack: case.attack(a))
    for number, (name, change, code) in enumerate(by_directory.REFUSED):
        _add("7_c", number, "In the directory: " + name,
             lambda case, ch=change, co=code: case.refused_directory(ch, co))
    for number, (change, attack) in enumerate(by_directory.WITHOUT):
        _add("7_d", number, attack.name, lambda case, ch=change, a=attack: case.without(ch, a))


_add_all()


if __name__ == "__main__":
    unittest.main()
