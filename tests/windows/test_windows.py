"""Windows in any language: the examples complete cases with the classes that `lianban apply` gives.

The commands are those of docs/INTEGRATION.md, with this federation's folder and ports in them. LIANBAN_NODE and
LIANBAN_JAVA name the folders where the examples were made ready.
"""

import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time
import unittest

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(os.path.dirname(_HERE))
sys.path[:0] = [os.path.join(_ROOT, "tests", "e2e")]

import fixture  # noqa: E402
from cases import find_story  # noqa: E402

NODE = os.environ.get("LIANBAN_NODE", ".build/window-node")
JAVA = os.environ.get("LIANBAN_JAVA", ".build/window-java")
EACH = ("tekun-home", "dibao-couple", "single-ill", "edge-couple", "rigid-heart", "none-car", "manual-aided")
STOPPED = "social-security"
LANGUAGES = ("python3 examples/window-python", ".build/window-java/window", "node examples/window-node")


def commands():
    """The lines of the guide's `sh` blocks."""
    with open(os.path.join(_ROOT, "docs", "INTEGRATION.md"), encoding="utf-8") as file:
        blocks = re.findall(r"^```(sh|bash)\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    return ([line for kind, block in blocks if kind == "sh" for line in block.splitlines()],
            [block for kind, block in blocks if kind == "bash"])


def here(text):
    """A command of the guide, for this federation and for where its parts were built."""
    window = federation.members["window"]
    for old, new in (("/tmp/lianban", federation.root), ("127.0.0.1:7412", window.http),
                     ("127.0.0.1:7413", window.grpc), (".build/bin", fixture.BIN),
                     (".build/window-java", JAVA), ("examples/window-node", NODE)):
        text = text.replace(old, new)
    return text


def setUpModule():
    global federation  # pylint: disable=global-statement
    federation = fixture.running(people=100, share_runs=16)  # everybody asks about the same people
    federation.write_applications()
    (desk,) = [line for line in commands()[0] if "desk.py" in line]
    # Killed with its session: the shell that reads the command is its parent, not we.
    with open(os.path.join(federation.root, "desk.log"), "wb") as log:
        process = subprocess.Popen(here(desk), shell=True, cwd=_ROOT, start_new_session=True, stderr=log)
    unittest.addModuleCleanup(_end, process)


def _end(process):
    os.killpg(process.pid, 15)
    process.wait(10)


def run(command, timeout=60):
    return subprocess.run(command, shell=True, executable="/bin/bash", cwd=_ROOT, capture_output=True,
                          text=True, timeout=timeout, check=False)


def window(language, stories, more=""):
    """One example over some households by the guide's own line; its results, one for each."""
    (line,) = [line for line in commands()[0] if line.startswith(language)]
    before, _ = here(line).rsplit(" ", 1)
    files = " ".join(os.path.join(federation.root, "applications", story + ".json") for story in stories)
    done = run(f"{before} {more} {files}")
    if done.returncode != 0:
        raise AssertionError(f"{line}\n{done.stderr[-2000:]}")
    return [json.loads(result) for result in done.stdout.splitlines()]


def apply(stories):
    """The classes by the product's own command."""
    found = []
    for story in stories:
        path = os.path.join(federation.root, "applications", story + ".json")
        tickets = os.path.join(federation.root, f"apply-{story}.json")
        command = [os.path.join(fixture.BIN, "lianban"), "apply", "--form", "social-assistance", "--household",
                   path, "--agent", federation.members["window"].address, "--operator", "W-0017", "--unit",
                   "street-office-01", "--tickets", tickets, "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            while not os.path.exists(tickets) and process.poll() is None:
                time.sleep(0.02)
            _pass_on(tickets, path)
            printed = process.stdout.read()
            if '"class_id"' not in printed:
                raise AssertionError(f"apply {story}: {printed}\n{_desk_said()}")
            found.append(json.loads(printed)["class_id"])
    return found


def _desk_said():
    with open(os.path.join(federation.root, "desk.log"), encoding="utf-8") as file:
        return "".join(line for line in file if not line.endswith(" agreed\n"))


def _pass_on(tickets, household):
    """The command's tickets, as the desk's player reads them."""
    with open(tickets, encoding="utf-8") as file:
        content = json.load(file)
    os.unlink(tickets)
    line = json.dumps({"household": household, "tickets": content["tickets"]})
    with open(os.path.join(federation.root, "tickets.jsonl"), "a", encoding="utf-8") as file:
        file.write(line + "\n")


class Windows(unittest.TestCase):
    """Every language, all at once."""

    def everybody(self, stories, more=""):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            wanted = pool.submit(apply, stories)
            ran = {language: pool.submit(window, language, stories, more) for language in LANGUAGES}
            return wanted.result(), {language: future.result() for language, future in ran.items()}

    def test_1_each_class(self):
        wanted, found = self.everybody(EACH)
        self.assertEqual(wanted, [find_story(federation, story)["class"] for story in EACH])
        self.assertEqual(len(set(wanted)), 7)
        for language, results in found.items():
            with self.subTest(language):
                self.assertEqual([result["class"] for result in results], wanted)
                for story, result in zip(EACH, results):
                    members = len(find_story(federation, story)["members"])
                    self.assertGreaterEqual(result["receipts_checked"], 8 * members)
                    self.assertEqual(result["receipts_failed"], 0)

    def test_2_a_stopped_department_is_for_a_person(self):
        federation.processes[STOPPED].kill()
        try:
            wanted, found = self.everybody(["dibao-couple"])
        finally:
            federation.restart(STOPPED)
        self.assertEqual(wanted, ["MANUAL"])
        for language, results in found.items():
            with self.subTest(language):
                self.assertEqual([result["class"] for result in results], ["MANUAL"])
                self.assertGreater(results[0]["receipts_checked"], 0)

    def test_3_by_hand(self):
        (script,) = commands()[1]
        done = run("set -e\n" + here(script))
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertIn('"class_id":"TEKUN"', done.stdout)
        self.assertTrue(lines[0].startswith('{"tickets":['), lines[0])

    def test_4_whatever_is_refused_is_said(self):
        other = os.path.join(federation.root, "other.key")
        with open(other, "w", encoding="ascii") as file:
            file.write("00" * 32)
        os.chmod(other, 0o600)
        for language in LANGUAGES[:2]:
            (line,) = [line for line in commands()[0] if line.startswith(language)]
            done = run(here(line).replace(os.path.join(federation.root, "window", "local.key"), other))
            with self.subTest(language):
                self.assertEqual(done.returncode, 1)
                self.assertIn("AGENT_SECRET_WRONG", done.stderr)
        os.chmod(other, 0o644)
        for language in LANGUAGES[:2]:
            (line,) = [line for line in commands()[0] if line.startswith(language)]
            done = run(here(line).replace(os.path.join(federation.root, "window", "local.key"), other))
            with self.subTest(language):
                self.assertEqual(done.returncode, 1)
                self.assertIn("chmod 600", done.stderr)

    def test_5_the_node_window_has_tests_of_its_own(self):
        done = run(f"node --test {NODE}/test/")
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])
        self.assertRegex(done.stdout, r"# pass [1-9]")

    def test_6_the_lock_file_names_no_registry(self):
        with open(os.path.join(_ROOT, "examples", "window-node", "package-lock.json"), encoding="utf-8") as file:
            packages = json.load(file)["packages"]
        for name, package in packages.items():
            self.assertNotIn("resolved", package, name)
            self.assertTrue(not name or package["integrity"].startswith("sha512-"), name)


if __name__ == "__main__":
    unittest.main()
