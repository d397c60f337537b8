"""PostgreSQL as a federation of ten would run it: a server for each department and one in front, over TLS.

Each server has a folder and a certificate of its own and runs as nobody where the bench runs as root.
Both ends of every connection are checked: the server's name by whoever dials (sslmode=verify-full), the
dialler's certificate and its name by the server (clientcert=verify-full). Every read is logged by pgaudit.
"""

import glob
import os
import shutil
import signal
import subprocess
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(_HERE)
sys.path.append(os.path.join(_ROOT, "tests", "e2e"))

import processes  # noqa: E402
from servers import Server, postgres_tables  # noqa: E402

PACKAGES = ("postgresql-15", "postgresql-15-pgaudit")
FRONT, FDW_ACCOUNT, CLIENT_ACCOUNT = "front", "front", "counter"
_AUDITOR = "auditor"
_STOP_SECONDS = 10
# What is set for speed: a cache that holds all data, no compiler for queries of a millisecond, nothing in the
# background, one plan a session. Nothing is written but the audit: what is set for writing does not matter.
_SETTINGS = {
    "shared_buffers": "64MB", "jit": "off", "autovacuum": "off", "max_connections": "128",
    "wal_level": "minimal", "max_wal_senders": "0", "random_page_cost": "1.1", "checkpoint_timeout": "1h",
    "ssl": "on", "ssl_cert_file": "tls/own.pem", "ssl_key_file": "tls/own.key", "ssl_ca_file": "tls/ca.pem",
    "ssl_min_protocol_version": "TLSv1.3", "password_encryption": "scram-sha-256",
    "plan_cache_mode": "force_generic_plan",
    # Every statement that reads what this role may read is logged, once and with its parameters.
    "shared_preload_libraries": "pgaudit", "pgaudit.role": _AUDITOR, "pgaudit.log_parameter": "on",
    "logging_collector": "on", "log_directory": "audit",
    "log_filename": "audit.log", "log_rotation_size": "0", "log_rotation_age": "0",
    "log_line_prefix": "%m %u %h ",
}
_HBA = "local all postgres trust\nhostssl all all 127.0.0.1/32 cert clientcert=verify-full\n"


class StartFailed(processes.StartFailed):
    """A PostgreSQL server did not do what the bench needs; the text says which and what."""


def missing():
    """What to install before this can run; "" when nothing is missing."""
    library = _library()
    if library is None:
        return f"Debian package {PACKAGES[0]} is needed"
    if not os.path.exists(os.path.join(library, "lib", "pgaudit.so")):
        return f"Debian package {PACKAGES[1]} is needed"
    return ""


def _library():
    """The newest version's folder."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda path: int(path.split("/")[4]))
    return os.path.dirname(os.path.dirname(found[-1])) if found else None


def program(name):
    return os.path.join(_library(), "bin", name)


class Authority:
    """A CA of this run, by Debian's openssl; keys are P-256 as the federation's."""

    _NEW = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
            "2", "-batch")

    def __init__(self, folder):
        self._folder = folder
        os.makedirs(folder, exist_ok=True)
        self.ca = os.path.join(folder, "ca.pem")
        self._key = os.path.join(folder, "ca.key")
        self._run("-subj", "/CN=bench authority", "-out", self.ca, "-keyout", self._key)

    def issue(self, name, into, file="own"):
        """A certificate for 127.0.0.1 and this name, its key, and the CA's certificate, in a folder."""
        os.makedirs(into, exist_ok=True)
        self._run("-CA", self.ca, "-CAkey", self._key, "-subj", f"/CN={name}", "-addext",
                  "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
                  "-out", os.path.join(into, file + ".pem"), "-keyout", os.path.join(into, file + ".key"))
        shutil.copy(self.ca, into)

    def _run(self, *options):
        done = subprocess.run([*self._NEW, *options], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StartFailed(f"openssl: {done.stderr.strip()[-300:]}")


class Cluster(Server):
    """One server. Its folder has data/, and data/tls/ with its own certificate and, where it dials, others."""

    def __init__(self, name, port, base=None):
        super().__init__("pgfdw")
        self.name, self.port = name, port
        self.data = os.path.join(self.folder, "data")
        if base is None:
            self.run(program("initdb"), "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8",
                     "--locale=C", "--wal-segsize=1", "--no-instructions")
        else:
            self.run("cp", "-a", base.data, self.data)

    @property
    def pid(self):
        return self._process.pid

    def tls(self, file):
        return os.path.join(self.data, "tls", file)

    def launch(self, authority, accounts=()):
        """Writes its configuration and certificates (those it dials with by account) and starts it."""
        for name, file in ((self.name, "own"), *((account, account) for account in accounts)):
            authority.issue(name, os.path.join(self.data, "tls"), file)
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="ascii") as file:
            file.write(_HBA)
        settings = {**_SETTINGS, "port": self.port, "listen_addresses": "127.0.0.1",
                    "unix_socket_directories": self.folder, "cluster_name": self.name}
        with open(os.path.join(self.data, "postgresql.auto.conf"), "w", encoding="ascii") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self._own()
        self.start(program("postgres"), "-D", self.data)

    def ready(self):
        self.wait(lambda: self.sql("SELECT 1;"))

    def sql(self, text, database="postgres"):
        """As superuser over its own socket, which nobody else reaches."""
        return self.run(program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port),
                        "-U", "postgres", "-d", database, given=text)

    def audited(self):
        """Lines of pgaudit so far."""
        path = os.path.join(self.data, "audit", "audit.log")
        with open(path, encoding="utf-8", errors="replace") as file:
            return sum(" AUDIT: " in line for line in file)

    def cpu_seconds(self):
        """Processor time of the server and of its backends, those that have ended included."""
        tick = os.sysconf("SC_CLK_TCK")
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        return sum(_ticks(pid, slice(11, 13)) for pid in children) / tick + \
            _ticks(self.pid, slice(11, 15)) / tick

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # ends its sessions first
            try:
                self._process.wait(_STOP_SECONDS)
                self._process = None
            except subprocess.TimeoutExpired:
                pass
        super().stop()

    def _own(self):
        """Keys are for the server's account alone."""
        folder = os.path.join(self.data, "tls")
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if os.geteuid() == 0:
                shutil.chown(path, os.stat(self.folder).st_uid, os.stat(self.folder).st_gid)
            os.chmod(path, 0o600)


