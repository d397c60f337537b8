"""Mistakes in configuration, views, forms and directory are refused at start with file, line and what to
do; so is everything else that keeps a program from running. --check does only that."""

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402

PROGRAMS = {"broker": "lianban-broker", "consent": "lianban-consent", "window": "lianban-window",
            "tax": "lianban-adapter", "public-security": "lianban-adapter"}
SECONDS = 15
FORM = "../pki/published/social-assistance.yaml"


def setUpModule():
    global federation  # pylint: disable=global-statement
    federation = fixture.made(60)


def run(name, *options, seconds=SECONDS):
    """A program with its own configuration; one that goes on running is a failed test."""
    command = [os.path.join(fixture.BIN, PROGRAMS[name]), "--config", federation.members[name].config]
    return subprocess.run(command + list(options), capture_output=True, text=True, timeout=seconds,
                          check=False)


class Refusing(unittest.TestCase):
    """Changes one file for one test and looks at what the program says."""

    def path(self, member, file):
        return os.path.join(federation.members[member].folder, file)

    def keep(self, path):
        """Puts a file back as it was when the test is over."""
        aside = path + ".kept"
        shutil.copy2(path, aside)
        self.addCleanup(os.replace, aside, path)

    def edit(self, path, old, new):
        """Replaces text in a file; returns the line where the change is."""
        self.keep(path)
        with open(path, encoding="utf-8") as file:
            content = file.read()
        self.assertIn(old, content)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content.replace(old, new, 1))
        return content[:content.index(old)].count("\n") + 1

    def assert_refused(self, program, *says, options=("--check",)):
        """Ends at once with 1 and one clear sentence that says all this; returns the sentence."""
        ended = run(program, *options)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertEqual(ended.stdout, "")
        lines = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
        self.assertEqual(len(lines), 1, ended.stderr)
        self.assertTrue(lines[0].startswith(PROGRAMS[program] + ": "))
        for text in says:
            self.assertIn(text, lines[0])
        return lines[0]


class Checked(unittest.TestCase):
    def test_what_is_right_passes_and_nothing_is_started(self):
        for name in PROGRAMS:
            with self.subTest(program=name):
                ended = run(name, "--check")
                self.assertEqual(ended.returncode, 0, ended.stderr)
                self.assertIn("configuration is valid", ended.stdout)
                state = federation.members[name].state
                self.assertEqual(os.listdir(state) if os.path.exists(state) else [], [])

    def test_wrong_usage(self):
        for options in ([], ["--nonsense"], ["--config"]):
            command = [os.path.join(fixture.BIN, "lianban-broker"), *options]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            self.assertEqual(ended.returncode, 2)
            self.assertTrue(ended.stderr)


# (program, file, what is there, what comes instead, what the sentence says)
MISTAKES = (
    ("broker", "node.yaml", "log_key: log.pem", "log_kee: log.pem", 'unknown key "log_kee"'),
    ("broker", "node.yaml", "state: state\n", "", 'key "state" is missing'),
    ("broker", "node.yaml", "/broker/federation-operator\n", "/adapter/federation-operator\n", "node must be"),
    ("broker", "node.yaml", "identity:", "identity: {", "not valid YAML"),
    ("broker", "node.yaml", "  - demo.lianban/directory+", "  - demo.lianban/directory-", "verifier key"),
    ("tax", "node.yaml", "plugin: sqlite", "plugin: oracle", "known: sqlite"),
    ("tax", "node.yaml", "policy: policy.yaml", "policy: [policy.yaml]", "write one text"),
    ("window", "node.yaml", "deadline_ms: 10000", "deadline_ms: 10 s", "deadline_ms must be a whole number"),
    ("window", "node.yaml", "listen: unix:", "listen: 127.0.0.1:7999 # ", "Unix socket only"),
    ("consent", "node.yaml", "status_uri: https", "status_url: https", 'unknown key "status_url"'),
    ("tax", "policy.yaml", "- views/wage.yaml", "- views/capital.yaml", "listed twice"),
    ("tax", "policy.yaml", "key_sha256: ", "key_sha256: 00", "64 hex digits"),
    ("tax", "policy.yaml", "log: demo", "log: nobody", "verifier key"),
    ("tax", "policy.yaml", "  forms:", "  form:", 'unknown key "form"'),
    ("tax", "views/wage.yaml", "class: G4", "class: G9", "write G1"),
    ("tax", "views/wage.yaml", "freshness_days: 45", "freshness_days: soon", "whole number"),
    ("tax", "views/wage.yaml", '"SHARE(12)"', '"SHARED(12)"', "is no operator"),
    ("tax", "views/wage.yaml", "bases: [mandate]", "bases: [hearsay]", "write consent"),
    ("tax", "views/wage.yaml", "rows: many", "rows: some", "one or many"),
    ("tax", "views/capital.yaml", "capital.bands", "capital.bend", "the rule set has no such entry"),
    ("tax", "rules/beijing-reference.yaml", "value: 145000", "value: much", "whole number"),
    ("window", FORM, "operator: IN(person.alive)", "operator: OUT(person.alive)", "OUT"),
    ("window", FORM, "AGE_GE(age.elder)", "AGE_GE(age.older)", "age.older"),
    ("window", FORM, "when: below_edge AND property_ok\n", "when: coalesce(below_edge, 0)\n", "coalesce"),
    ("broker", FORM, "purpose: social-assistance", "porpoise: social-assistance", "porpoise"),
    ("consent", FORM, "min: 0, max: 11, minor: true", "min: 0, max: 99, minor: true", "max"),
)
_NEAR = 3  # a mistake may be told at the head of the entry it is in


