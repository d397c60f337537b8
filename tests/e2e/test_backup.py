"""Backups of nodes that are at work: whole without the node, and enough to put it back on its feet."""

import hashlib
import os
import shutil
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from processes import wait_until  # noqa: E402
from stubs import Refused  # noqa: E402

NODE = "tax"
KEYS = ("pseudo.key", "token.key")


def setUpModule():
    global federation, folder  # pylint: disable=global-statement
    federation = fixture.running(60)
    folder = fixture.folder()


def members():
    return federation.households[0]["members"]


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


if __name__ == "__main__":
    unittest.main()
