"""What operators see of running nodes. `lianban doctor`: each trouble is named with what to do and whom to
call (issue 5, acceptance 2); what is wrong is made so in a copy of a node's configuration, so the node itself
runs on. `lianban status`: every member as the broker sees it. Metrics. Traces. What a broker tells its operator's
tools."""

import itertools
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import unittest

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import drill_cases  # noqa: E402
import fixture  # noqa: E402
import introspection_cases  # noqa: E402
import operations_cases  # noqa: E402
from cases import find_story  # noqa: E402
from processes import wait_until  # noqa: E402

SECONDS = 60
HOUR = 3600
_numbers = itertools.count()
_SHIM = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == 0)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME)
        now->tv_sec += 3600;
    return result;
}
"""


def setUpModule():
    global federation  # pylint: disable=global-statement
    federation = fixture.made(60, ready=drill_cases.allow)
    drill_cases.prepare(federation)
    unittest.addModuleCleanup(federation.stop)
    for name in operations_cases.MEASURED:
        with open(federation.members[name].config, "a", encoding="utf-8") as file:
            file.write("metrics: 127.0.0.1:0\n")
    federation.start()


class Doctor(unittest.TestCase):
    def run_doctor(self, config, *options, **environment):
        command = [os.path.join(fixture.BIN, "lianban"), "doctor", "--config", config, *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False,
                              env={**os.environ, **environment})

    def ask(self, config, *options, **environment):
        """Exit code, and per check the rows that are not ok."""
        ended = self.run_doctor(config, "--json", *options, **environment)
        report = json.loads(ended.stdout)
        self.assertEqual(ended.returncode, {"ok": 0, "warn": 1, "bad": 3}[report["status"]])
        found = {}
        for row in report["rows"]:
            if row["state"] != "ok":
                self.assertTrue(row["found"] and row["to_do"] and row["call"], row)
                found.setdefault(row["check"], []).append(row)
        return ended.returncode, found

    def variant(self, name, change):
        """A copy of a node's configuration, changed."""
        member = federation.members[name]
        with open(member.config, encoding="utf-8") as file:
            content = yaml.safe_load(file)
        change(content)
        path = os.path.join(member.folder, f"variant-{next(_numbers)}.yaml")
        self.addCleanup(os.unlink, path)
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(content, file, allow_unicode=True)
        return path

    def file_of(self, name, *parts):
        return federation.members[name].path(*parts)

    def assert_found(self, found, check, state, party, about=None):
        rows = [row for row in found.get(check, []) if about in (None, row["about"])]
        self.assertTrue(rows, found)
        self.assertEqual((rows[0]["state"], rows[0]["party"]), (state, party), rows)


class Well(Doctor):
    def test_nodes_that_run_well(self):
        for name in ("broker", "consent", "window", "tax", "disabled-federation"):
            with self.subTest(node=name):
                self.assertEqual(self.ask(federation.members[name].config), (0, {}))

    def test_nothing_private_is_shown(self):
        shown = self.run_doctor(federation.members["window"].config).stdout
        self.assertIsNone(re.search(r"\b[0-9]{17}[0-9X]\b|[0-9a-f]{64}|BEGIN", shown))
        self.assertIn("all in all: ok", shown)
        shown = self.run_doctor(federation.members["window"].config, "--language", "zh").stdout
        self.assertIn("总体：正常", shown)


class Processes(Doctor):
    def test_a_peer_that_was_killed(self):
        spiffe = federation.members["tax"].spiffe
        federation.processes["tax"].kill()
        code, found = self.ask(federation.members["broker"].config)
        self.assertEqual(code, 3)
        self.assert_found(found, "port", "bad", "peer", spiffe)
        self.assert_found(self.ask(federation.members["tax"].config)[1], "self", "bad", "own-operations")
        federation.restart("tax")

    def test_a_peer_that_hangs(self):
        federation.processes["housing"].signal(signal.SIGSTOP)
        self.addCleanup(federation.processes["housing"].signal, signal.SIGCONT)
        _, found = self.ask(federation.members["broker"].config, "--wait-ms", "1500")
        self.assert_found(found, "identity", "bad", "peer", federation.members["housing"].spiffe)

    def test_a_clock_an_hour_off(self):
        source, shim = (os.path.join(federation.root, "clock" + end) for end in (".c", ".so"))
        with open(source, "w", encoding="utf-8") as file:
            file.write(_SHIM)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
        _, found = self.ask(federation.members["consent"].config, LD_PRELOAD=shim)
        self.assert_found(found, "clock", "bad", "own-network")
        self.assertAlmostEqual(int(found["clock"][0]["value"].split()[0]), HOUR * 1000, delta=30000)