class Mistakes(Refusing):
    def test_each_is_told_with_file_and_line(self):
        for program, file, old, new, says in MISTAKES:
            with self.subTest(file=file, mistake=new):
                line = self.edit(self.path(program, file), old, new)
                sentence = self.assert_refused(program, says)
                told = re.search(re.escape(os.path.basename(file)) + r":(\d+): ", sentence)
                self.assertIsNotNone(told, sentence)
                if "missing" not in says and "twice" not in says:
                    self.assertLessEqual(abs(int(told.group(1)) - line), _NEAR, sentence)
            self.doCleanups()

    def test_a_column_that_the_database_lacks(self):
        self.edit(self.path("tax", "views/wage.yaml"), "SELECT month, income_cents FROM",
                  "SELECT month, incomes AS income_cents FROM")
        self.assert_refused("tax", "tax.wage", "incomes")

    def test_a_date_query_that_does_not_fit_the_database(self):
        self.edit(self.path("tax", "views/wage.yaml"), "as_of: SELECT ", "as_of: SELECT no_such_column, ")
        self.assert_refused("tax", "tax.wage", "no_such_column")

    def test_a_query_that_writes(self):
        self.edit(self.path("tax", "views/wage.yaml"), "SELECT month, income_cents FROM wage",
                  "DELETE FROM wage RETURNING month, income_cents --")
        self.assert_refused("tax", "wage")


class Files(Refusing):
    """Files that are missing, open to others, or not what they should be."""

    def move_away(self, path):
        os.rename(path, path + ".gone")
        self.addCleanup(os.rename, path + ".gone", path)

    def test_missing(self):
        for program, file in (("broker", "cert.pem"), ("broker", "key.pem"), ("broker", "ca.pem"),
                              ("broker", "log.pem"), ("tax", "policy.yaml"), ("tax", "views/wage.yaml"),
                              ("tax", "seal.key"), ("tax", "pseudonym.key"), ("tax", "node.yaml"),
                              ("consent", "issuer.pem"), ("window", "case.key"),
                              ("tax", "../../departments/tax.db"), ("tax", "../../pki/directory.note")):
            with self.subTest(file=file):
                path = self.path(program, file)
                self.move_away(path)
                self.assert_refused(program, os.path.basename(path), options=("--init",))
            self.doCleanups()

    def test_private_keys_that_others_can_read(self):
        for program, file in (("broker", "log.pem"), ("tax", "seal.key"), ("tax", "pseudonym.key"),
                              ("consent", "issuer.pem"), ("window", "person.key"), ("window", "case.key"),
                              ("window", "issuer.pem")):
            with self.subTest(file=file):
                os.chmod(self.path(program, file), 0o644)
                self.addCleanup(os.chmod, self.path(program, file), 0o600)
                self.assert_refused(program, os.path.basename(file), "0600")
            self.doCleanups()

    def test_folders_that_others_can_enter(self):
        os.makedirs(self.path("broker", "state"), 0o700, exist_ok=True)
        for program, folder, options in (("broker", "state", ("--check",)), ("tax", "seal", ("--check",)),
                                         ("window", "operators", ("--init",))):
            with self.subTest(folder=folder):
                os.chmod(self.path(program, folder), 0o750)
                self.addCleanup(os.chmod, self.path(program, folder), 0o700)
                self.assert_refused(program, folder, "700", options=options)
            self.doCleanups()

    def test_an_expired_certificate_of_its_own(self):
        path = self.path("broker", "cert.pem")
        self.keep(path)
        fixture.expire(federation, path)
        self.assert_refused("broker", "cert.pem", "expired", options=("--init",))

    def test_a_key_that_is_another_certificates(self):
        path = self.path("broker", "key.pem")
        self.keep(path)
        shutil.copy(self.path("tax", "key.pem"), path)
        self.assert_refused("broker", "key.pem", options=("--init",))

    def test_a_database_that_is_none(self):
        path = os.path.join(federation.root, "departments", "tax.db")
        self.keep(path)
        with open(path, "wb") as file:
            file.write(b"this is no database" * 100)
        self.assert_refused("tax", "tax.db")

    def test_a_database_that_is_locked(self):
        path = os.path.join(federation.root, "departments", "tax.db")
        connection = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(connection.close)
        connection.execute("BEGIN EXCLUSIVE")
        self.assert_refused("tax", "tax.db", "locked")