def _ticks(pid, which):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return sum(map(int, file.read().rpartition(")")[2].split()[which]))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def sections(path=os.path.join(_HERE, "pgfdw_views.sql")):
    """The SQL of each department; what comes before and after it is for all."""
    with open(path, encoding="utf-8") as file:
        parts = file.read().split("\n--department: ")[1:]
    return {name: sql for name, _, sql in (part.partition("\n") for part in parts)}


class Servers:
    """Ten departments with the demo's data behind one front, as a context; gone when it ends."""

    def __init__(self, databases, departments):
        self._databases, self.departments = databases, tuple(departments)
        self.front, self.clusters, self._folder = None, {}, None

    def __enter__(self):
        try:
            self._begin()
        except AssertionError as error:
            self.__exit__()
            raise StartFailed(str(error)) from None
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for cluster in (self.front, *self.clusters.values()):
            if cluster is not None:
                cluster.stop()
        self.front, self.clusters = None, {}

    @property
    def all(self):
        return (self.front, *self.clusters.values())

    def location(self):
        """How the window's own account reaches the front."""
        return (f"host=127.0.0.1 port={self.front.port} dbname=postgres user={CLIENT_ACCOUNT} sslmode=verify-full "
                f"sslrootcert={self.front.tls('ca.pem')} sslcert={self.front.tls(CLIENT_ACCOUNT + '.pem')} "
                f"sslkey={self.front.tls(CLIENT_ACCOUNT + '.key')}")

    def option(self, options):
        """The foreign servers' options as a dictionary, and no others."""
        for name in self.departments:
            known = self._known(name)
            words = [f"{'SET' if key in known else 'ADD'} {key} '{value}'" for key, value in options.items()]
            words += [f"DROP {key}" for key in known & _TUNED - set(options)]
            if words:
                self.front.sql(f'ALTER SERVER "{name}" OPTIONS ({", ".join(words)});')

    # --- inside ---

    def _begin(self):
        ports = processes.free_ports(len(self.departments) + 1)
        self.front = Cluster(FRONT, ports[0])
        for name, port in zip(self.departments, ports[1:]):
            self.clusters[name] = Cluster(name, port, base=self.front)
        authority = Authority(os.path.join(self.front.folder, "authority"))
        for cluster in self.all:
            cluster.launch(authority, (FDW_ACCOUNT, CLIENT_ACCOUNT) if cluster is self.front else ())
        shared = sections()
        for name, cluster in self.clusters.items():
            cluster.ready()
            cluster.sql(_department(os.path.join(self._databases, name + ".db"),
                                    shared["before"] + shared[name] + shared["after"]))
        self.front.ready()
        self.front.sql(self._gathering())

    def _gathering(self):
        """The front: a foreign table a department, and all of them in one view that the window may read."""
        lines = ["CREATE EXTENSION postgres_fdw;", f"CREATE ROLE {CLIENT_ACCOUNT} LOGIN;", "CREATE SCHEMA gathered;"]
        for name, cluster in self.clusters.items():
            lines += [
                f'CREATE SERVER "{name}" FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host \'127.0.0.1\', '
                f"port '{cluster.port}', dbname 'postgres', sslmode 'verify-full', sslrootcert "
                f"'{self.front.tls('ca.pem')}', keep_connections 'on');",
                f'CREATE USER MAPPING FOR PUBLIC SERVER "{name}" OPTIONS (user \'{FDW_ACCOUNT}\', sslcert '
                f"'{self.front.tls(FDW_ACCOUNT + '.pem')}', sslkey '{self.front.tls(FDW_ACCOUNT + '.key')}', "
                "password_required 'false');",
                f'CREATE FOREIGN TABLE gathered."{name}" (id_no text, fact text, value text, as_of text) SERVER '
                f"\"{name}\" OPTIONS (schema_name 'given', table_name 'facts');"]
        arms = [f"SELECT '{name}'::text AS department, id_no, fact, value, as_of FROM gathered.\"{name}\""
                for name in self.departments]
        lines += ["CREATE VIEW facts AS " + " UNION ALL ".join(arms) + ";",
                  f"CREATE ROLE {_AUDITOR};", f"GRANT SELECT ON facts TO {CLIENT_ACCOUNT}, {_AUDITOR};"]
        return "\n".join(lines)

    def _known(self, name):
        text = self.front.sql(f"SELECT unnest(srvoptions) FROM pg_foreign_server WHERE srvname = '{name}';")
        return {line.partition("=")[0] for line in text.splitlines()}


_TUNED = frozenset(("async_capable", "parallel_commit", "fetch_size", "use_remote_estimate"))


def _department(path, views):
    """Its tables, filled and indexed, its masking view, and the one account that may read that."""
    return (postgres_tables(path) + views + f"\nCREATE ROLE {FDW_ACCOUNT} LOGIN;\n"
            f"GRANT USAGE ON SCHEMA given TO {FDW_ACCOUNT};\n"
            f"CREATE ROLE {_AUDITOR};\nGRANT SELECT ON given.facts TO {FDW_ACCOUNT}, {_AUDITOR};\n"
            "VACUUM (FREEZE, ANALYZE);\n")
