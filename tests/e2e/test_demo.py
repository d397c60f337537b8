"""The demo as a program: what it prints, what it leaves, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from members import DEPARTMENTS  # noqa: E402

DEMO = [sys.executable, os.path.join(fixture.ROOT, "demo", "demo.py"), "--bin", fixture.BIN]
SMALL = ["--people", "10", "--seconds", "0"]


def run(*options):
    return subprocess.run([*DEMO, *options], capture_output=True, text=True, timeout=90, check=False)


def still_running(root):
    """Programs that were started with a configuration in this folder."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if f"--config {root}/" in line]


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = os.path.join(fixture.folder(), "state")
        cls.ended = run(*SMALL, "--json", "--dir", cls.root)

    def test_every_expectation_held(self):
        self.assertEqual(self.ended.returncode, 0, self.ended.stderr[-4000:])

    def test_one_document_and_nothing_else(self):
        results = json.loads(self.ended.stdout)
        self.assertTrue(results["ok"] and results["stopped_cleanly"])
        scenes = {scene["scene"]: scene for scene in results["scenes"]}
        self.assertEqual(set(scenes), {"command", "classes", "away", "hostile", "evidence", "blind"})
        self.assertEqual({entry["actual"] for entry in scenes["classes"]["households"]},
                         {"TEKUN", "DIBAO", "SINGLE", "EDGE", "RIGID", "NONE", "MANUAL"})
        self.assertEqual(scenes["blind"]["found"], [])

    def test_no_person_is_in_the_document(self):
        self.assertNotRegex(self.ended.stdout, r"99\d{15}[\dX]")

    def test_the_story_is_told_in_two_languages(self):
        self.assertIn("各类家庭", self.ended.stderr)
        self.assertIn("Households of each class", self.ended.stderr)
        self.assertNotIn("\033[", self.ended.stderr)

    def test_where_everything_lies(self):
        for path in ["broker", "consent", "window", "pki", "endpoints.json",
                     *(f"departments/{name}.db" for name in DEPARTMENTS),
                     *(f"adapters/{name}" for name in DEPARTMENTS)]:
            self.assertTrue(os.path.exists(os.path.join(self.root, path)), path)
        with open(os.path.join(self.root, "endpoints.json"), encoding="utf-8") as file:
            endpoints = json.load(file)
        for node in endpoints["nodes"].values():
            self.assertTrue(os.path.exists(node["cert"]) and os.path.exists(node["key"]))

    def test_nothing_is_left_running(self):
        self.assertEqual(still_running(self.root), [])

    def test_a_folder_in_use_is_refused(self):
        again = run(*SMALL, "--dir", self.root)
        self.assertEqual(again.returncode, 2)
        self.assertIn("not empty", again.stderr)

    def test_programs_that_are_not_there(self):
        ended = subprocess.run([*DEMO[:2], "--bin", fixture.folder(), *SMALL], capture_output=True, text=True,
                               timeout=60, check=False)
        self.assertEqual(ended.returncode, 1)
        self.assertNotIn("Traceback", ended.stderr)

    def test_serve_until_interrupted(self):
        root = os.path.join(fixture.folder(), "state")
        with subprocess.Popen([*DEMO, *SMALL, "--serve", "--dir", root], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) as process:
            self.addCleanup(process.kill)
            line = ""
            while "Left running" not in line:
                line = process.stdout.readline()
                self.assertTrue(line, "the demo ended")
            running = still_running(root)
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
        self.assertEqual(len(running), 14)
        self.assertEqual(process.returncode, 0, rest)
        self.assertEqual(still_running(root), [])


if __name__ == "__main__":
    unittest.main()
