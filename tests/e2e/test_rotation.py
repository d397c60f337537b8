"""Every key of a running federation is replaced while cases go on, and none of them fails. And who
serves at the window: the register is asked for every case, and what changes in it is evidence."""

import base64
import contextlib
import itertools
import json
import os
import sys
import threading
import time
import unittest

from cryptography.hazmat.primitives import serialization

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import find_story  # noqa: E402
from identity import id_check  # noqa: E402
from material import CommandFailed, SHARING  # noqa: E402
from members import DEPARTMENTS, HALL, OFFICE  # noqa: E402
from processes import wait_until  # noqa: E402
from rotation import Rotation  # noqa: E402
from stubs import Refused  # noqa: E402
from window import BADGE, UNIT  # noqa: E402

sys.path.append(os.path.join(fixture.ROOT, "tests", "hostile"))
from ground import Ground  # noqa: E402

NOTICED_SECONDS = 8
RELATIVE = "99010119550101005"
PAUSE_SECONDS = 0.1
SETTLED_SECONDS = 1.5  # nodes look once a second
SHARE_LEAD_SECONDS = 5


def setUpModule():
    global federation, household, rotation, ground  # pylint: disable=global-statement
    federation = fixture.running(60, share_runs=16)  # one household comes back several times
    household = find_story(federation, "tekun-home")
    rotation = Rotation(federation)
    ground = Ground(federation)  # a requester that keeps the directory as it is now
    unittest.addModuleCleanup(ground.close)


class Cases:
    """One case after the other, of one small household after the other, until told to stop."""

    def __init__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.done, self.wrong = 0, []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        for family in itertools.cycle([h for h in federation.households if len(h["members"]) <= 2]):
            if self._stop.wait(PAUSE_SECONDS):
                return
            try:
                outcome = federation.window.apply(family["members"])
                federation.window.discard(outcome.case_id)
            except Exception as error:  # pylint: disable=broad-except
                self.wrong.append(repr(error))
                continue
            self.done += 1
            if outcome.class_id != family["class"] or outcome.result.receipts_failed:
                codes = {fact.code for fact in outcome.result.missing}
                self.wrong.append(f"{family['members'][0]['name']}: {outcome.class_id} {codes}")

    def go_on(self):
        """Waits for cases that began after now."""
        least = self.done + 2
        wait_until(lambda: self.done >= least or self.wrong, NOTICED_SECONDS, "two more cases")


