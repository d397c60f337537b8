"""Writes the ten departments' databases from the hidden population.

Each department has its own schema (schema/<id>.sql), its own keys and its own as-of date. A file is
filled in one transaction without journal or sync, indexed, and left with a rollback journal, so that
it is one plain file that anybody opens read-only.
"""

import os
import sqlite3

import records

# id: days its data lag behind today
LAG_DAYS = {
    "public-security": 1,
    "civil-affairs": 2,
    "social-security": 3,
    "medical-insurance": 4,
    "health": 2,
    "education": 9,
    "housing": 6,
    "tax": 5,
    "disabled-federation": 7,
    "finance": 1,
}
_BATCH = 20000
_HERE = os.path.dirname(os.path.abspath(__file__))


class _Writer:
    """Collects rows per table and inserts them in batches."""

    def __init__(self, connection):
        self._connection = connection
        self._rows = {}
        self._sql = {}

    def put(self, table, row):
        rows = self._rows.get(table)
        if rows is None:
            rows = self._rows[table] = []
            self._sql[table] = f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})"
        rows.append(row)
        if len(rows) >= _BATCH:
            self._flush(table)

    def finish(self):
        for table in self._rows:
            self._flush(table)

    def _flush(self, table):
        self._connection.executemany(self._sql[table], self._rows[table])
        self._rows[table].clear()


def _schema(department):
    """The schema's tables and its indexes, made before and after the rows."""
    with open(os.path.join(_HERE, "schema", department + ".sql"), encoding="utf-8") as file:
        tables, indexes = file.read().split("\n--\n")
    return tables, indexes


def _write(department, population, path):
    tables, indexes = _schema(department)
    if os.path.exists(path):
        os.unlink(path)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(tables)
        connection.execute("BEGIN")
        writer = _Writer(connection)
        records.FILL[department](population, writer)
        writer.put("data_as_of", (population.day(-LAG_DAYS[department]),))
        writer.finish()
        connection.execute("COMMIT")
        connection.executescript(indexes)
        connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()


def write_all(population, out_dir):
    """Writes <out_dir>/<department>.db for every department; existing ones are replaced."""
    os.makedirs(out_dir, exist_ok=True)
    for department in LAG_DAYS:
        _write(department, population, os.path.join(out_dir, department + ".db"))
