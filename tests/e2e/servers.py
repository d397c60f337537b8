"""Real database servers for end-to-end tests: each in a folder of its own, ended with the test.

A server refuses to run as root, so it runs as nobody where the tests are root.
"""

import contextlib
import ctypes
import glob
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

_NOBODY = 65534
_READY_SECONDS = 60
_PR_SET_PDEATHSIG = 1
_TYPES = {"TEXT": "text", "INTEGER": "bigint", "REAL": "double precision", "BLOB": "bytea"}


def _become():
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """A program that stays, with its folder."""

    def __init__(self, name):
        self.folder = tempfile.mkdtemp(prefix=f"lb-{name}-", dir="/tmp")
        if os.geteuid() == 0:
            os.chown(self.folder, _NOBODY, _NOBODY)
        self._process = None

    def run(self, *argv, given=None):
        done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False, timeout=120,
                              cwd=self.folder, preexec_fn=_become, encoding="utf-8")
        if done.returncode != 0:
            raise AssertionError(f"{argv[0]}: {done.stderr[-2000:]}")
        return done.stdout

    def start(self, *argv):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             cwd=self.folder, preexec_fn=_become, start_new_session=True)

    def wait(self, answers):
        end = time.monotonic() + _READY_SECONDS
        while time.monotonic() < end:
            try:
                return answers()
            except AssertionError:
                time.sleep(0.1)
        return answers()

    def signal(self, number):
        """To the program and its children, which may lead groups of their own."""
        parent = self._process.pid
        with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as file:
            children = [int(pid) for pid in file.read().split()]
        os.kill(parent, number)
        for pid in children:
            with contextlib.suppress(ProcessLookupError):  # a session may end meanwhile
                os.kill(pid, number)
        if number == signal.SIGSTOP:  # on a busy machine a thread may answer for a while yet
            os.waitid(os.P_PID, parent, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def kill(self):
        if self._process is not None:
            self.signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres(Server):
    """A PostgreSQL server with a superuser `postgres`; an account `reader` may read its databases."""

    def __init__(self):
        super().__init__("pg")
        self._bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self._data = os.path.join(self.folder, "data")
        self.run(self.program("initdb"), "-D", self._data, "-U", "postgres", "-A", "trust",
                 "--no-sync", "-E", "UTF8", "--locale=C")
        self.launch()
        self.sql("postgres", "CREATE ROLE reader LOGIN;")

    def launch(self):
        self.start(self.program("postgres"), "-D", self._data, "-k", self.folder,
                   "-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=32MB")
        self.wait(lambda: self.sql("postgres", "SELECT 1;"))

    def program(self, name):
        return os.path.join(self._bin, name)

    def sql(self, database, text):
        return self.run(self.program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
                        "-U", "postgres", "-d", database, given=text)

    def location(self, database, user="reader"):
        return f"host={self.folder} dbname={database} user={user}"

    def odbc(self, database, user="reader"):
        return f"Driver={{PostgreSQL Unicode}};Servername={self.folder};Database={database};UID={user}"

    def refusing(self):
        """Accounts `pw`, which has a password, and `full`, for which there is no connection."""
        with open(os.path.join(self._data, "pg_hba.conf"), "w", encoding="ascii") as file:
            file.write("local all pw scram-sha-256\nlocal all all trust\n")
        self.sql("postgres", "CREATE ROLE pw LOGIN PASSWORD 'let me in';"
                             "CREATE ROLE full LOGIN CONNECTION LIMIT 0; SELECT pg_reload_conf();")

    def load(self, database, path, yuan=()):
        """Copies an SQLite file. Columns `table.column` of `yuan` hold cents there and yuan here."""
        self.sql("postgres", f'CREATE DATABASE "{database}";')
        text = postgres_tables(path, yuan)
        self.sql(database, text + "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; ANALYZE;")


class MariaDb(Server):
    """A MariaDB server; an account `reader` may read its databases."""

    _TYPES = {"TEXT": "varchar(190)", "INTEGER": "bigint", "REAL": "double", "BLOB": "blob"}

    def __init__(self):
        super().__init__("my")
        data, self._socket = os.path.join(self.folder, "data"), os.path.join(self.folder, "sock")
        self.run("/usr/bin/mariadb-install-db", "--no-defaults", "--datadir=" + data, "--skip-name-resolve",
                 "--auth-root-authentication-method=normal")
        self._data = data
        self.launch()
        self.sql("CREATE USER reader@localhost;")

    def launch(self):
        self.start("/usr/sbin/mariadbd", "--no-defaults", "--datadir=" + self._data, "--socket=" + self._socket,
                   "--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--pid-file=pid",
                   "--character-set-server=utf8mb4")
        self.wait(lambda: self.sql("SELECT 1;"))

    def refusing(self):
        """As Postgres.refusing; `full` was there once already in this hour."""
        self.sql("CREATE USER pw@localhost IDENTIFIED BY 'let me in';"
                 "CREATE USER full@localhost WITH MAX_CONNECTIONS_PER_HOUR 1;")
        self.run("/usr/bin/mariadb", "--no-defaults", "--socket=" + self._socket, "-ufull", "-e", "SELECT 1")

    def sql(self, text):
        return self.run("/usr/bin/mariadb", "--no-defaults", "--socket=" + self._socket, "-uroot", "-N", "-B",
                        "--default-character-set=utf8mb4", given=text)

    def location(self, database, user="reader"):
        return f"Driver={{MariaDB Unicode}};Socket={self._socket};Database={database};UID={user}"

    def load(self, database, path, yuan=()):
        """As Postgres.load."""
        source = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        text = [f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4; USE `{database}`;\n"]
        for (table,) in source.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"):
            described = source.execute(f"PRAGMA table_info({table})").fetchall()
            types = ["decimal(16,2)" if f"{table}.{name}" in yuan else self._TYPES[kind]
                     for _, name, kind, *_ in described]
            columns = ", ".join(f"`{name}` {kind}" for (_, name, *_), kind in zip(described, types))
            text.append(f"CREATE TABLE `{table}` ({columns});\n")
            rows = source.execute(f"SELECT * FROM {table}").fetchall()
            text += [f"INSERT INTO `{table}` VALUES ({', '.join(map(_literal, row, types))});\n" for row in rows]
        text += [sql + ";\n" for (sql,) in source.execute(
            "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")]
        source.close()
        self.sql("SET autocommit = 0;" + "".join(text) + "COMMIT;"
                 f"GRANT SELECT ON `{database}`.* TO reader@localhost;")


def _literal(value, kind):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if kind == "decimal(16,2)":
        return _field(value, "numeric(16,2)")
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    return str(value)


def postgres_tables(path, yuan=()):
    """SQL that makes the tables of an SQLite file in PostgreSQL, with their rows and indexes; `yuan` as for
    Postgres.load."""
    source = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        text = "".join(_copied(source, table, yuan) for (table,) in source.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"))
        return text + "".join(sql + ";\n" for (sql,) in source.execute(
            "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"))
    finally:
        source.close()


def _copied(source, table, yuan):
    described = source.execute(f"PRAGMA table_info({table})").fetchall()
    columns = [(name, kind) for _, name, kind, *_ in described]
    keys = [f'CREATE INDEX {table}_{name} ON {table} ("{name}");\n' for _, name, *_, key in described if key]
    types = ["numeric(16,2)" if f"{table}.{name}" in yuan else _TYPES[kind] for name, kind in columns]
    declared = ", ".join(f'"{name}" {kind}' for (name, _), kind in zip(columns, types))
    lines = [f"CREATE TABLE {table} ({declared});\n",
             f"COPY {table} FROM STDIN;\n"]
    for row in source.execute(f"SELECT * FROM {table}"):
        lines.append("\t".join(map(_field, row, types)) + "\n")
    return "".join(lines) + "\\.\n" + "".join(keys)


def _field(value, kind):
    if value is None:
        return "\\N"
    if kind == "numeric(16,2)":
        return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02}"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
