"""Backups of nodes that are at work: whole without the node, and enough to put it back on its feet. And nodes whose
log is lost beyond the last backup: service returns, the gap is proved, what was before it is found at the others."""

import datetime
import hashlib
import json
import os
import shutil
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from members import DEPARTMENTS, FEDERATION, OPERATOR  # noqa: E402
from processes import wait_until  # noqa: E402
from recovery_cases import Commands, Loss  # noqa: E402
from stubs import Refused  # noqa: E402

NODE = "tax"
LOST, UNDERSTATED = "housing", "education"
KEYS = ("pseudo.key", "token.key", "intake.key")


def setUpModule():
    global federation, folder  # pylint: disable=global-statement
    federation = fixture.running(60)
    folder = fixture.folder()


def members(which=0):
    """A household's; how often one's incomes may be added up is limited."""
    return federation.households[which]["members"]


def back_up(name, out, *options, may_fail=False):
    return federation.material.lianban("backup", "--config", federation.members[name].config, "--out",
                                       os.path.join(folder, out), *options, may_fail=may_fail)


def check(out, may_fail=False):
    material = federation.material
    return material.lianban("backup", "check", os.path.join(folder, out), "--directory", material.directory,
                            "--signer", material.directory_vkey, may_fail=may_fail)


def verify(state):
    material = federation.material
    return material.lianban("log", "verify", state, "--directory", material.directory, "--signer",
                            material.directory_vkey)["logs"][0]


class Load(threading.Thread):
    """Cases, one after the other, until told to stop."""

    def __init__(self):
        super().__init__()
        self._done, self.begun = threading.Event(), threading.Event()
        self.num = 0

    def run(self):
        while not self._done.is_set():
            try:
                federation.window.apply(members())
                self.num += 1
            except Refused:
                self._done.wait(0.05)
            self.begun.set()

    def finish(self):
        self._done.set()
        self.join()


class Backup(unittest.TestCase):
    def test_1_under_load_every_role_is_copied_whole(self):
        load = Load()
        self.addCleanup(load.finish)
        load.start()
        self.assertTrue(load.begun.wait(60), "no case ran")
        for name in (NODE, "broker", "consent", "window"):
            with self.subTest(role=name):
                made = back_up(name, name)
                checked = check(name)
                self.assertTrue(made["verified"] and checked["verified"])
                self.assertEqual(checked["log"], made["log"])
                self.assertGreater(made["log"]["size"], 0)
                with open(os.path.join(folder, name, "manifest.json"), "rb") as file:
                    self.assertEqual(hashlib.sha256(file.read()).hexdigest(), made["manifest_sha256"])
                self.assert_private(os.path.join(folder, name))
        before = load.num
        wait_until(lambda: load.num > before, 60, "a case after the backups")
        self.assertEqual(back_up(NODE, NODE, may_fail=True)["error"]["code"], "FILE_FAILED")

    def assert_private(self, path):
        for top, _, files in os.walk(path):
            self.assertEqual(os.stat(top).st_mode & 0o777, 0o700, top)
            for name in files:
                self.assertEqual(os.stat(os.path.join(top, name)).st_mode & 0o777, 0o600, name)
                self.assertFalse(name.endswith((".key", ".pem")), name)

    def test_2_a_node_that_is_gone_comes_back_from_its_last_copy(self):
        """Killed, then copied, then destroyed: nobody has seen more of its log than the copy has."""
        member = federation.members[NODE]
        federation.processes[NODE].kill()
        last = back_up(NODE, "last", *[word for key in KEYS
                                       for word in ("--key", os.path.join(member.state, key))])
        self.assertEqual((last["keys"], sorted(last["left_out"])), (len(KEYS), sorted(KEYS)))
        shutil.rmtree(member.state)
        for out in (NODE, "last"):
            self.assertTrue(check(out)["verified"])
        copied = os.path.join(folder, "last", "state")
        self.assertEqual(verify(copied)["size"], last["log"]["size"])
        self.assertLess(verify(os.path.join(folder, NODE, "state"))["size"], last["log"]["size"])
        shutil.copytree(copied, member.state)
        os.chmod(member.state, 0o700)
        for key in KEYS:
            shutil.copy(os.path.join(folder, "last", "keys", key), member.state)
        federation.processes[NODE].start()
        federation.wait_ready()
        federation.window.apply(members())
        verdict = verify(member.state)
        self.assertEqual(verdict["code"], "OK")
        self.assertGreater(verdict["size"], last["log"]["size"])


def now():
    return datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")


def codes(facts, department):
    return {fact.code for fact in facts if fact.view.startswith(department + ".")}


