"""Every key of a running federation is replaced while cases go on, a department comes and one leaves, programs
are replaced by another version's, and no case fails (issue 5, acceptance 5; the long campaign is `./run crash
--changes`). And who serves at the window: the register is asked for every case, and what changes in it is
evidence."""

import base64
import datetime
import json
import os
import sys
import time
import unittest

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(_HERE, "..", "hostile"), os.path.join(_HERE, "..", "crash")]

import fixture  # noqa: E402
from ground import Ground  # noqa: E402  (of hostile; what follows finds that of crash)
import brokers  # noqa: E402
from cases import find_story  # noqa: E402
from changes import Changes, another_version  # noqa: E402
from federation import Federation  # noqa: E402
from generate import DEFAULT_SEED  # noqa: E402
from identity import id_check  # noqa: E402
from load import Load  # noqa: E402
from material import CommandFailed, SHARING  # noqa: E402
from members import DEPARTMENTS, HALL, OFFICE  # noqa: E402
from processes import wait_until  # noqa: E402
from stubs import Refused  # noqa: E402
from window import BADGE, UNIT  # noqa: E402

NOTICED_SECONDS = 8
RELATIVE = "99010119550101005"
RATE = 4
SETTLED_SECONDS = 1.5  # nodes look once a second
SHARE_LEAD_SECONDS = 10


def setUpModule():
    global federation, household, changes, rotation, ground  # pylint: disable=global-statement
    federation = Federation(fixture.folder(), fixture.BIN, share_runs=10000, brokers=2)
    federation.populate(DEFAULT_SEED, 60, datetime.date.today())
    changes = Changes(federation)
    federation.make()
    brokers.edit(federation.members["window"].config, deadline_ms=brokers.DEADLINE_MS)
    unittest.addModuleCleanup(federation.stop)
    federation.start()
    household = find_story(federation, "tekun-home")
    rotation = changes.rotation
    ground = Ground(federation)  # a requester that keeps the directory as it is now
    unittest.addModuleCleanup(ground.close)


def said(name, event):
    """Whether a node's own log has an event."""
    with open(federation.processes[name].log, encoding="utf-8", errors="replace") as file:
        return any(f'"{event}"' in line for line in file)


