"""What is noticed by itself in a running department's log, what is done about it, and the month's report.

The cases of test_officer.py's federation, in a file of their own.
"""

import datetime
import html.parser
import os
import shlex
import shutil
import subprocess

import fixture

_ROOT = os.path.join(fixture.ROOT, "policy", "review")
_ZONE = datetime.timedelta(hours=8)
_VOID = {"meta", "br", "input", "img", "rect", "link"}


class _Page(html.parser.HTMLParser):
    """The rows of a report, and whether every element ends where it should."""

    def __init__(self):
        super().__init__()
        self.open, self.rows, self.text, self.metas, self.outside = [], {}, "", [], []
        self._row = None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "meta":
            self.metas.append(attrs)
        self.outside += [value for name, value in attrs.items()
                         if name in ("src", "href") and not value.startswith("#")]
        if tag == "tr" and attrs.get("id", "").startswith("e"):
            self._row = int(attrs["id"][1:])
            self.rows[self._row] = {"attributes": attrs, "cells": []}
        if tag == "td" and self._row is not None:
            self.rows[self._row]["cells"].append("")

    def handle_endtag(self, tag):
        if tag in _VOID:
            return
        assert self.open and self.open[-1] == tag, f"</{tag}> inside {self.open[-3:]}"
        self.open.pop()
        if tag == "tr":
            self._row = None

    def handle_data(self, data):
        self.text += data
        if self._row is not None and self.rows[self._row]["cells"]:
            self.rows[self._row]["cells"][-1] += data + "\n"


class Cases:
    """A mixin: `world` gives the federation, the officer, and the adapter's READ entries."""

    def world(self):
        raise NotImplementedError

    def setUp(self):
        self.federation, self.officer, self.reads = self.world()
        self.folder = os.path.join(self.officer.folder, "review-" + self._testMethodName)
        os.makedirs(self.folder, mode=0o700)
        self.queue = os.path.join(self.folder, "queue")
        self.rules = shutil.copy(os.path.join(_ROOT, "rules.yaml"), self.folder)
        self.lists = os.path.join(self.folder, "lists.yaml")
        answered = [e["detail"] for e in self.reads if e["detail"]["code"] == "OK"]
        self.relative, self.honey = answered[0], next(
            detail for detail in answered if detail["subject"] != answered[0]["subject"])
        with open(os.path.join(_ROOT, "calendar.yaml"), encoding="utf-8") as file:
            calendar = file.read()
        calendar = calendar.replace("08:30-17:30", "00:00-24:00").replace("  # saturday", "  saturday").replace(
            "  # sunday", "  sunday").replace("09:00-12:00", "00:00-24:00")
        with open(os.path.join(self.folder, "calendar.yaml"), "w", encoding="utf-8") as file:
            file.write(calendar)  # whenever the test runs, windows are open
        with open(self.lists, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(f"honey: ['{self.honey['subject']}']\nkin:\n  - {{actor: '{self.relative['actor']}', "
                       f"subject: '{self.relative['subject']}', relation: relative}}\n")

    def scan(self):
        return self.federation.material.lianban(
            "review", "scan", "--index", self.officer.index_folder, "--state", self.queue, "--rules", self.rules,
            "--lists", self.lists)

    def alert(self, rule):
        rows = self.federation.material.lianban("review", "list", "--state", self.queue, "--rule", rule)["rows"]
        self.assertEqual({row["state"] for row in rows}, {"open"})
        return rows

    def show(self, number):
        return self.federation.material.lianban("review", "show", str(number), "--state", self.queue)

    def entries_of(self, rule):
        return sorted(int(index) for row in self.alert(rule) for index in self.show(row["id"])["entries"].split())

    def test_planted_misuse_comes_up(self):
        found = self.scan()
        self.assertGreaterEqual(found["accesses"], len(self.reads))
        details = [(e["index"], e["detail"]) for e in self.reads]
        self.assertEqual(self.entries_of("honey"),
                         [i for i, d in details if d.get("subject") == self.honey["subject"]])
        self.assertEqual(self.entries_of("own-relative"),
                         [i for i, d in details if d.get("subject") == self.relative["subject"]
                          and d.get("actor") == self.relative["actor"]])
        self.assertEqual(self.scan()["looked_at"], 0)

    def test_every_step_is_an_entry(self):
        self.scan()
        number = str(self.alert("own-relative")[0]["id"])
        steps = [("assign", ["--to", "wang"]), ("explain", ["--text", "his own mother, another had left"])]
        for word, options in steps:
            self.officer.ask("review", word, number, *options, "--state", self.queue)
        # The same login, and the alert is grave.
        answer = self.officer.ask("review", "close", number, "--as", "misuse", "--reason", "told to the superior",
                                  "--state", self.queue, may_fail=True)
        self.assertEqual(answer["error"]["code"], "REVIEW_STATE")
        acts = self.show(number)["rows"]
        entries = {e["index"]: e for e in self.federation.entries(self.officer_member(), details=True)}
        self.assertEqual([act["what"] for act in acts], ["ASSIGNED", "EXPLAINED"])
        for act in acts:
            entry = entries[act["entry"]]
            self.assertEqual((entry["type"], entry["code"]), ("REVIEW", "REVIEW_" + act["what"]))
            self.assertIn("hash=" + act["hash"], entry["detail"]["query"].replace("-", ""))
            self.assertNotIn("mother", entry["detail"]["query"])
        self.assertEqual(self.federation.material.lianban("review", "verify", "--state", self.queue)["acts"], 2)

    def officer_member(self):
        return os.path.basename(self.officer.folder).rsplit("-", 1)[0]

    def test_the_month_as_a_page(self):
        self.scan()
        path = os.path.join(self.folder, "month.html")
        month = (datetime.datetime.fromisoformat(self.reads[0]["time"][:19]) + _ZONE).strftime("%Y-%m")
        made = self.officer.ask("log", "report", "--month", month, "--out", path, "--rules", self.rules, "--state",
                                self.queue)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, encoding="utf-8") as file:
            page = _Page()
            page.feed(file.read())
        page.close()
        self.assertEqual((page.open, page.outside), ([], []))
        self.assertEqual(made["accesses"], len(page.rows))
        for entry in self.reads:
            if (datetime.datetime.fromisoformat(entry["time"][:19]) + _ZONE).strftime("%Y-%m") != month:
                continue
            row = page.rows[entry["index"]]
            self.assertIn(entry["leaf_hash"], row["cells"][-1])
            self.assertEqual(row["attributes"]["data-n"], entry["detail"].get("case", ""))
        self.assertIn("script-src 'sha256-", next(m["content"] for m in page.metas if "http-equiv" in m))
        self.assertIn("A honey record was looked up", page.text)
        self.prove(page.rows[self.reads[0]["index"]]["cells"][-1])

    def prove(self, cell):
        """The command as the row has it, and whose key the log's is."""
        material = self.federation.material
        words = shlex.split(cell[cell.index("lianban "):])[1:]
        out = os.path.join(self.folder, "proof")
        binary = os.path.join(self.federation.binaries, "lianban")
        keys = ["--directory", material.directory, "--signer", material.directory_vkey]
        proved = subprocess.run([binary, *words, *keys, "--out", out], capture_output=True, text=True, check=False,
                                timeout=60)
        self.assertEqual(proved.returncode, 0, proved.stderr)
        checked = subprocess.run([binary, "log", "check-proof", out, *keys], capture_output=True, text=True,
                                 check=False, timeout=60)
        self.assertEqual(checked.returncode, 0, checked.stderr)
