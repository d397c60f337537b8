"""Two brokers, departments that dial out, and one of the brokers killed under load (issue 5, acceptance 3):
every case finishes with its class, no grant is used twice, and no port of theirs is open. The long
campaign is `./run crash --brokers`."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
import unittest

import yaml

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(_HERE, "..", "crash")]

import fixture  # noqa: E402
import requester as interop  # noqa: E402
import brokers  # noqa: E402
from brokers import Failover, listening_ports  # noqa: E402
from members import DEPARTMENTS  # noqa: E402
from officers import Officer  # noqa: E402
from stubs import Refused  # noqa: E402

FIRST, SECOND = "broker", "broker-2"
ATTACHED = ("disabled-federation", "health", "housing", "social-security", "tax")
BOTH_WAYS = "finance"  # has an address, and dials out as well
UNLISTED = "spiffe://demo.lianban/broker/federation-operator/gone"  # named by some, and listed no more
CASES = 16
HOSTILE = 6


def setUpModule():
    global federation  # pylint: disable=global-statement
    federation = fixture.made(120, share_runs=10000, brokers=2, attached=ATTACHED)
    first, second = (federation.members[name].spiffe for name in (FIRST, SECOND))
    brokers.edit(federation.members["window"].config, deadline_ms=brokers.DEADLINE_MS,
                 brokers=[first, UNLISTED, second])
    brokers.edit(federation.members[BOTH_WAYS].config, attach=[first, second])
    brokers.edit(federation.members[ATTACHED[0]].config, attach=[UNLISTED, first, second])
    with open(federation.members[ATTACHED[0]].path("policy.yaml"), encoding="utf-8") as file:
        accept = yaml.safe_load(file)["accept"]
    brokers.edit(federation.members[ATTACHED[0]].path("policy.yaml"),
                 accept={**accept, "brokers": [*accept["brokers"], UNLISTED]})
    unittest.addModuleCleanup(federation.stop)
    federation.start()


def said(name, event):
    return brokers.said(federation, name, event)


class A_Links(unittest.TestCase):
    """How departments and brokers hold together, before anything fails."""

    def test_who_dials_out_has_no_port(self):
        for name in ATTACHED:
            self.assertEqual(listening_ports(federation.processes[name].pid), set(), name)
        listed = {int(federation.members["education"].address.rsplit(":", 1)[1])}
        self.assertEqual(listening_ports(federation.processes["education"].pid), listed)

    def test_one_that_is_dialled_and_dials_keeps_one_link(self):
        """The two ways would replace each other several times a second."""
        before = said(BOTH_WAYS, "link_closed"), said(FIRST, "link_closed")
        time.sleep(1)
        self.assertEqual((said(BOTH_WAYS, "link_closed"), said(FIRST, "link_closed")), before)
        self.assertLessEqual(before[0], 4)

    def test_one_that_is_not_listed_keeps_nobody_from_the_others(self):
        self.assertEqual(said(ATTACHED[0], "broker_not_dialled"), 1)

    def test_the_doctor_comes_by_the_socket(self):
        told = federation.material.lianban("doctor", "--config", federation.members[ATTACHED[2]].config)
        self.assertEqual([f["state"] for f in told["rows"] if f["check"] == "self"], ["ok"])
        self.assertEqual(len([f for f in told["rows"] if f["check"] == "port"]), 2)

    def test_its_officers_come_by_a_socket(self):
        officer = Officer(federation, ATTACHED[0]).enrol(2)
        officer.write_profile(federation.members[ATTACHED[0]], federation.members[ATTACHED[0]].inside)
        officer.index()
        deadline = time.monotonic() + 20
        answer = officer.ask("log", "query", may_fail=True)
        while "rows" not in answer and time.monotonic() < deadline:  # until the node knows the officer
            time.sleep(0.2)
            answer = officer.ask("log", "query", may_fail=True)
        self.assertIn("rows", answer)
        self.assertTrue(federation.entries(ATTACHED[0], "--type", "review"))


class B_Hostile(unittest.TestCase):
    """What was captured at one broker is sent by the other."""

    @classmethod
    def setUpClass(cls):
        cls.world = interop.Federation(os.path.join(federation.root, "endpoints.json"))
        cls.own = interop.Requester(cls.world, interop.Profile.load(cls.world, "window"))
        cls.addClassCleanup(cls.world.close)

    def read(self, department):
        member = federation.households[0]["members"][0]
        person = interop.Person(member["id_no"], member["name"])
        grant = self.own.mandate("applicant", person, "C-" + os.urandom(4).hex(), [department])
        return self.own.build_read(grant, department, person)

    def send(self, broker, read, into):
        into[broker] = self.own.collect([read], broker=broker)[0]

    def test_the_same_request_later(self):
        for department in (ATTACHED[4], "finance"):
            read, events = self.read(department), {}
            self.send(FIRST, read, events)
            self.send(SECOND, read, events)
            self.assertEqual([events[FIRST].code, events[SECOND].code], ["ANSWERED", "REPLAY"])
            self.own.check_receipt(read, events[FIRST])
            with self.assertRaises(interop.receipts.BadEvidence):
                self.own.check_receipt(read, events[FIRST], SECOND)

    def test_under_the_other_ones_entry(self):
        """The second broker shows the first one's ROUTE entry in the place of its own."""
        read, events = self.read(BOTH_WAYS), {}
        self.send(FIRST, read, events)
        new = self.world.contract.new
        request = new("RoutedReadRequest", log=events[FIRST].broker_log,
                      read=new("RoutedRead", request=read.request, route=events[FIRST].route))
        with self.assertRaises(Refused) as refused:
            self.world.call(BOTH_WAYS, SECOND, "Adapter/Read", request)
        self.assertEqual(refused.exception.code, "SIGNATURE_INVALID")

    def test_the_same_request_at_once(self):
        """Both pass it on in the same moment: one is answered, one use counts."""
        for _ in range(HOSTILE):
            read, events = self.read(ATTACHED[4]), {}
            threads = [threading.Thread(target=self.send, args=(name, read, events)) for name in (FIRST, SECOND)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(event.code for event in events.values()), ["ANSWERED", "REPLAY"])


