"""Members and an audit office cosign each other's logs: a log with another past is refused and named, and
without witnesses nothing is released."""

import base64
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

import yaml
from cryptography.hazmat.primitives import serialization

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import find_story  # noqa: E402
from officers import Officer  # noqa: E402
from processes import wait_until  # noqa: E402
from stubs import Refused  # noqa: E402
from witnesses import POLICY  # noqa: E402

NODE = "tax"
SECONDS = 15


def setUpModule():
    global federation  # pylint: disable=global-statement
    federation = fixture.running(60, share_runs=1000, witnessed=True)
    federation.window.apply(members())


def members():
    return find_story(federation, "dibao-couple")["members"]


def size_of(name):
    return federation.material.lianban("log", "list", federation.members[name].state, "--limit", "1")["size"]


def witnessed_size(name):
    """What the newest quorum has cosigned; 0 for nothing yet."""
    return federation.verify_witnessed(name).get("witnessed", {}).get("size", 0)


def wait_witnessed(name):
    """Until all there is of a log now has been cosigned; returns that size."""
    size = size_of(name)
    wait_until(lambda: witnessed_size(name) >= size, SECONDS, f"the cosignatures of {name}")
    return size


def events(name):
    """What a node's operator reads."""
    with open(federation.processes[name].log, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.startswith("{")]


def program(name, *options):
    """A node's program run to its end, which must come by itself."""
    return subprocess.run([os.path.join(fixture.BIN, "lianban-adapter"), "--config",
                           federation.members[name].config, *options],
                          capture_output=True, text=True, timeout=SECONDS, check=False)


# --- checkpoints as somebody with a node's keys would make them ---

def leaf_hash(text):
    return hashlib.sha256(b"\0" + text).digest()


def checkpoint(name, size, root, key="log.pem"):
    """A signed checkpoint of a node's log, whatever size and root."""
    member = federation.members[name]
    with open(member.path(key), "rb") as file:
        private = serialization.load_pem_private_key(file.read(), None)
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    origin = member.spiffe.removeprefix("spiffe://")
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
    line = base64.b64encode(key_id + private.sign(text.encode())).decode()
    return f"{text}\n\u2014 {origin} {line}\n"


def body(old, proof, note):
    lines = "".join(base64.b64encode(one).decode() + "\n" for one in proof)
    return f"old {old}\n{lines}\n{note}".encode()


def add(witness, caller, content):
    """Evidence.AddCheckpoint; returns (status, body)."""
    reply = federation.call(witness, "Evidence/AddCheckpoint",
                            federation.contract.new("AddCheckpointRequest", body=content), caller)
    return reply.status, reply.body.decode()


