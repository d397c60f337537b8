"""What a case should come to, by SQL over the departments' own databases (outcomes/)."""

import os
import sqlite3

import fixture
from expected import normal_name
from members import DEPARTMENTS

OUTCOMES = os.path.join(fixture.ROOT, "tests", "e2e", "outcomes")


class Outcomes:
    """The departments' databases side by side, read-only, as nobody else has them."""

    def __init__(self, folder, today):
        self._today = today.isoformat()
        self._connection = sqlite3.connect("file::memory:", uri=True)
        self._connection.row_factory = sqlite3.Row
        self._connection.create_function("normal", 1, lambda name: name and normal_name(name))
        for department in DEPARTMENTS:
            path = os.path.join(folder, department + ".db")
            self._connection.execute(f"ATTACH 'file:{path}?mode=ro' AS {department.replace('-', '_')}")
        self._connection.execute("CREATE TEMP TABLE declared (role TEXT, id_no TEXT, name TEXT)")
        self._sql = {}

    def close(self):
        self._connection.close()

    def judge(self, case):
        """{class, and the form's amounts} of a case."""
        if case["form"] not in self._sql:
            with open(os.path.join(OUTCOMES, case["form"] + ".sql"), encoding="utf-8") as file:
                self._sql[case["form"]] = file.read()
        self._connection.execute("DELETE FROM declared")
        self._connection.executemany("INSERT INTO declared VALUES (:role, :id_no, :name)", case["members"])
        row, = self._connection.execute(self._sql[case["form"]], {"today": self._today}).fetchall()
        return dict(row)
