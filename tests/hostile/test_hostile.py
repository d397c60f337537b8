"""Attacks on a running federation of separate processes (LIANBAN_BIN), then: is it still whole?"""

import datetime
import os
import shutil
import sys
import tempfile
import unittest

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _HERE)

from ground import BIN, Ground  # noqa: E402  (it also finds demo/ and tests/interop)
import blind  # noqa: E402
from federation import Federation  # noqa: E402
from generate import DEFAULT_SEED  # noqa: E402
from search import find, needles  # noqa: E402
from table import TABLE  # noqa: E402

PEOPLE = 200


def setUpModule():
    global ground  # pylint: disable=global-statement
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
    """The tests run in the order of their names: first the table, then what is left of the ground."""

    maxDiff = None

    def attack(self, attack):
        before = {node: ground.size(node) for node in attack.logs}
        seen = ground.perform(attack)
        self.assertTrue(attack.fits(seen), f"{seen}, expected {attack.how} {attack.codes}")
        for node, expected in attack.logs.items():
            found = ground.await_outcomes(node, before[node], expected)
            self.assertEqual(sorted(found), sorted(expected), f"in the log of {node}")

    def test_1_names_are_unique(self):
        names = [attack.name for attack in TABLE]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names), 35)

    def test_3_every_process_is_well(self):
        self.assertEqual(ground.trouble(), [])


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
