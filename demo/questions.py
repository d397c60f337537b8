#!/usr/bin/env python3
"""Asks a department's log every question of docs/OFFICERS.md on the demo's data, and prints each command
with what it says, as Markdown."""

import argparse
import datetime
import os
import shlex
import subprocess
import sys
import tempfile

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(os.path.dirname(_HERE), "tests", "interop")]

from federation import Federation  # noqa: E402
from generate import DEFAULT_SEED  # noqa: E402
from hostile import refusals  # noqa: E402
from officers import Officer  # noqa: E402
from processes import wait_until  # noqa: E402
from tell import Narrator  # noqa: E402

_PEOPLE, _HOUSEHOLDS = 60, 6
_OWN = "tax"
_LINES, _WIDTH = 14, 130
_AGAIN = ("log: ", "entries in the index", "index of", "entries behind", "seconds behind")


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", default=os.path.join(os.path.dirname(_HERE), ".build", "bin"), metavar="DIR",
                        help="the programs; default .build/bin")
    return parser.parse_args()


class Asking:
    """One officer's terminal."""

    def __init__(self, federation):
        self._federation = federation
        self._officer = Officer(federation, _OWN).enrol(2)
        self._officer.index()
        self._shown = False
        wait_until(lambda: "rows" in self._officer.ask("log", "admin", may_fail=True), 20, "the listing")
        self._officer.index()

    def rows(self, *words):
        return self._officer.ask(*words, "--limit", "1000")["rows"]

    def log(self):
        return self._federation.members[_OWN].state

    def show(self, number, *words, given=None, officer=True, index=True):
        """Runs a command and prints it as the officer typed it."""
        own = ["--index", self._officer.index_folder] if index else []
        own += ["--officer", self._officer.profile] if officer else []
        done = subprocess.run([os.path.join(self._federation.binaries, "lianban"), *words, *own, "--language", "en"],
                              input=given, capture_output=True, text=True, check=False)
        typed = shlex.join(["lianban", *words]) + (" --index tax-index" if index else "")
        typed += " --officer officer.yaml" if officer else ""
        print(f"**{number}**\n\n```\n$ {self._shorten(typed)}")
        lines = (done.stdout or done.stderr).rstrip().split("\n")
        if self._shown:  # the lines under every answer, once
            lines = [line for line in lines if not line.startswith(_AGAIN)]
        self._shown = True
        for line in lines[:_LINES]:
            print(self._shorten(line)[:_WIDTH].rstrip())
        if len(lines) > _LINES:
            print("…")
        print("```\n")

    def _shorten(self, line):
        return line.replace(self._officer.folder, "D").replace(self._federation.root, "D")


def ask_all(federation):
    person = federation.households[0]["members"][0]["id_no"]
    asking = Asking(federation)
    reads = asking.rows("log", "query", "--type", "read")
    actor = next(row["operator"] for row in reads if row["operator"])
    asking.show("1", "log", "status", officer=False)
    asking.show("2", "who-saw", "--document", "-", "--reason", "complaint 17", "--limit", "3", given=person)
    asking.show("3", "log", "did", actor, "--limit", "3")
    asking.show("4", "log", "txn", reads[0]["txn"])
    asking.show("6", "log", "verify", asking.log(), "--directory", federation.material.directory, "--signer",
                federation.material.directory_vkey, officer=False, index=False)
    asking.show("8", "log", "emergencies")
    asking.show("12", "log", "totals", "--by", "operator,hour", "--limit", "5")
    asking.show("15", "log", "denials", "--limit", "5")
    asking.show("16", "log", "query", "--code", "GRANT_EXPIRED")
    asking.show("17", "log", "first-use", "--office", "--limit", "5")
    asking.show("19", "log", "repeats", "--days", "1", "--limit", "3")
    asking.show("21", "log", "admin", "--limit", "6")
    asking.show("22", "log", "erasures")
    asking.show("24", "log", "totals", "--by", "purpose,class")
    asking.show("25", "who-saw", "--document", "-", "--citizen", "--limit", "3", given=person)


def main():
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="lianban-questions-") as folder:
        federation = Federation(folder, arguments.bin)
        federation.populate(DEFAULT_SEED, _PEOPLE, datetime.date.today())
        federation.make()
        federation.start()
        try:
            for household in federation.households[:_HOUSEHOLDS]:
                federation.window.apply(household["members"])
            with open(os.devnull, "w", encoding="utf-8") as nobody:
                refusals(federation, Narrator(nobody))
            ask_all(federation)
        finally:
            federation.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