def end_early(name, entry_file):
    """Signs the member's entry of its old sealing key anew, with an end that is long over."""
    member = federation.members[name]
    with open(entry_file, encoding="utf-8") as file:
        entry = json.load(file)
    entry["not_after"] = int(time.time()) - 3600
    text = (f"lianban sealing key v1\n{member.spiffe}\n{entry['id']}\n{entry['key']}\n"
            f"{entry['not_after']}\n")
    with open(member.path("log.pem"), "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    entry["signature"] = base64.urlsafe_b64encode(key.sign(text.encode())).decode().rstrip("=")
    with open(entry_file, "w", encoding="utf-8") as file:
        json.dump(entry, file)


def said(name, event):
    """Whether a node's own log has an event."""
    with open(federation.processes[name].log, encoding="utf-8", errors="replace") as file:
        return any(f'"{event}"' in line for line in file)


class Rotate(unittest.TestCase):
    def test_every_key_while_cases_go_on(self):
        with contextlib.ExitStack() as stack:
            cases = stack.enter_context(Cases())
            cases.go_on()
            self.sealing_keys(cases)
            self.share_keys(cases)
            self.pseudonyms(cases)
            self.officers(cases)
            self.issuers(cases)
            self.certificates(cases)
            self.log_keys(cases)
            self.directory_key(cases)
        self.assertEqual(cases.wrong, [])
        self.assertGreater(cases.done, 10)
        report = federation.verify_logs("broker", "consent", "window", "tax")
        self.assertTrue(report["verified"], report)

    def sealing_keys(self, cases):
        names = (*DEPARTMENTS, "window")
        before = ground.mandate("tax")
        fresh = {name: rotation.seal(name) for name in names}
        time.sleep(SETTLED_SECONDS)
        rotation.publish()
        time.sleep(SETTLED_SECONDS)
        cases.go_on()
        event, = ground.me.collect([ground.read(before)])
        self.assertEqual(event.code, "ANSWERED")  # sealed to the old key, which still opens

        for name in DEPARTMENTS:
            end_early(name, federation.members[name].path("seal.json"))
        rotation.publish()
        for name in DEPARTMENTS:
            wait_until(lambda n=name: not os.path.exists(federation.members[n].path("seal.key")),
                       NOTICED_SECONDS, f"the end of {name}'s old sealing key")
            self.assertTrue(os.path.exists(federation.members[name].path("seal", fresh[name] + ".key")))
        event, = ground.me.collect([ground.read()])
        self.assertEqual(event.code, "KEY_RETIRED")
        cases.go_on()

    def share_keys(self, cases):
        """Every sum that was begun before the new keys' time goes on under the old ones."""
        begun = time.monotonic()
        for name in SHARING:
            rotation.share(name, SHARE_LEAD_SECONDS)
        rotation.publish()
        self.assertLess(time.monotonic() - begun, SHARE_LEAD_SECONDS - SETTLED_SECONDS)
        time.sleep(SHARE_LEAD_SECONDS)
        cases.go_on()
        for name in SHARING:
            os.remove(federation.members[name].path("share.key"))  # from here on the new ones alone
        time.sleep(SETTLED_SECONDS)
        cases.go_on()

    def pseudonyms(self, cases):
        for name in DEPARTMENTS:
            rotation.pseudonym(name, "2027")
        for name in DEPARTMENTS:
            wait_until(lambda n=name: said(n, "pseudonym_key_changed"), NOTICED_SECONDS,
                       f"{name}'s next pseudonym key")
        cases.go_on()

    def officers(self, cases):
        """What is written from the change on is for the next officer alone."""
        names = ("tax", "broker", "consent")
        keys = {name: rotation.officer(name) for name in names}
        for name in names:
            wait_until(lambda n=name: said(n, "officer_key_changed"), NOTICED_SECONDS, f"{name}'s officer")
        cases.go_on()
        for name in names:
            before, after = (self.opened(name, key) for key in (federation.material.officer(name), keys[name]))
            self.assertLess(max(before), min(after, default=-1), name)
            changed, = (entry["index"] for entry in federation.entries(name, "--code", "OFFICER_KEY"))
            self.assertEqual(max(before), changed, name)

    @staticmethod
    def opened(name, key):
        """The entries whose details this key opens."""
        listed = federation.material.lianban("log", "list", federation.members[name].state, "--officer-key",
                                             key, "--limit", "10000", may_fail=True)
        return [entry["index"] for entry in listed["entries"] if entry["detail_state"] == "open"]

    def issuers(self, cases):
        for name, kid in (("consent", "hall-2"), ("window", "office-2")):
            rotation.issuer(name, kid)
            rotation.use(name, kid)
        time.sleep(SETTLED_SECONDS)
        self.assertFalse(said("consent", "issuer_key_changed"))  # nobody could check it yet: it waits
        rotation.publish()
        for name in ("consent", "window"):
            wait_until(lambda n=name: said(n, "issuer_key_changed"), NOTICED_SECONDS, f"{name}'s next key")
        cases.go_on()
        wait_until(lambda: not federation.unlinked(), NOTICED_SECONDS, "the list under the new key")
        head = federation.desk.status_list().split(".")[0]
        self.assertEqual(json.loads(base64.urlsafe_b64decode(head + "=="))["kid"], "hall-2")
        listed = {(i["organization"], i["kid"]) for i in federation.material.listed_issuers}
        self.assertEqual(listed, {(HALL, "hall-1"), (HALL, "hall-2"), (OFFICE, "office-1"),
                                  (OFFICE, "office-2")})

    def certificates(self, cases):
        for name in ("broker", "consent", "window", "tax", "housing"):
            rotation.certificate(name)
        cases.go_on()
        for process in federation.processes.values():
            process.check()

    def log_keys(self, cases):
        for name in ("tax", "window", "broker"):
            rotation.log_key(name)
        for name in ("tax", "window", "broker"):
            wait_until(lambda n=name: said(n, "log_key_added"), NOTICED_SECONDS, f"{name}'s next log key")
        rotation.publish()
        time.sleep(SETTLED_SECONDS)
        cases.go_on()
        self.assertFalse(said("tax", "directory_refused"))

    def directory_key(self, cases):
        rotation.announce_signer()
        rotation.publish()
        time.sleep(SETTLED_SECONDS)
        rotation.sign_anew()
        rotation.publish()
        time.sleep(SETTLED_SECONDS)
        cases.go_on()
        self.assertFalse(said("tax", "directory_refused"))
        rotation.sign_as_before()  # the old key, in other hands
        rotation.publish()
        wait_until(lambda: said("tax", "directory_refused"), NOTICED_SECONDS, "refusal of the old key")
        cases.go_on()


def operator(word, badge, *options, **given):
    return federation.material.operator(word, badge, *options, **given)


class Memory(unittest.TestCase):
    def test_no_program_leaves_a_core_file(self):
        for name, process in federation.processes.items():
            with open(f"/proc/{process.pid}/limits", encoding="ascii") as file:
                limit, = (line.split()[4:6] for line in file if line.startswith("Max core file size"))
            self.assertEqual(limit, ["0", "0"], name)
            with open(f"/proc/{process.pid}/cmdline", "rb") as file:
                self.assertEqual(file.read().count(b"\0"), 4, name)  # program, --config FILE, --init


class Operators(unittest.TestCase):
    def refused(self, call, *arguments):
        with self.assertRaises(Refused) as caught:
            call(*arguments)
        return caught.exception.code

    def codes(self):
        return [entry["code"] for entry in federation.entries("window", "--type", "ADMIN")]

    def test_a_suspended_operator_stops_at_once_and_comes_back(self):
        window = federation.window
        case_id = window.open(household["members"])
        window.agree(case_id, household["members"])
        self.assertEqual(window.collect(case_id).class_id, household["class"])  # a token is kept now
        other = window.open(household["members"])
        window.agree(other, household["members"])
        self.assertEqual(operator("suspend", BADGE)["state"], "suspended")
        self.assertEqual(self.refused(window.collect, other), "BADGE_SUSPENDED")
        self.assertEqual(self.refused(window.open, household["members"]), "BADGE_SUSPENDED")
        with self.assertRaises(CommandFailed):
            operator("token", BADGE)
        self.assertEqual(operator("resume", BADGE)["state"], "serves")
        self.assertEqual(window.collect(other).class_id, household["class"])
        wait_until(lambda: "OPERATOR_RESUMED" in self.codes(), NOTICED_SECONDS, "evidence of the change")
        self.assertIn("OPERATOR_SUSPENDED", self.codes())

    def test_a_badge_that_is_in_no_register(self):
        window = federation.window
        window_badge = window.badge
        self.addCleanup(setattr, window, "badge", window_badge)
        window.badge = "W-9999"
        self.assertEqual(self.refused(window.open, household["members"]), "BADGE_UNKNOWN")
        first17 = "99010119870101003"
        relatives = os.path.join(fixture.folder(), "relatives")
        with open(relatives, "w", encoding="ascii") as file:
            file.write(RELATIVE + id_check(RELATIVE) + "\n")
        added = operator("add", "W-9999", "--unit", window.unit, "--identity", "-", "--relatives", relatives,
                         given=first17 + id_check(first17))
        self.assertEqual(added["relatives"], 1)
        self.assertTrue(window.open(household["members"]))  # the agent has it without a word
        window.unit = "elsewhere"
        self.addCleanup(setattr, window, "unit", UNIT)
        self.assertEqual(self.refused(window.open, household["members"]), "BADGE_UNKNOWN")

    def test_no_number_is_kept_or_told(self):
        listed = federation.material.lianban("operator", "list", "--config", federation.members["window"].config)
        self.assertGreaterEqual(len(listed["operators"]), 2)
        folder = federation.members["window"].path("operators")
        self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                self.assertNotIn(b"9901011", file.read())

    def test_a_device_must_prove_itself(self):
        window = federation.window
        folder, first17 = fixture.folder(), "99010119880101004"
        federation.material.lianban("keys", "device", "--out", os.path.join(folder, "d.pem"), "--public",
                                    os.path.join(folder, "d.json"))
        operator("add", "D-1", "--unit", window.unit, "--identity", "-", "--device",
                 os.path.join(folder, "d.json"), given=first17 + id_check(first17))
        badge = window.badge
        self.addCleanup(setattr, window, "badge", badge)
        self.addCleanup(setattr, window, "device", None)
        window.badge = "D-1"
        self.assertEqual(self.refused(window.open, household["members"]), "DEVICE_UNPROVEN")
        window.device = (federation.members["window"].spiffe, os.path.join(folder, "d.pem"))
        self.assertTrue(window.open(household["members"]))


if __name__ == "__main__":
    unittest.main()
