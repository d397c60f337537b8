"""Both sides hold the same evidence, denials included, no change to it passes (acceptance 3), and those
who review it read it from outside."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import cut_short, find_story  # noqa: E402
from hostile import refusals  # noqa: E402
from logs import counterparts  # noqa: E402
from material import DIRECTORY_SIGNER  # noqa: E402
from members import DEPARTMENTS  # noqa: E402
from processes import wait_until  # noqa: E402
from tell import Narrator  # noqa: E402

AWAY = "tax"
PATIENT_SECONDS = 90
TABLES = ("leaf", "tile", "checkpoint", "detail", "detail_key")


def setUpModule():
    """A few cases, one of them cut short, and four attempts that are refused."""
    global federation, refused  # pylint: disable=global-statement
    federation = fixture.running(60)
    for household in federation.households[:10]:
        federation.window.apply(household["members"])
    members = find_story(federation, "dibao-couple")["members"]
    case_id = federation.window.open(members)
    federation.window.agree(case_id, members)
    cut_short(federation, case_id, AWAY)
    federation.restart(AWAY)
    federation.window.collect(case_id)
    with open(os.devnull, "w", encoding="utf-8") as nobody:
        refused = refusals(federation, Narrator(nobody))["refusals"]


class Counterparts(unittest.TestCase):
    def test_every_entry_has_its_other_half(self):
        self.assertEqual(counterparts(federation), [])

    def test_there_is_something_of_every_kind(self):
        kinds = {entry["type"] for entry in federation.entries("broker")}
        self.assertLessEqual({"ADMIN", "ROUTE", "DELIVER", "FAILURE"}, kinds)
        for name in DEPARTMENTS:
            self.assertIn("ANSWERED", {e["code"] for e in federation.entries(name, "--type", "read")})
        self.assertIn("CONSENT", {entry["type"] for entry in federation.entries("consent")})

    def test_denials_are_on_both_sides(self):
        for refusal in refused:
            with self.subTest(code=refusal["code"]):
                own = federation.entries(refusal["department"], "--txn", refusal["txn"])[-1]
                broker = federation.entries("broker", "--txn", refusal["txn"], "--type", "deliver")[-1]
                self.assertEqual(own["code"], refusal["outer"])
                self.assertEqual(broker["code"], refusal["outer"])
                self.assertEqual(broker["peer_leaf"], own["leaf_hash"])

    def test_a_missing_half_is_found(self):
        """The comparison itself can fail: without one department's log its reads have no counterpart."""
        self.assertNotEqual(counterparts(federation, [name for name in DEPARTMENTS if name != "tax"]), [])

    def test_details_open_only_for_the_own_officer(self):
        own = federation.entries("tax", "--type", "read", details=True)
        self.assertEqual({entry["detail_state"] for entry in own}, {"open"})
        self.assertTrue(all(entry["detail"]["subject"] for entry in own))
        other = federation.material.lianban(
            "log", "list", federation.members["tax"].state, "--officer-key",
            federation.material.officer("health"), may_fail=True)
        self.assertNotIn("open", {entry["detail_state"] for entry in other["entries"]})

    def test_an_answer_about_the_subject_leaves_no_trace_of_it_in_the_open(self):
        """A refusal because of the subject looks like an answer to everybody but the officer."""
        refusal = next(refusal for refusal in refused if refusal["code"] == "SUBJECT_MISMATCH")
        entry = federation.entries(refusal["department"], "--txn", refusal["txn"])[-1]
        self.assertEqual(entry["code"], "ANSWERED")
        opened = federation.entries(refusal["department"], "--txn", refusal["txn"], details=True)[-1]
        self.assertEqual(opened["detail"]["code"], "SUBJECT_MISMATCH")


