"""Drills, for test_operations: a marked case meets make-believe faults and reaches made-up people alone, every
other case goes on as ever, all of it is evidence, and it ends by itself, also over a crash."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import find_story  # noqa: E402
from processes import wait_until  # noqa: E402

SECONDS = 60
_FOLDER = os.path.join(fixture.ROOT, "demo", "drill")
FORM, VIEW = os.path.join(_FOLDER, "form.yaml"), os.path.join(_FOLDER, "tax.yaml")
DEPARTMENT = "tax"
# What a drill case comes to under faults of both kinds: a refusal, and a fact that did not come.
_FAULTS = {"certificate-expired": "PEER_EXPIRED", "disk-full": "LOG_FULL", "source-slow": "SOURCE_TIMEOUT"}
_LAST = "SOURCE_TIMEOUT"
SOMEBODY = [{"role": "applicant", "id_no": "99010119800101201X", "name": "王小明"}]


def allow(federation):
    """Before it is made: its members know the drill's form, and one department has a view for it."""
    views = os.path.join(federation.root, "views")
    shutil.copytree(federation.material.views[DEPARTMENT], views)
    shutil.copy(VIEW, os.path.join(views, "drill-person.yaml"))
    federation.material.forms["drill"] = FORM
    federation.material.views[DEPARTMENT] = views


def prepare(federation):
    """Before it is started: one department and the broker take part."""
    member = federation.members[DEPARTMENT]
    database = os.path.join(federation.root, "made-up.db")
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE person (id_no TEXT PRIMARY KEY)")
        connection.execute("INSERT INTO person VALUES (?)", (SOMEBODY[0]["id_no"],))
    _change(member.config, lambda c: c.update(drills={"source": {"plugin": "sqlite", "location": database}}))
    _change(federation.members["broker"].config, lambda c: c.update(drills=True))


def _change(path, change):
    with open(path, encoding="utf-8") as file:
        content = yaml.safe_load(file)
    change(content)
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(content, file, allow_unicode=True, sort_keys=False)


