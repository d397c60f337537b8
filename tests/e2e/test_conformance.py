"""The conformance kit against an adapter as it ships, and against one whose policy is too wide."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from processes import Process, free_ports, wait_until  # noqa: E402

SECONDS = 300


def setUpModule():
    global folder, port  # pylint: disable=global-statement
    top = fixture.folder()
    folder, port = os.path.join(top, "rehearsal"), free_ports(1)[0]
    database = os.path.join(top, "department.db")
    sqlite3.connect(database).execute("CREATE TABLE person (id_no TEXT)").connection.close()
    subprocess.run(
        [os.path.join(fixture.ROOT, "packaging", "conformance", "prepare.sh"), folder, "tax", f"127.0.0.1:{port}",
         f"{{plugin: sqlite, location: '{database}'}}"], check=True, stdout=subprocess.DEVNULL,
        env={**os.environ, "LIANBAN": os.path.join(fixture.BIN, "lianban"),
             "RULES": os.path.join(fixture.ROOT, "policy", "rules", "beijing-reference.yaml")})


def kit(*options, address=None):
    return subprocess.run(
        [os.path.join(fixture.BIN, "lianban"), "conformance", address or f"127.0.0.1:{port}", "--kit", folder,
         *options], capture_output=True, text=True, timeout=SECONDS, check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"})


class Conformance(unittest.TestCase):

    def setUp(self):
        self.adapter = Process("adapter", os.path.join(fixture.BIN, "lianban-adapter"),
                               os.path.join(folder, "adapter", "node.yaml"))
        shutil.rmtree(os.path.join(folder, "adapter", "state"), ignore_errors=True)
        shutil.rmtree(os.path.join(folder, "state"), ignore_errors=True)

    def start(self):
        self.adapter.start()
        self.addCleanup(self.adapter.stop)
        wait_until(self._serves, 30, "the adapter")

    def _serves(self):
        self.adapter.check()
        return "serving" in self.adapter.last_line()

    def spoil(self, name, old, new):
        """Changes the policy for this test; what it was comes back."""
        path = os.path.join(folder, "adapter", name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        self.write(path, text.replace(old, new))
        self.addCleanup(self.write, path, text)

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def test_an_adapter_as_it_ships_passes_twice(self):
        self.start()
        done = kit("--json")
        found = json.loads(done.stdout)
        self.assertEqual([check for check in found["checks"] if not check["ok"]], [])
        self.assertEqual(done.returncode, 0)
        self.assertGreaterEqual(found["passed"], 100)
        self.assertEqual(len({check["id"] for check in found["checks"]}), found["passed"])
        self.assertLess(found["ms"], 600_000)
        again = kit("--language", "zh", "--only", "status")
        self.assertEqual(again.returncode, 0, again.stdout)
        self.assertIn("0 项不符", again.stdout)
        self.leaves_only_its_own()

    def leaves_only_its_own(self):
        done = subprocess.run(
            [os.path.join(fixture.BIN, "lianban"), "log", "list", os.path.join(folder, "adapter", "state"),
             "--type", "READ", "--limit", "5000", "--json"], capture_output=True, text=True, check=True)
        entries = json.loads(done.stdout)["entries"]
        self.assertGreater(len(entries), 100)
        for entry in entries:
            for view in entry["views"]:
                self.assertRegex(view, r"^tax\.(conformance|conformance-few|kit-nothing)$")

    def test_a_policy_that_is_too_wide_is_found_by_name(self):
        self.spoil("views/view.yaml", 'operators: ["MASK(1,0)"]', 'operators: ["PASS"]')
        self.spoil("views/view-few.yaml", "operator: {hour: 3}", "operator: {hour: 4}")
        self.start()
        done = kit("--json")
        wrong = {check["id"]: (check["expected"], check["found"]) for check in json.loads(done.stdout)["checks"]
                 if not check["ok"]}
        self.assertEqual(wrong, {"operator.wider-than-view": ("OPERATOR_TOO_WEAK", "ANSWERED/OK"),
                                 "budget.operator": ("BUDGET_EXHAUSTED", "ANSWERED")})
        self.assertEqual(done.returncode, 1)

    def test_a_clock_that_is_an_hour_ahead_is_found_by_name(self):
        shim = os.path.join(os.path.dirname(folder), "late_clock.so")
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", shim,
                        os.path.join(os.path.dirname(os.path.abspath(__file__)), "late_clock.c")], check=True)
        os.environ["LD_PRELOAD"] = shim
        try:
            self.start()
        finally:
            del os.environ["LD_PRELOAD"]
        found, = json.loads(kit("--only", "clock", "--json").stdout)["checks"]
        self.assertRegex(found["found"], "^3[56][0-9]{2} s ahead$")
        honest, = json.loads(kit("--only", "grant.honest", "--json").stdout)["checks"]
        self.assertEqual((honest["ok"], honest["found"]), (False, "DEADLINE"))

    def test_a_single_group(self):
        self.start()
        done = kit("--only", "replay", "--language", "en")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(done.stdout.count("ok   replay."), 4)
        self.assertNotIn("tls.", done.stdout)
        self.assertEqual(kit("--only", "nothing-so").returncode, 1)  # what ran nothing proved nothing

    def test_an_adapter_that_is_not_there(self):
        done = kit(address="127.0.0.1:1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not answer", done.stderr)
        self.assertEqual(kit("--only").returncode, 2)


if __name__ == "__main__":
    unittest.main()
