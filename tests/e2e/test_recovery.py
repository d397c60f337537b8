"""A department and a broker lose their state. Service returns by the commands of docs/OPERATIONS.md alone, run here
as they stand there; the gap is proved, and what was before it is found at the others."""

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from members import DEPARTMENTS, FEDERATION, OPERATOR  # noqa: E402
from processes import wait_until  # noqa: E402

LOST = "housing"
# The new log begins as if the machine had been put up a minute ago: else everybody here would wait
# out the minute for which grants are refused whose issuer's clock may have been ahead.
EARLIER_S = 60


def setUpModule():
    global federation, material, folder, commands  # pylint: disable=global-statement
    federation = fixture.made(60)
    material, folder = federation.material, fixture.folder()
    with open(os.path.join(fixture.ROOT, "docs", "OPERATIONS.md"), encoding="utf-8") as file:
        section = file.read().split("\n## Recovery\n")[1].split("\n## ")[0]
    commands = dict(re.findall(r"```sh (\w+)\n(.*?)```", section, re.DOTALL))
    for organization in (LOST, OPERATOR):
        enrol(organization)
    shim = os.path.join(folder, "clock.so")
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", shim,
                    os.path.join(os.path.dirname(os.path.abspath(__file__)), "late_clock.c")], check=True)
    material.publish_directory(2)
    unittest.addModuleCleanup(federation.stop)
    federation.start()


def officers(organization):
    return {name.upper(): f"spiffe://{FEDERATION}/officer/{organization}/{name}" for name in ("li", "wang")}


def enrol(organization):
    """In quiet times: two officers with keys of their own, listed."""
    own = os.path.join(folder, organization)
    os.mkdir(own)
    run("officers", own, **officers(organization))
    for name, spiffe in officers(organization).items():
        material.officers.append(spiffe)
        material.logs[spiffe] = {"log_key": os.path.join(own, name.lower() + ".vkey")}