class Recovery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.commands = Commands(federation, folder)
        cls.commands.enrol(LOST, UNDERSTATED, OPERATOR)

    def test_1_a_department_comes_back_from_its_last_backup(self):
        """Cases before the backup, after it, and one whose grants are there when the department is lost."""
        loss, broker = Loss(self.commands, LOST, ["broker"]), federation.members["broker"]
        federation.window.apply(members(1))
        made = back_up(LOST, LOST, "--key", os.path.join(loss.member.state, KEYS[0]))
        backed_up_ms, kept = time.time() * 1000, os.path.join(folder, LOST, "state")
        federation.window.apply(members(2))
        waiting = federation.window.open(members(1))
        federation.window.agree(waiting, members(1))
        loss.destroy()
        loss.restore(kept)
        shutil.copy(os.path.join(folder, LOST, "keys", KEYS[0]), loss.member.state)
        loss.ask_peers()
        loss.draft(kept)
        self.assertEqual(loss.begin_code(), "SIGNATURE_INVALID")
        loss.sign()
        loss.begin()
        loss.begin()  # once more: nothing changes
        loss.publish()
        recovered = now()
        federation.restart(LOST)
        with self.subTest("grants of before are refused, by name"):
            self.assertEqual(codes(federation.window.collect(waiting).facts, LOST), {"GRANT_BEFORE_RECOVERY"})
        with self.subTest("cases run again"):
            self.assertEqual(codes(federation.window.apply(members(2)).facts, LOST), {""})
        with self.subTest("the gap is proved"):
            shown = loss.show()
            self.assertEqual((shown["kept"], shown["signed"], shown["silent"]), (made["log"]["size"], 2, ""))
            self.assertEqual(shown["lost"], f"{FEDERATION}/adapter/{LOST}")
            first = federation.entries(LOST)[0]
            self.assertEqual((first["type"], first["code"], first["count"]),
                             ("RECOVERY", "RECOVERED", shown["seen"] - shown["kept"]))
            self.assertGreater(first["count"], 0)
        with self.subTest("logs verify"):
            self.assertEqual([verify(state)["code"] for state in (loss.member.state, kept, broker.state)], 3 * ["OK"])
        with self.subTest("nothing before the gap is lost, and the gap's reads are known"):
            with open(loss.lost(BACKUP=kept, PEERS=broker.state, RECOVERED=recovered), encoding="utf-8") as file:
                found = json.load(file)["findings"]
            self.assertEqual({one["class"] for one in found}, {"MISSING_ADAPTER"})
            self.assertGreater(min(one["time_ms"] for one in found), backed_up_ms)
        with self.subTest("it is backed up under its new name"):
            self.assertEqual(back_up(LOST, LOST + "-r1")["log"]["origin"], f"{FEDERATION}/adapter/{LOST}~r1")

    def test_2_a_broker_comes_back_without_a_backup(self):
        loss = Loss(self.commands, "broker", [name for name in DEPARTMENTS if name != LOST])
        loss.destroy()
        loss.ask_peers()
        loss.draft()
        loss.sign()
        for milliseconds in (4, 12, 20, 28, 36):
            loss.begin_killed(milliseconds / 1000)
        loss.begin()
        loss.publish()
        federation.restart("broker")
        self.assertEqual([one["index"] for one in federation.entries("broker") if one["type"] == "RECOVERY"], [0])
        outcome = federation.window.apply(members(3))
        self.assertEqual({fact.code for fact in outcome.facts}, {""})
        self.assertEqual(verify(loss.member.state)["code"], "OK")
        shown = loss.show()
        self.assertEqual((shown["kept"], shown["silent"]), (0, federation.members[LOST].spiffe))

    def test_3_who_saw_more_than_is_said_to_be_lost_refuses(self):
        """An old statement: the broker has seen more since."""
        loss = Loss(self.commands, UNDERSTATED, ["broker"])
        loss.ask_peers()
        federation.window.apply(members(4))
        loss.destroy()
        loss.draft()
        loss.sign()
        loss.publish()
        process = federation.processes[UNDERSTATED]
        process.start()  # too early
        wait_until(lambda: not process.is_running, 30, "an end without a log")
        self.assertIn("node recover begin", process.last_line())
        loss.begin()
        process.start()
        federation.wait_answering(UNDERSTATED)
        wait_until(lambda: "LOG_BEHIND" in log_of("broker"), 30, "the broker's refusal")
        self.assertEqual(federation.unlinked(), [UNDERSTATED])


def log_of(name):
    with open(federation.processes[name].log, encoding="utf-8", errors="replace") as file:
        return file.read()


if __name__ == "__main__":
    unittest.main()
