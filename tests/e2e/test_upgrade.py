"""What another version makes of a node's stores, first on a copy."""

import os
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from processes import stop_all, wait_until  # noqa: E402

NODE = "tax"


def setUpModule():
    global federation, folder  # pylint: disable=global-statement
    federation = fixture.running(60)
    folder = fixture.folder()


def members():
    return federation.households[0]["members"]


def version_of(path, version=None):
    """A store's version, or another one set."""
    database = sqlite3.connect(path, isolation_level=None)
    try:
        if version is not None:
            database.execute(f"PRAGMA user_version = {version}")
        return database.execute("PRAGMA user_version").fetchone()[0]
    finally:
        database.close()


class Upgrade(unittest.TestCase):
    """Rehearsed by `lianban upgrade check`, done by the start, and refused where there is no way back."""

    OFFICE = "consent"

    def rehearse(self, name, may_fail=False):
        out = os.path.join(folder, "rehearsal")
        said = federation.material.lianban("upgrade", "check", "--config", federation.members[name].config,
                                           "--out", out, may_fail=may_fail)
        self.assertFalse(os.path.exists(out))
        return said

    def stores(self, said):
        return {store["store"]: (store["found"], store["known"]) for store in said["stores"]}

    def test_1_nothing_to_do_is_said_of_every_role_while_it_runs(self):
        for name, store in ((NODE, None), ("broker", "withdrawals.db"), ("consent", "consent.db"),
                            ("window", "cases.db")):
            said = self.rehearse(name)
            self.assertFalse(said["changes"], said)
            stores = self.stores(said)
            self.assertTrue(all(found == known for found, known in stores.values()), stores)
            self.assertLessEqual({"evidence.db"} | ({store} if store else set()), set(stores))
            self.assertTrue(federation.processes[name].is_running)

    def test_2_an_older_store_is_brought_forward_when_the_node_starts(self):
        """The office's store as it was a step ago: without the column that its last step adds."""
        path = os.path.join(federation.members[self.OFFICE].state, "consent.db")
        federation.processes[self.OFFICE].stop()
        now = version_of(path)
        database = sqlite3.connect(path)
        database.executescript("ALTER TABLE slip_try DROP COLUMN officer;")
        database.close()
        version_of(path, now - 1)
        said = self.rehearse(self.OFFICE)
        self.assertTrue(said["changes"])
        self.assertEqual(self.stores(said)["consent.db"], (now - 1, now))
        self.assertEqual(version_of(path), now - 1)
        federation.processes[self.OFFICE].start()
        federation.wait_ready()
        self.assertEqual(version_of(path), now)
        federation.window.apply(members())

    def test_3_a_newer_store_is_refused_by_the_rehearsal_and_the_start(self):
        stores = {NODE: "evidence.db", "broker": "withdrawals.db", "consent": "consent.db", "window": "cases.db"}
        stop_all([federation.processes[name] for name in stores])
        for name, store in stores.items():
            path = os.path.join(federation.members[name].state, store)
            now = version_of(path)
            version_of(path, now + 1)
            with self.subTest(node=name):
                self.assert_refused(name, store)
            version_of(path, now)
            federation.processes[name].start()
        federation.wait_ready()
        federation.window.apply(members())

    def assert_refused(self, name, store):
        error = self.rehearse(name, may_fail=True)["error"]
        self.assertEqual(error["code"], "VERSION_UNSUPPORTED")
        self.assertIn(store + ": a newer version", error["detail"])
        process = federation.processes[name]
        process.start()
        wait_until(lambda: not process.is_running, 30, "its refusal")
        self.assertIn("VERSION_UNSUPPORTED", process.last_line())
        self.assertIn("newer version", process.last_line())


if __name__ == "__main__":
    unittest.main()