class C_Killed(unittest.TestCase):
    def test_one_is_killed_and_comes_back(self):
        failover = Failover(federation, seed=5)
        failover.round(CASES, FIRST)
        self.assertEqual(failover.wrong, [])
        self.assertGreaterEqual(said("window", "broker_down"), 1)
        self.revoke()
        failover.back(FIRST)
        failover.check_logs()
        self.assertEqual(failover.wrong, [])
        self.assertGreaterEqual(said("window", "broker_up"), 1)

    def revoke(self):
        """With one broker dead: every department acknowledges through the other."""
        members = federation.households[1]["members"]
        case_id = federation.window.open(members)
        federation.window.agree(case_id, members)
        federation.window.collect(case_id)
        ticket = federation.window.ask(case_id)[0]
        grant = federation.desk.confirm(ticket.request_id, members[0]["id_no"],
                                        federation.window.notice(case_id).sha256)
        receipts = federation.desk.revoke(grant, members[0]["id_no"]).receipts
        self.assertEqual({receipt.code for receipt in receipts}, {"OK"})
        self.assertEqual(len(receipts), len(DEPARTMENTS))


class Configured(unittest.TestCase):
    """What is refused at --check, with a word of what to do."""

    def check(self, name, program, **changes):
        own = federation.members[name]
        config = os.path.join(own.folder, "tried.yaml")
        shutil.copy(own.config, config)
        brokers.edit(config, **changes)
        return subprocess.run([os.path.join(fixture.BIN, program), "--config", config, "--check"],
                              capture_output=True, text=True, timeout=30, check=False)

    def assert_refused(self, ended, says):
        self.assertEqual(ended.returncode, 1, ended.stdout)
        self.assertIn(says, ended.stderr)

    def test_an_adapter_its_officers_cannot_reach(self):
        self.assert_refused(self.check(ATTACHED[0], "lianban-adapter", listen=None), "opens no port")

    def test_an_adapter_no_broker_can_reach(self):
        self.assert_refused(self.check(ATTACHED[0], "lianban-adapter", attach=None), "attach")

    def test_brokers_of_a_window(self):
        first, second = (federation.members[name].spiffe for name in (FIRST, SECOND))
        for says, changes in (("either broker or brokers", {"brokers": None}),
                              ("either broker or brokers", {"broker": first}),
                              ("named twice", {"brokers": [first, second, first]}),
                              ("1 to 8", {"brokers": []}),
                              ("1 to 8", {"brokers": [f"{first}/{n}" for n in range(9)]})):
            self.assert_refused(self.check("window", "lianban-window", **changes), says)
        self.assertEqual(self.check("window", "lianban-window", brokers=[second]).returncode, 0)
        self.assertEqual(self.check("window", "lianban-window", brokers=None, broker=second).returncode, 0)


class Documented(unittest.TestCase):
    """The examples of docs/OPERATIONS.md are what the programs take."""

    PAGE = os.path.join(fixture.ROOT, "docs", "OPERATIONS.md")
    EXAMPLE = re.compile(r"```yaml\n# (\S+)/node\.yaml, in part\n(.*?)```", re.DOTALL)
    PROGRAMS = {"window": "lianban-window", "adapter": "lianban-adapter"}
    MEMBERS = {"window": "window", "adapter": ATTACHED[0]}
    check = Configured.check

    def test_the_examples_of_brokers_and_attach(self):
        with open(self.PAGE, encoding="utf-8") as file:
            examples = self.EXAMPLE.findall(file.read())
        tried = 0
        for kind, text in examples:
            if kind not in self.PROGRAMS:
                continue
            changes = yaml.safe_load(text)
            if kind == "window":
                changes.setdefault("broker", None)
                changes.setdefault("brokers", None)
            ended = self.check(self.MEMBERS[kind], self.PROGRAMS[kind], **changes)
            self.assertEqual(ended.returncode, 0, f"{text}{ended.stderr}")
            tried += 1
        self.assertGreaterEqual(tried, 3)


if __name__ == "__main__":
    unittest.main()