class Directories(Refusing):
    def note(self):
        return federation.material.directory

    def test_changed_after_it_was_signed(self):
        self.edit(self.note(), "127.0.0.1", "127.0.0.2")
        self.assert_refused("broker", "directory.note", "signed")

    def test_signed_by_somebody_else(self):
        self.keep(self.note())
        key = os.path.join(federation.root, "other.pem")
        federation.material.lianban("keys", "log", "--out", key, "--name", "demo.lianban/directory")
        federation.material.lianban(
            "directory", "sign", "--text", os.path.join(federation.material.pki, "directory.json"), "--key",
            key, "--name", "demo.lianban/directory", "--out", self.note())
        self.assert_refused("broker", "directory.note", "signed")

    def test_a_mistake_in_its_source(self):
        source = os.path.join(federation.material.pki, "directory.yaml")
        line = self.edit(source, "organization: consent-hall", "organization: consent-hell")
        ended = subprocess.run([os.path.join(fixture.BIN, "lianban"), "directory", "build", "--from", source,
                                "--out", os.devnull], capture_output=True, text=True, check=False)
        self.assertEqual(ended.returncode, 1)
        self.assertRegex(ended.stderr, rf"directory\.yaml:{line}: .*consent-hell")

    def test_an_older_one(self):
        older, newer = self.note() + ".old", self.note() + ".new"
        shutil.copy(self.note(), older)
        federation.material.publish_directory(2)
        self.keep(self.note())
        shutil.copy(self.note(), newer)
        self.assertEqual(run("broker", "--check").returncode, 0)
        shutil.copy(older, self.note())
        self.assertEqual(run("broker", "--check").returncode, 0)  # --check remembers nothing
        shutil.copy(newer, self.note())
        self.assertEqual(run("broker").returncode, 1)  # a start does, though it ends for want of a log
        shutil.copy(older, self.note())
        self.assert_refused("broker", "directory.note", "older")


class Running(Refusing):
    """What only shows when a program really starts."""

    @classmethod
    def setUpClass(cls):
        unittest.addModuleCleanup(federation.stop)
        federation.start()

    def test_a_second_process_on_the_same_state(self):
        for name in ("broker", "consent", "tax", "window"):
            with self.subTest(program=name):
                if name != "window":
                    self.edit(federation.members[name].config, "listen: 127.0.0.1:", "listen: 127.0.0.2:")
                self.assert_refused(name, "state", options=())
            self.doCleanups()

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            name = "tax"
            federation.processes[name].stop()
            self.addCleanup(federation.restart, name)
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            self.edit(federation.members[name].config, federation.members[name].address, address)
            self.assert_refused(name, address, "another process holds the address", options=())
            self.doCleanups()

    def test_evidence_that_is_gone(self):
        federation.processes["tax"].stop()
        self.addCleanup(federation.restart, "tax")
        state = federation.members["tax"].state
        os.rename(state, state + ".gone")
        self.addCleanup(os.rename, state + ".gone", state)
        self.addCleanup(shutil.rmtree, state, ignore_errors=True)
        self.assert_refused("tax", "evidence", options=())

    def test_evidence_with_a_changed_end(self):
        federation.processes["tax"].stop()
        self.addCleanup(federation.restart, "tax")
        path = os.path.join(federation.members["tax"].state, "evidence.db")
        self.keep(path)
        connection = sqlite3.connect(path)
        with connection:
            connection.execute("DELETE FROM leaf WHERE idx = (SELECT max(idx) FROM leaf)")
        connection.close()
        self.assert_refused("tax", "state", options=())


if __name__ == "__main__":
    unittest.main()
