"""Ends one of two brokers while cases run, again and again, and checks that every case finishes with its
class, none is used twice, and the one that was ended serves again.

For `crash.py --brokers` and, in short, for tests/e2e.
"""

import collections
import datetime
import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import yaml

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(_HERE, "..", "..", "demo"), os.path.join(_HERE, "..", "interop")]

from aftermath import wrong_logs, wrong_uses  # noqa: E402
from federation import Federation  # noqa: E402
from generate import DEFAULT_SEED  # noqa: E402
from load import collected, opened  # noqa: E402
from members import DEPARTMENTS  # noqa: E402
from processes import wait_until  # noqa: E402

PEOPLE = 400
DEADLINE_MS = 25000  # a machine that stands still for a while is no failure of theirs
IN_FLIGHT = 8
ENDS = (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP)
BACK_SECONDS = 40
_LISTENING = "0A"


class Failover:
    """A running federation with two brokers, one of which ends in the middle."""

    def __init__(self, federation, seed):
        self.federation, self._dice = federation, random.Random(seed)
        self.wrong, self.classes = [], collections.Counter()
        self.cases = self.reanswers = 0
        self.slowest = 0.0
        self._lock = threading.Lock()
        self._done = 0

    def round(self, num, victim, how=signal.SIGKILL):
        """`num` cases, of which a broker lives to see only some."""
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            ready = list(pool.map(self._open, range(num)))
            before, self._done = self._done, 0
            ender = threading.Thread(target=self._end, args=(self._dice.randrange(1, max(num // 2, 2)), victim, how))
            ender.start()
            for sentence in pool.map(self._collect, ready):
                self.wrong += sentence
            ender.join()
        self._done += before
        self.cases += num
        for department in DEPARTMENTS:
            wrong, reanswers = wrong_uses(self.federation, department)
            self.wrong += wrong
            self.reanswers = max(self.reanswers, reanswers)

    def back(self, victim, how=signal.SIGKILL):
        """The one that ended comes back, and what the windows prefer goes through it again."""
        told = said(self.federation, "window", "broker_up")
        start_again(self.federation, victim, how)
        if victim != self.federation.brokers[0]:
            return
        wait_until(lambda: said(self.federation, "window", "broker_up") > told, BACK_SECONDS, "a probe")
        before = self._routed(victim)
        self.wrong += self._collect(self._open(0))
        self.cases += 1
        if self._routed(victim) <= before:
            self.wrong.append(f"{victim} is back, and nothing goes through it")

    def check_logs(self):
        self.wrong += wrong_logs(self.federation)

    def report(self):
        return {"cases": self.cases, "classes": dict(self.classes), "reanswers": self.reanswers,
                "slowest_seconds": round(self.slowest, 2), "wrong": self.wrong}

    # --- cases ---

    def _open(self, number):
        households = self.federation.households
        return opened(self.federation, households[(self.cases + number) % len(households)])

    def _collect(self, case):
        """What is wrong with its outcome."""
        began = time.monotonic()
        outcome, wrong = collected(self.federation, case)
        with self._lock:
            self._done += 1
            self.classes[outcome.class_id] += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
        return wrong

    def _end(self, after, victim, how):
        """Once so many cases are through and others are on their way."""
        wait_until(lambda: self._done >= after, 60, "some cases")
        time.sleep(self._dice.uniform(0, 0.05))
        process = self.federation.processes[victim]
        if how == signal.SIGKILL:
            process.kill()
        else:
            process.signal(how)

    # --- coming back ---

    def _routed(self, name):
        return len(self.federation.entries(name, "--type", "ROUTE"))


def edit(path, **changes):
    """Changes keys of a YAML file; None takes one out."""
    with open(path, encoding="utf-8") as file:
        content = {key: value for key, value in {**yaml.safe_load(file), **changes}.items() if value is not None}
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(content, file)


def said(federation, name, event):
    """How often a node's operator was told of something."""
    with open(federation.processes[name].log, encoding="utf-8") as file:
        return sum(f'"event":"{event}"' in line for line in file)


def start_again(federation, broker, how):
    """Until every department is linked to it."""
    process = federation.processes[broker]
    if how == signal.SIGSTOP:
        process.signal(signal.SIGCONT)
    else:
        wait_until(lambda: not process.is_running, BACK_SECONDS, f"the end of {broker}")
        process.start()
    wait_until(lambda: not federation.unlinked_at(broker), BACK_SECONDS, f"{broker}, linked again")


def listening_ports(pid):
    """The TCP ports a process listens on, as the kernel tells."""
    sockets = set()
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{number}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            sockets.add(target[len("socket:["):-1])
    found = set()
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:
            for fields in (line.split() for line in file.readlines()[1:]):
                if fields[3] == _LISTENING and fields[9] in sockets:
                    found.add(int(fields[1].rsplit(":", 1)[1], 16))
    return found


def populated(folder, binaries, attached, brokers=2):
    """The ten departments with their databases, all of them `attached` or none, and two brokers; not made yet."""
    federation = Federation(folder, binaries, share_runs=1000000, brokers=brokers,
                            attached=DEPARTMENTS if attached else ())
    federation.populate(DEFAULT_SEED, PEOPLE, datetime.date.today())
    return federation


def made(federation):
    """With keys and configurations; nothing runs yet."""
    federation.make()
    edit(federation.members["window"].config, deadline_ms=DEADLINE_MS)
    return federation


def campaign(federation, seed, cases, rounds, tell):
    """Rounds against a federation that is up: every broker in turn, killed, asked to stop, or frozen, so that it
    neither answers nor closes its connections."""
    failover = Failover(federation, seed)
    dice = random.Random(seed)
    attached = [name for name in DEPARTMENTS if federation.members[name].inside]
    for number in range(rounds):
        victim = federation.brokers[number % len(federation.brokers)]
        how = signal.SIGKILL if number < len(federation.brokers) else dice.choice(ENDS)
        failover.round(cases, victim, how)
        open_ports = {name: ports for name in attached
                      if (ports := listening_ports(federation.processes[name].pid))}
        if open_ports:
            failover.wrong.append(f"no port of theirs should be open: {open_ports}")
        failover.back(victim, how)
        tell(number + 1, rounds, failover)
        if failover.wrong:
            break
    failover.check_logs()
    return {**failover.report(), "rounds": number + 1, "seed": seed, "attached": len(attached)}


def tell_report(report):
    print(f"\n{report['cases']} cases in {report['rounds']} rounds, {report['attached']} departments without a port; "
          f"the slowest took {report['slowest_seconds']} s")
    for name, num in sorted(report["classes"].items()):
        print(f"  {num:5}  {name}")
    print(f"at most {report['reanswers']} answers of a department were given once more, none was a second use")
    for sentence in report["wrong"]:
        print(f"WRONG  {sentence}")