class Cosigning(unittest.TestCase):
    def test_every_log_is_witnessed_and_says_by_whom(self):
        for name in ("broker", "tax", "disabled-federation", "consent", "window"):
            with self.subTest(log=name):
                wait_witnessed(name)
                verdict = federation.verify_witnessed(name)
                self.assertEqual(verdict["code"], "OK")
                self.assertIn("audit", verdict["witnessed"]["by"])
                if name == "broker":
                    self.assertGreaterEqual(len(verdict["witnessed"]["by"]), 3)
                else:
                    self.assertIn("broker", verdict["witnessed"]["by"])

    def test_the_officers_status_says_how_far(self):
        size = wait_witnessed(NODE)
        officer = Officer(federation, NODE)
        officer.index()
        status = federation.material.lianban("log", "status", "--index", officer.index_folder, may_fail=True)
        self.assertGreaterEqual(status["witnessed_size"], size)
        self.assertLess(status["witnessed_seconds"], 900)

    def test_the_audit_office_has_its_own_evidence(self):
        size = wait_witnessed(NODE)
        opened = [entry["detail"] for entry in federation.entries("audit", details=True)
                  if entry["code"] == "COSIGNED"]
        own = [detail["size"] for detail in opened if detail["log"] == "demo.lianban/adapter/tax"]
        self.assertEqual(own, sorted(set(own)))
        self.assertGreaterEqual(own[-1], size)
        self.assertTrue(federation.verify_logs("audit")["verified"])

    def test_an_export_carries_the_cosignatures(self):
        size = wait_witnessed(NODE)
        out = os.path.join(fixture.folder(), "exported")
        by = ["--directory", federation.material.directory, "--signer", federation.material.directory_vkey,
              "--witnesses", federation.members[NODE].path(POLICY)]
        exported = federation.material.lianban("log", "export", federation.members[NODE].state, "--out", out, *by)
        self.assertGreaterEqual(exported["witnessed"]["size"], size)
        self.assertEqual(exported["size"], exported["witnessed"]["size"])
        verdict = federation.material.lianban("log", "verify", "--tiles", out, *by)
        self.assertEqual(verdict["logs"][0]["witnessed"], exported["witnessed"])
        with open(os.path.join(out, "checkpoint"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertGreaterEqual(len([line for line in lines if line.startswith("\u2014 ")]), 2)
        cut = lines[:5]  # with the log's own signature alone it is a good export, and no witnessed one
        with open(os.path.join(out, "checkpoint"), "w", encoding="utf-8") as file:
            file.write("\n".join(cut) + "\n")
        self.assertTrue(federation.material.lianban("log", "verify", "--tiles", out, *by[:4])["verified"])
        self.assertFalse(federation.material.lianban("log", "verify", "--tiles", out, *by, may_fail=True)["verified"])

    def test_a_changed_cosignature_is_found(self):
        wait_witnessed(NODE)
        copy = os.path.join(fixture.folder(), "copy")
        shutil.copytree(federation.members[NODE].state, copy)
        database = sqlite3.connect(os.path.join(copy, "cosigned.db"))
        note = database.execute("SELECT note FROM cosigned WHERE met = 1 ORDER BY size DESC").fetchone()[0]
        at = note.rindex(b"\n", 0, -1) + 50
        changed = note[:at] + bytes([note[at] ^ 1]) + note[at + 1:]
        with database:
            database.execute("UPDATE cosigned SET note = ?", (changed,))
        database.close()
        verdict = federation.material.lianban(
            "log", "verify", copy, "--directory", federation.material.directory, "--signer",
            federation.material.directory_vkey, "--witnesses", federation.members[NODE].path(POLICY),
            may_fail=True)
        self.assertFalse(verdict["verified"])


class Forks(unittest.TestCase):
    """What a node's own key can sign, a witness does not."""

    def test_each_refusal_by_its_number(self):
        size = wait_witnessed(NODE)
        other = hashlib.sha256(b"another history").digest()
        cases = (
            (422, body(size, [], checkpoint(NODE, size, other))),
            (422, body(size, [other, other], checkpoint(NODE, size + 5, other))),
            (409, body(0, [], checkpoint(NODE, size + 5, other))),
            (409, body(1, [], checkpoint(NODE, 1, leaf_hash(b"anew")))),
            (400, body(size + 9, [], checkpoint(NODE, size, other))),
            (403, body(size, [], checkpoint(NODE, size, other, key="witness.pem"))),
            (404, body(0, [], checkpoint("health", 1, other))),
            (400, b"old 1\n"),
        )
        for witness in ("broker", "audit"):
            for wanted, content in cases:
                with self.subTest(witness=witness, status=wanted):
                    status, said = add(witness, NODE, content)
                    self.assertEqual(status, wanted)
                    self.assertEqual(said, f"{max(size, int(said))}\n" if wanted == 409 else "")
        # They are entries, with who asked; and the log itself goes on.
        for witness in ("broker", "audit"):
            with self.subTest(evidence=witness):
                wait_until(lambda w=witness: {"LOG_FORK", "LOG_BEHIND"} <= self.denied(w), SECONDS,
                           "the entries about a fork")
        federation.window.apply(members())
        wait_witnessed(NODE)

    def denied(self, witness):
        """Codes of what this witness refused the node."""
        return {entry["code"] for entry in federation.entries(witness, "--type", "deny", details=True)
                if entry.get("detail", {}).get("peer") == federation.members[NODE].spiffe}

    def test_only_who_is_named_may_ask(self):
        note = checkpoint("health", 1, leaf_hash(b"x"))
        for witness, caller in (("tax", "health"), ("broker", "desk")):
            with self.subTest(witness=witness, caller=caller), self.assertRaises(Refused) as refused:
                add(witness, caller, body(0, [], note))
            self.assertEqual(refused.exception.code, "ROLE_NOT_ALLOWED")
        with self.assertRaises(Refused) as refused:
            add("consent", "tax", body(0, [], note))
        self.assertEqual(refused.exception.canonical, "UNIMPLEMENTED")


class AnotherPast(unittest.TestCase):
    """Whoever has root on a node puts something else in the place of its log."""

    def setUp(self):
        """A backup; then the node works on, and stops."""
        self.state = federation.members[NODE].state
        self.backup = os.path.join(fixture.folder(), "backup")
        self.real = os.path.join(fixture.folder(), "real")
        self.assertEqual(federation.processes[NODE].stop()[0], 0)
        shutil.copytree(self.state, self.backup)
        federation.restart(NODE)
        federation.window.apply(members())
        self.size = wait_witnessed(NODE)
        self.assertEqual(federation.processes[NODE].stop()[0], 0)
        shutil.copytree(self.state, self.real)
        self.addCleanup(self.put_back)

    def put_back(self):
        """The true log starts, and is witnessed on."""
        self.replace(self.real)
        federation.restart(NODE)
        federation.window.apply(members())
        self.assertGreater(wait_witnessed(NODE), self.size)

    def replace(self, folder):
        shutil.rmtree(self.state)
        shutil.copytree(folder, self.state)

    def test_last_weeks_backup_and_a_log_begun_anew(self):
        self.replace(self.backup)
        before = size_of(NODE)
        ended = program(NODE)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("LOG_BEHIND", ended.stderr)
        self.assertIn("demo.lianban/broker/federation-operator has cosigned", ended.stderr)
        self.assertEqual(size_of(NODE), before)  # not one entry more: it would be a fork
        # Deleted and begun anew under the same key.
        shutil.rmtree(self.state)
        os.mkdir(self.state, 0o700)
        ended = program(NODE, "--init")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("LOG_BEHIND", ended.stderr)


class WithoutWitnesses(unittest.TestCase):
    """The last tests of the module: the node's limits stay as they are set here."""

    def configure(self, name, **limits):
        """A node with other limits, started again."""
        config = federation.members[name].config
        self.assertEqual(federation.processes[name].stop()[0], 0)
        with open(config, encoding="utf-8") as file:
            changed = yaml.safe_load(file)
        changed["witnessed_by"].update(limits)
        with open(config, "w", encoding="utf-8") as file:
            yaml.safe_dump(changed, file)
        federation.restart(name)

    def test_reads_stop_and_go_on_by_themselves(self):
        self.configure(NODE, interval_s=1, alert_s=1, stop_s=2)
        federation.processes["audit"].stop()
        federation.window.apply(members())
        wait_until(lambda: self.said("log_held"), SECONDS, "the limit")
        self.assertTrue(self.said("log_unwitnessed"))
        outcome = federation.window.apply(members())
        codes = {fact.code for fact in outcome.facts if fact.department == NODE}
        self.assertEqual(codes, {"LOG_UNWITNESSED"})
        self.assertEqual(outcome.states("health"), ["ok"])
        # The refusals are entries all the same.
        self.assertIn("LOG_UNWITNESSED", {entry["code"] for entry in
                                          federation.entries(NODE, "--type", "read")})
        federation.processes["audit"].start()
        wait_until(lambda: self.said("log_witnessed"), SECONDS, "the witness that came back")
        outcome = federation.window.apply(members())
        self.assertEqual(outcome.states(NODE), ["ok"])
        codes = [entry["code"] for entry in federation.entries(NODE, "--type", "admin")]
        self.assertLess(codes.index("UNWITNESSED"), codes.index("WITNESSED_AGAIN"))

    def said(self, event):
        return any(line["event"] == event for line in events(NODE))


class Configuration(unittest.TestCase):
    def check(self, name, change, *says):
        """A changed configuration, checked only: refused with a sentence that says all this."""
        member = federation.members[name]
        with open(member.config, encoding="utf-8") as file:
            changed = yaml.safe_load(file)
        change(changed)
        aside = member.path("changed.yaml")
        with open(aside, "w", encoding="utf-8") as file:
            yaml.safe_dump(changed, file)
        ended = subprocess.run([os.path.join(fixture.BIN, "lianban-adapter"), "--config", aside, "--check"],
                               capture_output=True, text=True, timeout=SECONDS, check=False)
        os.remove(aside)
        for text in says:
            self.assertIn(text, ended.stderr)
        self.assertEqual(ended.returncode, 1 if says else 0, ended.stderr)

    def policy(self, text):
        path = os.path.join(fixture.folder(), "policy")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return lambda changed: changed["witnessed_by"].update(policy=path)

    def test_what_is_right_passes(self):
        for name in ("tax", "audit"):
            self.check(name, lambda changed: None)

    def test_mistakes_are_named(self):
        with open(federation.members[NODE].path(POLICY), encoding="utf-8") as file:
            policy = file.read()
        broker = federation.members["broker"].spiffe
        own = federation.members[NODE].spiffe
        for change, *says in (
                (self.policy(policy.replace("quorum everybody", "quorum nobody")), "policy:5:", "no line before"),
                (self.policy(policy.replace(broker, own)), "nobody witnesses its own log"),
                (self.policy(policy.replace(" " + broker, "")), "quorum can't be met"),
                (self.policy("log " + federation.material.vkeys["health"] + "\n" + policy), "other logs"),
                (lambda c: c["witnessed_by"].update(stop_s=5), "stop_s"),
                (lambda c: c["witnessed_by"].update(policy="none.policy"), "cannot be read"),
                (lambda c: c["witness"].update(key="log.pem"), "must not be the log's"),
                (lambda c: c["witness"].update(logs=[own]), "nobody witnesses its own log"),
                (lambda c: c["witness"].update(logs=["spiffe://elsewhere/broker/b"]), "SPIFFE id"),
                (lambda c: c["witness"].update(more=1), "more")):
            with self.subTest(says=says):
                self.check(NODE, change, *says)

    def test_an_auditors_node_only_witnesses(self):
        self.check("audit", lambda changed: changed.pop("witness"), "only witnesses")
        self.check("audit", lambda changed: changed.update(policy="policy.yaml"), "policy")
        self.check("audit", lambda changed: changed.pop("listen"), "listen")


if __name__ == "__main__":
    unittest.main()
