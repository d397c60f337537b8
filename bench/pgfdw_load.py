"""Drives the look-up with PostgreSQL's own pgbench: prepared statements over persistent TLS connections."""

import glob
import math
import os
import resource
import statistics
import tempfile

from measure import LoadFailed
from pgfdw_servers import program

_LOOK_UP = (
    "SELECT department, fact, CASE WHEN fact IN ('name_same', 'household_same') THEN (value = encode(sha256("
    "convert_to(:id{n}::text || '|' || CASE fact WHEN 'name_same' THEN :name{n}::text ELSE :id{n}::text END, 'UTF8'))"
    ", 'hex'))::int::text ELSE value END AS value, as_of FROM facts WHERE id_no = :id{n}::text{end}\n")

_ENOUGH = 2    # times every client has used every statement


def look_up(number, end=";"):
    """The statement about the applicant of this number, with pgbench's variables for the parameters."""
    return _LOOK_UP.format(n=number, end=end)


def counted(lines, warm_us):
    """The figures of a transaction log: (ended, n, seconds, sorted milliseconds). Counted is what ends after the
    warm time, but no client's first use of a statement, in which it is planned; seconds lie between the first
    such end and the last, and n is one less than there were, as for our own load (run.h)."""
    ends = []
    for line in lines:
        client, _, micros, script, epoch, fraction = line.split()[:6]
        ends.append((int(epoch) * 1000000 + int(fraction), int(micros), (client, script)))
    ends.sort()
    seen, kept = set(), []
    for at, micros, statement in ends:
        if statement in seen and at >= ends[0][0] + warm_us:
            kept.append((at, micros / 1000))
        seen.add(statement)
    if len(kept) < 2:
        raise LoadFailed("pgbench ended too few look-ups to say anything")
    return len(ends), len(kept) - 1, (kept[-1][0] - kept[0][0]) / 1e6, sorted(ms for _, ms in kept[1:])


def percentile(ordered, percent):
    """By nearest rank, as our own load has it."""
    return ordered[(len(ordered) * percent + 99) // 100 - 1]


def figures(lines, warm_us):
    """As bench-load prints them."""
    ended, n, seconds, times = counted(lines, warm_us)
    return {"ended": ended, "n": n, "failed": 0, "seconds": round(seconds, 3), "per_second": round(n / seconds, 2),
            "mean_ms": round(statistics.fmean(times), 3), "p50_ms": percentile(times, 50),
            "p99_ms": percentile(times, 99)}


class Load:
    """The look-ups of some applicants, ready to be run again and again."""

    def __init__(self, servers, applicants):
        self._servers, self.applicants = servers, applicants
        self.ended = 0    # look-ups so far
        self._folder = tempfile.mkdtemp(dir=servers.front.folder)
        os.chmod(self._folder, 0o777)  # pgbench writes there as whoever the servers are
        self._scripts = []
        for number in range(len(applicants)):
            path = os.path.join(self._folder, f"{number}.sql")
            with open(path, "w", encoding="utf-8") as file:
                file.write(look_up(number))
            self._scripts.append(path)

    def run(self, in_flight, seconds, warm_ms):
        """So many look-ups at a time, on as many connections; figures as of bench-load, with processor time."""
        before, load_before, ended_before = self._used(), _children(), self.ended
        lines = []
        # A machine that has other work may need longer to say anything.
        for times in (1, 2, 4, 8):
            lines = self._pgbench(in_flight, math.ceil(times * (seconds + warm_ms / 1000)))
            self.ended += len(lines)
            if len(lines) > _ENOUGH * in_flight * len(self.applicants):
                break
        found = figures(lines, warm_ms * 1000)
        used = {role: spent - before[role] for role, spent in self._used().items()}
        used["load"] = _children() - load_before
        found["cpu_ms"] = {role: 1000 * spent / (self.ended - ended_before) for role, spent in used.items()}
        return found

    def answer(self, number):
        """One look-up's rows: {(department, fact): (value, as_of)}; a value that is unknown is None."""
        id_no, name = self.applicants[number]
        given = f"\\set id{number} '{id_no}'\n\\set name{number} '{name}'\n"
        statement = look_up(number).replace(f":id{number}", f":'id{number}'").replace(f":name{number}",
                                                                                     f":'name{number}'")
        text = self._psql(given + "\\pset null NULL\n\\pset fieldsep '\\t'\n" + statement)
        rows = (line.split("\t") for line in text.splitlines())
        return {(department, fact): (None if value == "NULL" else value, as_of)
                for department, fact, value, as_of in rows}

    def plan(self):
        """EXPLAIN of the first look-up as the load has it."""
        return self._psql("PREPARE l(text, text) AS " + look_up(0).replace(":id0", "$1").replace(":name0", "$2")
                          + "EXPLAIN (VERBOSE, COSTS OFF) EXECUTE l('x', 'y');")

    def _pgbench(self, in_flight, seconds):
        """The transaction log's lines of one run."""
        prefix = os.path.join(self._folder, "log")
        command = [program("pgbench"), "-n", "-M", "prepared", "-c", str(in_flight), "-j", "1", "-T", str(seconds),
                   "-l", "--log-prefix", prefix]
        for number, (id_no, name) in enumerate(self.applicants):
            command += ["-D", f"id{number}={id_no}", "-D", f"name{number}={name}", "-f", self._scripts[number]]
        try:
            self._servers.front.run(*command, self._servers.location())
        except AssertionError as error:
            raise LoadFailed(str(error)) from None
        return _taken(prefix)

    def _psql(self, text):
        return self._servers.front.run(program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1",
                                       self._servers.location(), given=text)

    def _used(self):
        return {"front": self._servers.front.cpu_seconds(),
                "departments": sum(each.cpu_seconds() for each in self._servers.clusters.values())}


def _taken(prefix):
    """The transaction log's lines; the files go."""
    lines = []
    for path in glob.glob(prefix + ".*"):
        with open(path, encoding="ascii") as file:
            lines += file.readlines()
        os.unlink(path)
    return lines


def _children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