class Changes(unittest.TestCase):
    """Every content table of a copied log, changed in every column and robbed of rows."""

    @classmethod
    def setUpClass(cls):
        cls.dice = random.Random(3)
        cls.copies = tempfile.mkdtemp(prefix="lianban-e2e-")
        cls.addClassCleanup(shutil.rmtree, cls.copies, ignore_errors=True)

    def copied(self, name):
        """A fresh copy of a node's log, as a backup would take it."""
        folder = os.path.join(self.copies, name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        state = federation.members[name].state
        source = sqlite3.connect(f"file:{os.path.join(state, 'evidence.db')}?mode=ro", uri=True)
        target = sqlite3.connect(os.path.join(folder, "evidence.db"))
        source.backup(target)
        source.close()
        target.close()
        shutil.copy(os.path.join(state, "ratchet"), folder)
        return folder

    def verify(self, folder):
        verdict = federation.material.lianban(
            "log", "verify", folder, "--directory", federation.material.directory, "--signer",
            federation.material.directory_vkey, may_fail=True)
        return verdict["logs"][0]

    def assert_found(self, folder, what):
        log = self.verify(folder)
        self.assertNotEqual(log["code"], "OK", what)
        self.assertTrue(log["place"], what)

    def test_an_untouched_copy_passes(self):
        for name in ("broker", "tax", "consent"):
            self.assertEqual(self.verify(self.copied(name))["code"], "OK")

    def test_a_changed_byte(self):
        for name in ("broker", "tax", "consent"):
            for table in TABLES:
                changed = 0
                for column in self.columns(name, table):
                    with self.subTest(log=name, table=table, column=column):
                        folder = self.copied(name)
                        if self.change(folder, table, column):
                            changed += 1
                            self.assert_found(folder, f"{table}.{column} was changed")
                # A small log has no full tile yet.
                if table != "tile" or name == "broker":
                    self.assertGreaterEqual(changed, 2, f"{name}: {table} has nothing to change")

    def test_a_deleted_row(self):
        for name in ("broker", "tax", "consent"):
            for table in TABLES:
                for place in ("ASC", "DESC"):
                    with self.subTest(log=name, table=table, place=place):
                        folder = self.copied(name)
                        if self.execute(folder, f"DELETE FROM {table} WHERE rowid = (SELECT rowid FROM"
                                                f" {table} ORDER BY rowid {place} LIMIT 1)"):
                            self.assert_found(folder, f"a row of {table} is gone")

    def test_an_added_row(self):
        for sql in ("INSERT INTO leaf SELECT (SELECT max(idx) + 1 FROM leaf), bytes FROM leaf WHERE idx = 0",
                    "INSERT INTO detail SELECT (SELECT max(idx) + 1 FROM leaf), kid, nonce, sealed,"
                    " plain_hash FROM detail LIMIT 1"):
            folder = self.copied("tax")
            self.assertEqual(self.execute(folder, sql), 1)
            self.assert_found(folder, sql)

    def test_two_entries_that_changed_places(self):
        folder = self.copied("tax")
        self.execute(folder, "UPDATE leaf SET idx = -1 WHERE idx = 1")
        self.execute(folder, "UPDATE leaf SET idx = 1 WHERE idx = 2")
        self.execute(folder, "UPDATE leaf SET idx = 2 WHERE idx = -1")
        self.assert_found(folder, "two leaves changed places")

    def test_an_older_copy_beside_its_ratchet(self):
        """Yesterday's database put back: the signed size in the second file is larger."""
        folder = self.copied("tax")
        federation.window.apply(find_story(federation, "tekun-home")["members"])

        def behind():
            shutil.copy(os.path.join(federation.members["tax"].state, "ratchet"), folder)
            return self.verify(folder)["code"] == "LOG_BEHIND"
        # A department that did not answer in time has a new entry within a minute all the same.
        wait_until(behind, PATIENT_SECONDS, "a larger signed size")

    def columns(self, name, table):
        path = os.path.join(federation.members[name].state, "evidence.db")
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        connection.close()
        return names

    def execute(self, folder, sql, *values):
        connection = sqlite3.connect(os.path.join(folder, "evidence.db"))
        with connection:
            changed = connection.execute(sql, values).rowcount
        connection.close()
        return changed

    def change(self, folder, table, column):
        """Changes a byte, or a number by one, in a row picked at random; False if there is none."""
        connection = sqlite3.connect(os.path.join(folder, "evidence.db"))
        rows = connection.execute(f"SELECT rowid, {column} FROM {table}"
                                  f" WHERE {column} IS NOT NULL").fetchall()
        connection.close()
        if not rows:
            return False
        rowid, value = self.dice.choice(rows)
        if isinstance(value, bytes):
            at = self.dice.randrange(len(value))
            value = value[:at] + bytes([value[at] ^ (1 << self.dice.randrange(8))]) + value[at + 1:]
        else:
            value += 1000000
        try:
            return self.execute(folder, f"UPDATE {table} SET {column} = ? WHERE rowid = ?", value, rowid) == 1
        except sqlite3.IntegrityError:
            return False


class Readers(unittest.TestCase):
    """Running nodes, read over mutual TLS into plain files: by an auditor, an officer, and a window."""

    @classmethod
    def setUpClass(cls):
        cls.auditor, cls.officer = hire("spiffe://demo.lianban/auditor/inspection",
                                        f"spiffe://demo.lianban/officer/{AWAY}/sun")

    def test_an_auditor_reads_every_log_and_then_what_is_new(self):
        names = (AWAY, "broker", "consent")
        for name in names:
            wait_until(lambda name=name: self.pull(self.auditor, name).returncode == 0, 15, name)
        before = self.size(self.auditor, AWAY)
        federation.window.apply(federation.households[11]["members"])
        self.assertEqual(self.pull(self.auditor, AWAY).returncode, 0)
        self.assertGreater(self.size(self.auditor, AWAY), before)
        exports = [self.into(self.auditor, name) for name in names]
        verdict = federation.material.lianban(
            "log", "verify", "--tiles", *exports, "--directory", federation.material.directory, "--signer",
            federation.material.directory_vkey, may_fail=True)
        self.assertTrue(verdict["verified"], verdict)

    def test_what_is_read_goes_on_with_the_same_log_only(self):
        for name in (AWAY, "consent"):
            wait_until(lambda name=name: self.pull(self.auditor, name).returncode == 0, 15, name)
        own, other = (os.path.join(self.into(self.auditor, name), "checkpoint") for name in ("consent", AWAY))
        self.addCleanup(shutil.rmtree, os.path.dirname(own))
        shutil.copy(other, own)
        self.assertIn("OTHER_LOG", self.pull(self.auditor, "consent").stderr)

    def test_an_officer_reads_the_own_department_only(self):
        wait_until(lambda: self.pull(self.officer, AWAY).returncode == 0, 15, AWAY)
        wait_until(lambda: "ROLE_NOT_ALLOWED" in self.pull(self.officer, "health").stderr, 15, "health")
        self.assertFalse(os.path.exists(os.path.join(self.into(self.officer, "health"), "checkpoint")))

    def test_a_window_reads_no_entries(self):
        window = federation.members["window"]
        refused = self.pull((window.folder, window.spiffe), AWAY)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("ROLE_NOT_ALLOWED", refused.stderr)

    def into(self, reader, name):
        return os.path.join(federation.root, "read-" + reader[1].split("/")[3] + "-" + name)

    def size(self, reader, name):
        with open(os.path.join(self.into(reader, name), "checkpoint"), encoding="utf-8") as file:
            return int(file.read().split("\n")[1])

    def pull(self, reader, name):
        """`lianban log export` as the reader types it."""
        folder, spiffe = reader
        profile = self.into(reader, name) + ".yaml"
        with open(profile, "w", encoding="utf-8") as file:
            yaml.safe_dump({
                "node": spiffe, "crl": federation.material.crl, "state": profile + ".state",
                "identity": {part: os.path.join(folder, part + ".pem") for part in ("cert", "key", "ca")},
                "directory": {"file": federation.material.directory,
                              "signers": [federation.material.directory_vkey]},
                **({} if "/auditor/" in spiffe else {"adapter": federation.members[AWAY].spiffe})}, file)
        return subprocess.run(
            [os.path.join(federation.binaries, "lianban"), "log", "export", "--profile", profile, "--from",
             federation.members[name].spiffe, "--out", self.into(reader, name)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)


def hire(*spiffes):
    """Readers: each a folder with a certificate, and the ids in the directory by its own signer."""
    material = federation.material
    source, text = (os.path.join(material.pki, "directory" + end) for end in (".yaml", ".json"))
    with open(source, encoding="utf-8") as file:
        directory = yaml.load(file, yaml.CSafeLoader)
    folders = [os.path.join(federation.root, "clients", "reader-%d" % i) for i in range(len(spiffes))]
    for spiffe, folder in zip(spiffes, folders):
        material.lianban("pki", "issue", "--dir", material.pki, "--id", spiffe, "--out", folder)
        directory["nodes"].append({"spiffe": spiffe})
    directory["version"] += 1
    directory["organizations"].append({"id": "inspection", "zh": "督查室", "en": "Inspection office"})
    with open(source, "w", encoding="utf-8") as file:
        yaml.dump(directory, file, yaml.CSafeDumper, allow_unicode=True)
    material.lianban("directory", "build", "--from", source, "--out", text)
    material.lianban("directory", "sign", "--text", text, "--key", os.path.join(material.pki, "directory.pem"),
                     "--name", DIRECTORY_SIGNER, "--out", material.directory)
    return list(zip(folders, spiffes))


if __name__ == "__main__":
    unittest.main()