class Drills:
    def config(self, name=DEPARTMENT):
        return self.federation.members[name].config

    def drill(self, word, *options, name=DEPARTMENT, code=0):
        """What a command printed, or its complaint."""
        done = subprocess.run([os.path.join(fixture.BIN, "lianban"), "drill", word, "--config", self.config(name),
                               "--json", *options], capture_output=True, text=True, timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        said = json.loads(done.stdout) if done.stdout else {}
        return said.get("error", {}).get("detail", said)

    def end(self, name):
        """Whatever a test has left."""
        path = os.path.join(self.federation.members[name].state, "drill.yaml")
        if os.path.exists(path):
            os.unlink(path)

    def plan(self, name, *steps):
        path = os.path.join(self.federation.root, name + ".yaml")
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump({"drill": name, "steps": [
                {"fault": fault, "after_s": after, "for_s": lasts} for fault, after, lasts in steps]}, file)
        return path

    def collect(self, members):
        case_id = self.federation.window.open(members, form="drill")
        self.federation.window.ask(case_id)  # the mandate; nobody has to agree
        return self.federation.window.collect(case_id)

    def case(self):
        """What comes of a drill case: the fact's state, or the code behind it."""
        fact, = self.collect(SOMEBODY).facts
        return fact.code or fact.state

    def codes(self, name=DEPARTMENT):
        return [entry["code"] for entry in self.federation.entries(name, "--type", "admin")]

    def wait_for(self, code, name=DEPARTMENT):
        wait_until(lambda: code in self.codes(name)[self.before[name]:], SECONDS, code)

    def setUp(self):
        self.before = {name: len(self.codes(name)) for name in (DEPARTMENT, "broker")}
        for name in self.before:
            self.addCleanup(self.end, name)
        self.real = find_story(self.federation, "dibao-couple")["members"]

    def test_a_drill_from_its_start_to_its_report(self):
        expected = self.federation.window.apply(self.real).class_id
        self.assertEqual(self.case(), "ok")
        for seconds in (1, 5, 20):  # a machine that was held up meanwhile gets another chance
            name = f"morning-{seconds}"
            seen, told = self.whole_drill(name, seconds, expected)
            if set(seen) == {"ok", *_FAULTS.values()} and told:
                break
        self.assertEqual(set(seen), {"ok", *_FAULTS.values()})
        self.assertEqual(told, [name])
        self.assertEqual((self.case(), self.warnings()), ("ok", []))
        self.drill("show", code=1)
        self.judge_report(self.drill("report", "--drill", name), seen)

    def whole_drill(self, name, seconds, expected):
        """Faults one after the other; what drill cases came to, and what doctor said."""
        before, seen, told = len(self.codes()), [], []
        steps = [(fault, 2 + i * seconds, seconds) for i, fault in enumerate(_FAULTS)]
        steps[-1] = (*steps[-1][:2], seconds + 1)
        self.drill("start", self.plan(name, *steps), "--by", "li")
        self.assertEqual(self.drill("show")["by"], "li")
        end = time.monotonic() + 8 * seconds + SECONDS
        while "DRILL_ENDED" not in self.codes()[before:]:
            self.assertLess(time.monotonic(), end, "it did not end")
            seen.append(self.case())
            if seen[-1] == _LAST and not told:
                told = self.warnings()
                self.assertEqual(self.federation.window.apply(self.real).class_id, expected)
        seen.append(self.case())
        return seen, told

    def judge_report(self, report, seen):
        self.assertEqual(report["outcome"], "complete", report)
        for row in report["rows"]:
            self.assertEqual((row["appeared"], row["requests"]), ("yes", seen.count(_FAULTS[row["fault"]])), row)
            self.assertIn(row["well_after_s"], range(600), row)
        self.assertIn(report["rows"][-1]["noticed_after_s"], range(600))

    def warnings(self):
        """What the doctor says of drills."""
        done = subprocess.run([os.path.join(fixture.BIN, "lianban"), "doctor", "--config", self.config(), "--json"],
                              capture_output=True, text=True, timeout=SECONDS, check=False)
        return [row["value"] for row in json.loads(done.stdout)["rows"] if row["check"] == "drill"]

    def test_it_ends_though_the_node_was_away(self):
        process = self.federation.processes[DEPARTMENT]
        self.drill("start", self.plan("crash", ("source-away", 0, 2)), "--by", "li")
        self.wait_for("DRILL_STARTED")
        process.kill()
        began = time.monotonic()
        wait_until(lambda: time.monotonic() > began + 2, SECONDS, "its end")
        self.federation.restart(DEPARTMENT)
        self.wait_for("DRILL_ENDED")
        wait_until(lambda: self.case() == "ok", SECONDS, "all is well")
        report = self.drill("report", "--drill", "crash", code=1)
        self.assertEqual((report["outcome"], report["rows"][0]["appeared"]), ("incomplete", "no"))

    def test_a_broker_that_passes_no_drill_on(self):
        expected = self.federation.window.apply(self.real).class_id
        self.drill("start", self.plan("away", ("broker-away", 0, 3600)), "--by", "li", name="broker")
        self.wait_for("DRILL_STARTED", "broker")
        self.assertEqual(self.case(), "UNAVAILABLE")
        self.assertEqual(self.federation.window.apply(self.real).class_id, expected)
        second = self.plan("second", ("broker-away", 0, 1))
        self.assertIn("a drill is under way", self.drill("start", second, "--by", "li", name="broker", code=1))
        self.drill("stop", name="broker")
        self.wait_for("DRILL_STOPPED", "broker")
        self.assertEqual(self.case(), "ok")
        report = self.drill("report", "--drill", "away", name="broker", code=1)
        self.assertEqual((report["outcome"], report["rows"][0]["appeared"]), ("stopped", "yes"))
        again = self.plan("away", ("broker-away", 0, 1))
        self.assertIn("of this name", self.drill("start", again, "--by", "li", name="broker", code=1))

    def test_what_is_refused(self):
        plan = self.plan("refused", ("source-away", 0, 1))
        self.assertIn("takes no part", self.drill("start", plan, "--by", "li", name="education", code=1))
        self.assertIn("another kind of node", self.drill("start", plan, "--by", "li", name="broker", code=1))
        self.drill("start", plan, "--by", "li", "--at", "2020-01-01", code=1)
        self.drill("start", plan, "--by", "two\nlines", code=1)
        # Whoever lives is unknown to a drill, however much the department knows.
        real = [{**SOMEBODY[0], "id_no": self.real[0]["id_no"], "name": self.real[0]["name"]}]
        self.assertEqual(self.collect(real).class_id, "NOT_FOUND")
