"""A disk that fills up, empties, and files that vanish under running nodes: each has its state and its
code, denies reads, and recovers or refuses as docs/EVIDENCE.md says (issue 4, acceptance 4)."""

import json
import os
import subprocess
import sys
import unittest

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import find_story  # noqa: E402
from processes import wait_until  # noqa: E402

MARKED, FILLED, ROBBED = "disabled-federation", "health", "tax"
MB = 1 << 20
TMPFS_MB, MARKS = 96, {"alert_mb": 72, "stop_mb": 40, "reserve_mb": 4}
BEYOND_MB = 1 << 30


def setUpModule():
    global federation, mounted  # pylint: disable=global-statement
    federation = fixture.made(60, share_runs=100)
    unittest.addModuleCleanup(federation.stop)
    set_marks(MARKED, {"alert_mb": BEYOND_MB, "stop_mb": BEYOND_MB, "reserve_mb": 0})
    mounted = mount(federation.members[FILLED].state)
    if mounted:
        set_marks(FILLED, MARKS)
    federation.start()


def set_marks(name, marks):
    """Gives a node marks of its own, or takes them away."""
    path = federation.members[name].config
    with open(path, encoding="utf-8") as file:
        content = yaml.safe_load(file)
    content.pop("disk", None)
    if marks is not None:
        content["disk"] = marks
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(content, file, allow_unicode=True)


def mount(path):
    """A small file system of its own, where that is allowed."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={TMPFS_MB}m,mode=0700", "tmpfs", path]
    try:
        done = subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
    if done:
        unittest.addModuleCleanup(subprocess.run, ["umount", "-l", path], capture_output=True, check=False)
    return done


def states(name):
    """The states a node has told its operator, in order."""
    with open(federation.processes[name].log, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.startswith("{")]
    return [line["state"] for line in lines if line["event"] == "evidence_log"]


class Disk(unittest.TestCase):
    def told(self, name):
        """What one case is told instead of a department's answers; empty when they came."""
        outcome = federation.window.apply(find_story(federation, "dibao-couple")["members"])
        federation.window.discard(outcome.case_id)
        facts = [fact for fact in outcome.facts if fact.department == name]
        self.assertTrue(facts)
        return {fact.code for fact in facts if fact.code.startswith("LOG_") or fact.state == "unavailable"}

    def test_below_the_stop_mark_nothing_is_released(self):
        self.assertEqual(self.told(MARKED), {"LOG_FULL"})
        self.assertEqual(states(MARKED)[-1], "space_full")
        status, _ = federation.processes[MARKED].stop()
        self.assertEqual(status, 0)
        entries = federation.entries(MARKED)
        self.assertNotIn("READ", {entry["type"] for entry in entries})
        self.assertIn(("ADMIN", "SPACE_FULL"), {(e["type"], e["code"]) for e in entries})
        self.assertGreater(sum(e["count"] for e in entries if e["code"] == "LOG_FULL"), 0)
        self.assertEqual([e["code"] for e in entries if e["type"] == "ADMIN"][-1], "STOPPED")
        set_marks(MARKED, None)
        federation.restart(MARKED)
        self.assertEqual(self.told(MARKED), set())

    def test_a_disk_that_fills_up_and_empties(self):
        if not mounted:
            self.skipTest("no file system may be mounted here")
        ballast = os.path.join(federation.members[FILLED].state, "ballast")
        self.assertEqual(self.told(FILLED), set())
        for free_mb, state, told in ((60, "space_low", set()), (20, "space_full", {"LOG_FULL"}),
                                     (0, "space_spent", {"LOG_FULL"}), (None, "ok", set())):
            with self.subTest(state=state):
                self.fill(ballast, free_mb)
                wait_until(lambda s=state: states(FILLED)[-1:] == [s], 5, state)
                self.assertEqual(self.told(FILLED), told)
        self.fill(ballast, 0)
        wait_until(lambda: states(FILLED)[-1] == "space_spent", 5, "space_spent")
        status, _ = federation.processes[FILLED].stop()
        self.assertEqual(status, 0)
        self.assertEqual(federation.entries(FILLED, "--type", "admin")[-1]["code"], "STOPPED")
        os.unlink(ballast)
        federation.restart(FILLED)
        self.assertEqual(self.told(FILLED), set())
        self.assertTrue(federation.verify_logs(FILLED)["verified"])

    def fill(self, path, free_mb):
        """Leaves so much of the disk, as another program would; None for all."""
        if os.path.exists(path):
            os.unlink(path)
        if free_mb is None:
            return
        with open(path, "wb", buffering=0) as file:
            try:
                for _ in range(TMPFS_MB):
                    disk = os.statvfs(os.path.dirname(path))
                    if disk.f_bavail * disk.f_frsize <= free_mb * MB:
                        return
                    file.write(bytes(MB))
            except OSError:
                return

    def test_a_database_that_vanishes(self):
        self.assertEqual(self.told(ROBBED), set())
        path = os.path.join(federation.members[ROBBED].state, "evidence.db")
        os.rename(path, path + ".away")
        wait_until(lambda: states(ROBBED)[-1:] == ["files_changed"], 5, "files_changed")
        self.assertEqual(self.told(ROBBED), {"LOG_UNAVAILABLE"})
        federation.processes[ROBBED].stop()
        federation.processes[ROBBED].start()
        wait_until(lambda: not federation.processes[ROBBED].is_running, 5, "a refusal")
        with open(federation.processes[ROBBED].log, encoding="utf-8") as file:
            self.assertIn("lianban-adapter: FILE_FAILED: ", file.read())
        os.rename(path + ".away", path)
        federation.restart(ROBBED)
        self.assertEqual(self.told(ROBBED), set())
        self.assertTrue(federation.verify_logs(ROBBED)["verified"])


if __name__ == "__main__":
    unittest.main()