def run(block, where, **variables):
    """One block of the section, in a folder, with the programs made here; what it printed."""
    environment = {**os.environ, "PATH": fixture.BIN + ":" + os.environ["PATH"], "DIRECTORY": material.directory,
                   "SIGNER": material.directory_vkey or "", **variables}
    done = subprocess.run(["sh", "-e", "-c", commands[block]], cwd=where, env=environment, text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{block}: {done.returncode}: {done.stderr}{done.stdout}")
    return done.stdout


def lianban(*words):
    """What a command says, that may refuse."""
    return material.lianban(*words, may_fail=True)


def members():
    return federation.households[0]["members"]


def trusting():
    """Members that remember keys."""
    return [m for m in federation.members.values() if os.path.isdir(os.path.join(m.state, "trust"))]


class Loss:
    """One node whose state is gone, and its way back."""

    def __init__(self, name, organization, peers):
        self.member, self.organization, self.peers = federation.members[name], organization, peers
        self.where = self.member.folder
        self.names = {"NODE": self.member.spiffe, "STATE": self.member.state, **officers(organization)}

    def destroy(self):
        federation.processes[self.member.name].kill()
        shutil.rmtree(self.member.state)
        os.mkdir(self.member.state, 0o700)

    def ask_peers(self):
        for peer in self.peers:
            run("seen", self.where, CONFIG=federation.members[peer].config, MEMBER=peer, **self.names)
        return " ".join(f"--seen {peer}.seen" for peer in self.peers)

    def draft(self, seen, kept=""):
        run("draft", self.where, SEEN=seen, KEPT=kept and f"--kept {kept}", **self.names)

    def sign(self):
        for name in ("li.pem", "wang.pem"):
            shutil.copy(os.path.join(folder, self.organization, name), self.where)
        run("sign", self.where, **self.names)

    def begin(self):
        run("begin", self.where, **self.names, LD_PRELOAD=os.path.join(folder, "clock.so"),
            LATE_CLOCK_SECONDS=str(-EARLIER_S))

    def publish(self, version, seals=False):
        if seals:
            run("keys", self.where, SEAL_ID="s1", **self.names)
        for member in trusting():
            if member is not self.member:
                run("accept", self.where, **{**self.names, "STATE": member.state})
        material.logs[self.member.name] = {"log_key": self.member.path("log-r1.vkey"),
                                           "recovery": self.member.path("recovery.note")}
        material.publish_directory(version)

    def restart(self):
        federation.restart(self.member.name)

    def show(self):
        return lianban("node", "recover", "show", self.member.path("recovery.note"), "--directory", material.directory,
                       "--signer", material.directory_vkey)

    def verify(self, state=None):
        log, = lianban("log", "verify", state or self.member.state, "--directory", material.directory, "--signer",
                       material.directory_vkey)["logs"]
        return log


def now():
    return datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")


def codes(outcome, department):
    return {fact.code for fact in outcome.facts if fact.view.startswith(department + ".")}


class Recovery(unittest.TestCase):
    def test_1_a_department_comes_back_from_its_last_backup(self):
        """Cases before the backup, after it, and one whose grants are there when the department is lost."""
        loss, broker = Loss(LOST, LOST, ["broker"]), federation.members["broker"]
        federation.window.apply(members())
        backup = os.path.join(folder, "backup")
        made = lianban("backup", "--config", loss.member.config, "--out", backup, "--key",
                       os.path.join(loss.member.state, "pseudo.key"))
        time.sleep(1.1)
        backed_up = now()
        kept = os.path.join(backup, "state")
        family = federation.households[1]["members"]
        federation.window.apply(family)
        waiting = federation.window.open(members())
        federation.window.agree(waiting, members())
        loss.destroy()
        shutil.copy(os.path.join(backup, "keys", "pseudo.key"), loss.member.state)
        seen = loss.ask_peers()
        loss.draft(seen, kept)
        self.assertEqual(self.begin_code(loss), "SIGNATURE_INVALID")
        loss.sign()
        self.assertEqual(loss.show()["signed"], 2)
        loss.begin()
        loss.begin()  # once more: nothing changes
        loss.publish(3, seals=True)
        recovered = now()
        loss.restart()
        with self.subTest("grants of before are refused, by name"):
            self.assertEqual(codes(federation.window.collect(waiting), LOST), {"GRANT_BEFORE_RECOVERY"})
        with self.subTest("cases run again"):
            self.assertEqual(codes(federation.window.apply(members()), LOST), {""})
        with self.subTest("the gap is proved"):
            shown = loss.show()
            self.assertEqual((shown["kept"], shown["lost"]), (made["log"]["size"], FEDERATION + "/adapter/" + LOST))
            self.assertGreater(shown["seen"], shown["kept"])
            first = federation.entries(LOST)[0]
            self.assertEqual((first["type"], first["code"], first["count"]),
                             ("RECOVERY", "RECOVERED", shown["seen"] - shown["kept"]))
        with self.subTest("logs verify"):
            self.assertEqual(loss.verify()["code"], "OK")
            self.assertEqual(loss.verify(kept)["size"], shown["kept"])
            self.assertEqual(federation.verify_logs("broker")["logs"][0]["code"], "OK")
        with self.subTest("nothing before the gap is lost, and the gap's reads are known"):
            run("lost", loss.where, BACKUP=kept, PEERS=broker.state, RECOVERED=recovered)
            with open(loss.member.path("lost.json"), encoding="utf-8") as file:
                found = json.load(file)
            self.assertEqual({one["class"] for one in found["findings"]}, {"MISSING_ADAPTER"})
            self.assertGreater(min(one["time_ms"] for one in found["findings"]), backed_up)
            print(found)

    def begin_code(self, loss):
        return lianban("node", "recover", "begin", "--config", loss.member.config, "--note",
                       loss.member.path("recovery.note"))["error"]["code"]

    def test_2_a_broker_comes_back_without_a_backup(self):
        """And the members hold it to what they saw."""
        loss = Loss("broker", OPERATOR, [name for name in DEPARTMENTS if name != LOST])
        loss.destroy()
        seen = loss.ask_peers()
        loss.draft(seen)
        loss.sign()
        loss.begin()
        loss.publish(4)
        loss.restart()
        wait_until(lambda: not federation.unlinked(), 60, "links")
        outcome = federation.window.apply(members())
        self.assertEqual({fact.code for fact in outcome.facts}, {""})
        self.assertEqual(loss.verify()["code"], "OK")
        self.assertEqual(loss.show()["kept"], 0)


if __name__ == "__main__":
    unittest.main()