class Files(Doctor):
    def test_an_expired_certificate(self):
        path = self.file_of("tax", "expired.pem")
        shutil.copy(self.file_of("tax", "cert.pem"), path)
        fixture.expire(federation, path)
        config = self.variant("tax", lambda c: c["identity"].update(cert="expired.pem"))
        code, found = self.ask(config)
        self.assertEqual(code, 3)
        self.assert_found(found, "certificate", "bad", "own-ca")
        self.assert_found(found, "self", "bad", "peer")

    def test_a_certificate_that_ends_soon(self):
        for days, state in ((29, "warn"), (6, "warn"), (1, "bad")):
            folder = self.file_of("window", f"soon-{days}")
            federation.material.lianban("pki", "issue", "--dir", federation.material.pki, "--id",
                                        federation.members["window"].spiffe, "--out", folder, "--days",
                                        str(days))
            config = self.variant("window", lambda c, f=folder: c["identity"].update(
                cert=os.path.join(f, "cert.pem"), key=os.path.join(f, "key.pem")))
            _, found = self.ask(config)
            self.assertEqual(list(found), ["certificate"])
            self.assert_found(found, "certificate", state, "own-ca")
            self.doCleanups()

    def test_a_revocation_list_that_is_gone(self):
        code, found = self.ask(self.variant("window", lambda c: c.update(crl="gone.pem")))
        self.assertEqual(code, 3)
        self.assert_found(found, "crl", "bad", "own-ca")
        self.assert_found(found, "identity", "bad", "own-ca")

    def test_a_full_disk(self):
        marks = {"alert_mb": 1 << 30, "stop_mb": 1 << 30, "reserve_mb": 0}
        _, found = self.ask(self.variant("tax", lambda c: c.update(disk=marks)))
        self.assertEqual(list(found), ["disk"])
        self.assert_found(found, "disk", "bad", "own-operations")


class Source(Doctor):
    def ask_about(self, path):
        return self.ask(self.variant("tax", lambda c: c["source"].update(location=path)))[1]

    def test_a_database_that_is_gone_or_garbage(self):
        garbage = os.path.join(federation.root, "garbage.db")
        with open(garbage, "wb") as file:
            file.write(os.urandom(8192))
        for path in (os.path.join(federation.root, "gone.db"), garbage):
            found = self.ask_about(path)
            self.assert_found(found, "source", "bad", "own-dba")
            self.doCleanups()

    def test_a_database_that_is_locked(self):
        path = os.path.join(federation.root, "locked.db")
        shutil.copy(os.path.join(federation.root, "departments", "tax.db"), path)
        connection = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(connection.close)
        connection.execute("BEGIN EXCLUSIVE")
        found = self.ask_about(path)
        self.assertIn("own-dba", {row["party"] for row in found.get("source", found.get("view", []))})

    def test_a_database_whose_tables_changed(self):
        path = os.path.join(federation.root, "changed.db")
        shutil.copy(os.path.join(federation.root, "departments", "tax.db"), path)
        connection = sqlite3.connect(path)
        connection.execute("ALTER TABLE wage RENAME COLUMN income_cents TO incomes")
        connection.commit()
        connection.close()
        self.assert_found(self.ask_about(path), "view", "bad", "own-dba", "tax.wage")


