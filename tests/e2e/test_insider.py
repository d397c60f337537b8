"""An insider with root on one node and the key of its log: what was done, who finds it, by which code
(issue 4, acceptance 5)."""

import os
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
import receipts  # noqa: E402
from insider import Insider, copied, put_back  # noqa: E402
from processes import wait_until  # noqa: E402
from stubs import Refused  # noqa: E402

NODE = "tax"


def setUpModule():
    """A few cases and a backup, further cases, and then a copy of every log of one moment."""
    global federation, copies, last_week  # pylint: disable=global-statement
    federation = fixture.running(60)
    copies = tempfile.mkdtemp(prefix="lianban-e2e-")
    unittest.addModuleCleanup(shutil.rmtree, copies, ignore_errors=True)
    households = federation.households
    for household in households[:3]:
        federation.window.apply(household["members"])
    last_week = copied(federation.members[NODE].state, os.path.join(copies, "last-week"))
    for household in households[3:6]:
        federation.window.apply(household["members"])
    for name in ("broker", NODE):
        copied(federation.members[name].state, os.path.join(copies, name))


def verify(folder):
    verdict = federation.material.lianban(
        "log", "verify", folder, "--directory", federation.material.directory, "--signer",
        federation.material.directory_vkey, may_fail=True)
    return verdict["logs"][0]["code"]


def reconcile(broker, node):
    """How often each class came up, MATCH among them."""
    verdict = federation.material.lianban("log", "reconcile", broker, node, may_fail=True)
    found = {}
    for finding in verdict["findings"]:
        found[finding["class"]] = found.get(finding["class"], 0) + 1
        assert len(finding["txn"]) == 32 and finding["advice"], finding
        assert "broker_index" in finding or "adapter_index" in finding, finding
    assert verdict["reconciled"] == (not found)
    return found


class Copies(unittest.TestCase):
    """Acts on copies: by whom they are found offline."""

    def insider(self, name):
        folder = os.path.join(copies, "forged")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(os.path.join(copies, name), folder)
        member = federation.members[name]
        insider = Insider(folder, member.path("log.pem"), member.spiffe[len("spiffe://"):])
        return insider

    def found(self, insider, name=NODE):
        """What `verify` says of the forged log, and `reconcile` of it and the other side's."""
        insider.close()
        sides = {"broker": os.path.join(copies, "broker"), NODE: os.path.join(copies, NODE)}
        sides[name] = insider.folder
        return verify(insider.folder), reconcile(sides["broker"], sides[NODE])

    def test_nothing_was_done(self):
        for name in ("broker", NODE):
            insider = self.insider(name)
            insider.sign()  # the same log, by the insider's hand: the tools of this test hold
            self.assertEqual(self.found(insider, name), ("OK", {}))

    def test_without_the_key(self):
        """verify alone finds these."""
        acts = {
            "an entry altered": lambda log, at: log.say(at, "VIEW_CLOSED"),
            "an entry deleted": lambda log, at: log.execute("DELETE FROM leaf WHERE idx = ?", at),
            "entries removed and moved up": lambda log, at: log.remove(at),
            "two entries reordered": lambda log, at: log.swap(at, at + 1),
            "the end cut off": lambda log, at: log.cut(at),
            "an entry invented": lambda log, at: log.invent(at),
        }
        for what, act in acts.items():
            with self.subTest(what):
                log = self.insider(NODE)
                act(log, log.indexes("READ")[3])
                log.close()
                self.assertIn(verify(log.folder), ("LOG_FORK", "LOG_BEHIND"))

    def test_an_entry_altered_and_signed_anew(self):
        acts = {
            "FIELD_DIFF": lambda log, at: log.say(at, "VIEW_CLOSED"),
            "POLICY_DIFF": lambda log, at: log.flip(at, "policy_hash"),
            "DIGEST_DIFF": lambda log, at: log.flip(at, "answer_hash"),
        }
        for code, act in acts.items():
            with self.subTest(code):
                log = self.insider(NODE)
                act(log, log.indexes("READ", "ANSWERED")[3])
                log.sign()
                self.assertEqual(self.found(log), ("OK", {code: 1}))

    def test_entries_deleted_and_signed_anew(self):
        log = self.insider(NODE)
        log.remove(log.indexes("READ")[3])
        log.sign()
        self.assertEqual(self.found(log)[1], {"MISSING_ADAPTER": 1})

    def test_entries_reordered_and_signed_anew(self):
        log = self.insider(NODE)
        reads = log.indexes("READ")
        leaves = [receipts.read_leaf(raw) for raw in log.leaves()]
        one, other = next((i, k) for i, k in zip(reads, reads[1:]) if leaves[i].time_ms != leaves[k].time_ms)
        log.swap(one, other)
        log.sign()
        self.assertEqual(self.found(log)[1], {"DIGEST_DIFF": 2})

    def test_cut_off_and_signed_anew(self):
        """The whole log replaced by a shorter one that is perfect in itself."""
        log = self.insider(NODE)
        reads = log.indexes("READ")
        log.cut(reads[-5])
        log.sign()
        self.assertEqual(self.found(log), ("OK", {"MISSING_ADAPTER": 5}))

    def test_last_weeks_backup(self):
        found = reconcile(os.path.join(copies, "broker"), last_week)
        self.assertEqual(set(found), {"MISSING_ADAPTER"})
        self.assertEqual(verify(last_week), "OK")

    def test_an_entry_invented_and_signed_anew(self):
        log = self.insider(NODE)
        log.invent(log.indexes("READ")[-1])
        log.sign()
        self.assertEqual(self.found(log), ("OK", {"MISSING_BROKER": 1}))

    def test_the_brokers_insider(self):
        """The other side's receipts are entries of the adapter's."""
        for kinds, found in ((("ROUTE", "DELIVER"), {"MISSING_BROKER": 1}), (("ROUTE",), {"MISSING_BROKER": 1})):
            with self.subTest(kinds):
                log = self.insider("broker")
                txn = self._one_of_the_nodes(log)
                for kind in kinds:
                    leaves = [receipts.read_leaf(raw) for raw in log.leaves()]
                    log.remove(next(i for i, leaf in enumerate(leaves) if leaf.type == kind and leaf.txn == txn))
                log.sign()
                self.assertEqual(self.found(log, "broker")[1], found)
        log = self.insider("broker")
        txn = self._one_of_the_nodes(log)
        leaves = [receipts.read_leaf(raw) for raw in log.leaves()]
        log.say(next(i for i, leaf in enumerate(leaves) if leaf.type == "DELIVER" and leaf.txn == txn), "REPLAY")
        log.sign()
        self.assertEqual(self.found(log, "broker"), ("OK", {"FIELD_DIFF": 1}))

    def _one_of_the_nodes(self, broker):
        """A txn that the node answered and the broker delivered."""
        own = self.leaf_txns(os.path.join(copies, NODE))
        return next(leaf.txn for leaf in map(receipts.read_leaf, broker.leaves())
                    if leaf.type == "DELIVER" and leaf.txn in own)

    @staticmethod
    def leaf_txns(folder):
        member = federation.members[NODE]
        log = Insider(folder, member.path("log.pem"), "")
        txns = {leaf.txn for leaf in map(receipts.read_leaf, log.leaves()) if leaf.type == "READ"}
        log.close()
        return txns