class Rotate(unittest.TestCase):
    def test_every_key_while_cases_go_on(self):
        with Load(federation, RATE, changes.mix()) as load:
            load.go_on(2)
            self.sealing_keys(load)
            self.share_keys(load)
            self.pseudonyms(load)
            self.officers(load)
            self.issuers(load)
            self.certificates(load)
            self.log_keys(load)
            self.directory_key(load)
        self.assertEqual(load.wrong, [])
        self.assertGreater(load.right, 10)
        report = federation.verify_logs("broker", "consent", "window", "tax")
        self.assertTrue(report["verified"], report)

    def sealing_keys(self, load):
        names = (*DEPARTMENTS, "window")
        before = ground.mandate("tax")
        fresh = {name: rotation.seal(name) for name in names}
        time.sleep(SETTLED_SECONDS)
        rotation.publish()
        time.sleep(SETTLED_SECONDS)
        load.go_on(2)
        event, = ground.me.collect([ground.read(before)])
        self.assertEqual(event.code, "ANSWERED")  # sealed to the old key, which still opens

        for name in DEPARTMENTS:
            rotation.retire_seal(name)
        rotation.publish()
        for name in DEPARTMENTS:
            wait_until(lambda n=name: not os.path.exists(federation.members[n].path("seal.key")),
                       NOTICED_SECONDS, f"the end of {name}'s old sealing key")
            self.assertTrue(os.path.exists(federation.members[name].path("seal", fresh[name] + ".key")))
        event, = ground.me.collect([ground.read()])
        self.assertEqual(event.code, "KEY_RETIRED")
        load.go_on(2)

    def share_keys(self, load):
        """Every sum that was begun before the new keys' time goes on under the old ones."""
        begun = time.monotonic()
        for name in SHARING:
            rotation.share(name, SHARE_LEAD_SECONDS)
        rotation.publish()
        self.assertLess(time.monotonic() - begun, SHARE_LEAD_SECONDS - SETTLED_SECONDS)
        time.sleep(SHARE_LEAD_SECONDS)
        load.go_on(2)
        for name in SHARING:
            os.remove(federation.members[name].path("share.key"))  # from here on the new ones alone
        time.sleep(SETTLED_SECONDS)
        load.go_on(2)

    def pseudonyms(self, load):
        for name in DEPARTMENTS:
            rotation.pseudonym(name, "2027")
        for name in DEPARTMENTS:
            wait_until(lambda n=name: said(n, "pseudonym_key_changed"), NOTICED_SECONDS,
                       f"{name}'s next pseudonym key")
        load.go_on(2)

    def officers(self, load):
        """What is written from the change on is for the next officer alone."""
        names = ("tax", "broker", "consent")
        keys = {name: rotation.officer(name) for name in names}
        for name in names:
            wait_until(lambda n=name: said(n, "officer_key_changed"), NOTICED_SECONDS, f"{name}'s officer")
        load.go_on(2)
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

    def issuers(self, load):
        for name, kid in (("consent", "hall-2"), ("window", "office-2")):
            rotation.issuer(name, kid)
            rotation.use(name, kid)
        time.sleep(SETTLED_SECONDS)
        self.assertFalse(said("consent", "issuer_key_changed"))  # nobody could check it yet: it waits
        rotation.publish()
        for name in ("consent", "window"):
            wait_until(lambda n=name: said(n, "issuer_key_changed"), NOTICED_SECONDS, f"{name}'s next key")
        load.go_on(2)
        wait_until(lambda: not federation.unlinked(), NOTICED_SECONDS, "the list under the new key")
        head = federation.desk.status_list().split(".")[0]
        self.assertEqual(json.loads(base64.urlsafe_b64decode(head + "=="))["kid"], "hall-2")
        listed = {(i["organization"], i["kid"]) for i in federation.material.listed_issuers}
        self.assertEqual(listed, {(HALL, "hall-1"), (HALL, "hall-2"), (OFFICE, "office-1"),
                                  (OFFICE, "office-2")})

    def certificates(self, load):
        for name in ("broker", "consent", "window", "tax", "housing"):
            rotation.certificate(name)
        load.go_on(2)
        for process in federation.processes.values():
            process.check()

    def log_keys(self, load):
        for name in ("tax", "window", "broker"):
            rotation.log_key(name)
        for name in ("tax", "window", "broker"):
            wait_until(lambda n=name: said(n, "log_key_added"), NOTICED_SECONDS, f"{name}'s next log key")
        rotation.publish()
        time.sleep(SETTLED_SECONDS)
        load.go_on(2)
        self.assertFalse(said("tax", "directory_refused"))

    def directory_key(self, load):
        rotation.announce_signer()
        rotation.publish()
        time.sleep(SETTLED_SECONDS)
        rotation.sign_anew()
        rotation.publish()
        time.sleep(SETTLED_SECONDS)
        load.go_on(2)
        self.assertFalse(said("tax", "directory_refused"))
        rotation.sign_as_before()  # the old key, in other hands
        rotation.publish()
        wait_until(lambda: said("tax", "directory_refused"), NOTICED_SECONDS, "refusal of the old key")
        load.go_on(2)


class ThenMembers(unittest.TestCase):
    """After the keys, by whose new ones the newcomer is known and knows the others."""

    UPGRADED = ("tax", "disabled-federation")  # besides those that are started anew for the forms

    def test_members_and_versions_while_cases_go_on(self):
        rotation.sign_anew()
        rotation.publish()
        newer = another_version(fixture.BIN, os.path.join(fixture.folder(), "newer"))
        with Load(federation, RATE, changes.mix(changes.leaves)) as load:
            load.go_on(2)
            changes.join()
            load.mix = changes.mix(changes.leaves, changes.comes)
            load.go_on(4)
            changes.log_keys_in_place()
            changes.install(newer)
            changes.leave(load)
            for name in self.UPGRADED:
                changes.restart(name)
            load.go_on(2)
        self.assertEqual(load.wrong, [])
        self.assertEqual(set(load.ended), {"social-assistance", changes.leaves.form, changes.comes.form})
        self.assertEqual(changes.aftermath()[0], [])


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