class Directory(Doctor):
    """Variants of the directory, which no running node reads."""

    def listed_at(self, address):
        """The window's configuration, with a directory that lists the consent office elsewhere."""
        material, office = federation.material, federation.members["consent"]
        kept = material.directory, office.address
        material.directory = os.path.join(federation.root, "other.note")
        office.address = address
        material.publish_directory(7)
        path, (material.directory, office.address) = material.directory, kept
        return self.variant("window", lambda c: c["directory"].update(file=path))

    def test_a_name_that_does_not_resolve(self):
        _, found = self.ask(self.listed_at("x" * 70 + ".gov.invalid:7443"))
        self.assert_found(found, "dns", "bad", "own-network")

    def test_a_name_of_another_machine(self):
        _, found = self.ask(self.listed_at(federation.members["broker"].address))
        self.assert_found(found, "identity", "bad", "own-network", federation.members["consent"].spiffe)
        self.assertIn(federation.members["broker"].spiffe, found["identity"][0]["value"])

    def test_a_port_that_is_blocked(self):
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            waiting = [socket.socket() for _ in range(8)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(address)
            _, found = self.ask(self.listed_at("127.0.0.1:%d" % address[1]), "--wait-ms", "1500")
            for one in waiting:
                one.close()
        self.assert_found(found, "port", "bad", "own-network")

    def test_one_that_is_stale(self):
        material = federation.material
        old = os.path.join(federation.root, "old.note")
        shutil.copy(material.directory, old)
        material.publish_directory(2)
        fresh = self.file_of("consent", "fresh-state")
        shutil.copytree(federation.members["consent"].state, fresh)
        shutil.rmtree(os.path.join(fresh, "trust"))
        config = self.variant("consent", lambda c: (c["directory"].update(file=old),
                                                    c.update(state="fresh-state")))

        broker = federation.members["broker"].spiffe

        def stale():
            return broker in {row["about"] for row in self.ask(config)[1].get("directory-version", ())}
        wait_until(stale, SECONDS, "the broker has the new directory")
        _, found = self.ask(config)
        self.assert_found(found, "directory-version", "warn", "federation-operator", broker)
        back = self.variant("consent", lambda c: c["directory"].update(file=old))
        wait_until(lambda: "directory" in self.ask(back)[1], SECONDS, "this node has it too")
        self.assert_found(self.ask(back)[1], "directory", "bad", "federation-operator")



class Status(Doctor):
    def status(self, config, *options):
        command = [os.path.join(fixture.BIN, "lianban"), "status", "--config", config, "--json", *options]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        return ended.returncode, json.loads(ended.stdout)

    def row(self, name):
        report = self.status(federation.members["broker"].config)[1]
        rows = [row for row in report["rows"] if row["member"] == federation.members[name].spiffe]
        self.assertEqual(len(rows), 1)
        return rows[0]

    def test_every_member_is_shown(self):
        federation.window.apply(find_story(federation, "dibao-couple")["members"])
        code, report = self.status(federation.members["broker"].config)
        levels = {row["member"]: (row["level"], row["found"]) for row in report["rows"]}
        self.assertEqual(code, {"green": 0, "yellow": 1, "red": 3}[report["status"]], levels)
        self.assertEqual(set(levels), {member.spiffe for member in federation.members.values()})
        for name in ("tax", "disabled-federation"):
            row = self.row(name)
            self.assertEqual((row["level"], row["link"]), ("green", "up"), row)
            self.assertGreater(row["certificate_days"], 80)
            self.assertGreater(row["log_size"], 0)
            self.assertLess(row["answered_seconds"], SECONDS)

    def test_a_department_that_is_gone_and_back(self):
        federation.processes["education"].kill()
        wait_until(lambda: self.row("education")["level"] == "red", SECONDS, "red")
        self.assertEqual(self.row("education")["link"], "down")
        federation.restart("education")
        wait_until(lambda: self.row("education")["level"] == "green", SECONDS, "green again")

    def test_others_are_refused_and_that_is_evidence(self):
        before = self.denials()
        for name in ("window", "tax"):
            config = self.variant(name, lambda c: c.update(broker=federation.members["broker"].spiffe))
            code, report = self.status(config)
            self.assertEqual((code, report["rows"][0]["code"]), (3, "ROLE_NOT_ALLOWED"))
        wait_until(lambda: self.denials() >= before + 2, SECONDS, "two denials in the broker's log")

    def denials(self):
        return sum(e["count"] for e in federation.entries("broker", "--type", "deny")
                   if e["code"] == "ROLE_NOT_ALLOWED")

    def test_again_and_again(self):
        command = [os.path.join(fixture.BIN, "lianban"), "status", "--config",
                   federation.members["broker"].config, "--watch", "1", "--times", "2", "--language", "zh"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        self.assertEqual(ended.stdout.count("总体："), 2)


class Metrics(operations_cases.Metrics, unittest.TestCase):
    federation = property(lambda self: federation)


class Traces(operations_cases.Traces, unittest.TestCase):
    federation = property(lambda self: federation)


class Drills(drill_cases.Drills, unittest.TestCase):
    federation = property(lambda self: federation)


class Introspection(introspection_cases.Introspection, unittest.TestCase):
    federation = property(lambda self: federation)


if __name__ == "__main__":
    unittest.main()