class Asking(unittest.TestCase):
    """The same comparison over the wire: a member asks another, with its own certificate."""

    def ask(self, name, caller):
        now = int(time.time()) // 60
        request = federation.contract.new("GetDigestsRequest", from_minute=now - 10, to_minute=now + 1)
        reply = federation.call(name, "Evidence/GetDigests", request, caller)
        self.assertEqual(reply.to_minute, now + 1)
        return {minute.minute: (minute.count, minute.root) for minute in reply.minutes if minute.count}

    def test_both_sides_have_the_same_digests(self):
        own = self.ask(NODE, "broker")
        self.assertTrue(own)
        self.assertEqual(self.ask("broker", NODE), own)
        self.assertNotEqual(self.ask("broker", "health"), own)

    def test_a_member_gets_its_own_entries_only(self):
        minute, (count, _) = max(self.ask("broker", NODE).items())
        request = federation.contract.new("GetDigestEntriesRequest", minute=minute)
        reply = federation.call("broker", "Evidence/GetDigestEntries", request, NODE)
        leaves = [receipts.read_leaf(entry.leaf) for entry in reply.entries]
        self.assertGreaterEqual(len(leaves), 2 * count)
        self.assertEqual({view.split(".")[0] for leaf in leaves for view in leaf.views.split(",")}, {NODE})

    def test_nobody_else_is_told(self):
        for name, caller in (("broker", "window"), ("broker", "consent"), (NODE, "health"), (NODE, "window")):
            with self.subTest(name=name, caller=caller), self.assertRaises(Refused) as refused:
                self.ask(name, caller)
            self.assertEqual(refused.exception.code, "ROLE_NOT_ALLOWED")


class Peers(unittest.TestCase):
    """Acts on the running node: its peer remembers what it was shown."""

    def assert_refused(self, folder, code):
        """With this log in its place, the node's links end: it or the broker names the reason."""
        before = {name: os.path.getsize(federation.processes[name].log) for name in (NODE, "broker")}

        def said():
            return any(code in self.words(name, size) for name, size in before.items())

        federation.processes[NODE].kill()
        put_back(folder, federation.members[NODE].state)
        federation.processes[NODE].start()
        wait_until(said, 8, code)

    @staticmethod
    def words(name, start):
        with open(federation.processes[name].log, "rb") as file:
            file.seek(start)
            return file.read().decode("utf-8", "replace")

    def test_last_weeks_backup_restored(self):
        self.assert_refused(last_week, "LOG_BEHIND")

    def test_replaced_by_a_shorter_log_signed_anew(self):
        folder = os.path.join(copies, "shorter")
        shutil.copytree(os.path.join(copies, NODE), folder)
        log = Insider(folder, federation.members[NODE].path("log.pem"),
                      federation.members[NODE].spiffe[len("spiffe://"):])
        log.cut(log.indexes("READ")[-5])
        log.sign()
        log.close()
        self.assert_refused(folder, "LOG_BEHIND")


if __name__ == "__main__":
    unittest.main()
