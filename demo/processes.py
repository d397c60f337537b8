"""Starts and stops the programs of a federation; each writes its operator's log beside its state."""

import json
import os
import random
import signal
import socket
import subprocess
import time

STOP_SECONDS = 6
_PORTS = (12000, 30000)
_BLOCK = 50
_reserved = []


class StartFailed(Exception):
    """A program ended instead of serving; the text is its own sentence."""


class Process:
    """One program with its configuration. Started from the main thread, whose end ends it too."""

    def __init__(self, name, program, config):
        self.name, self.program, self._config = name, program, config
        self.log = os.path.join(os.path.dirname(config), "process.log")
        self._running = None
        self._new = True

    @property
    def pid(self):
        return self._running.pid

    @property
    def is_running(self):
        return self._running is not None and self._running.poll() is None

    def start(self):
        """The first time it may begin its evidence log; later it must find it."""
        command = ["setpriv", "--pdeathsig", "TERM", self.program, "--config", self._config]
        if self._new:
            command.append("--init")
        self._new = False
        with open(self.log, "ab") as log:
            self._running = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def check(self):
        """Raises StartFailed when the program has ended."""
        if not self.is_running:
            raise StartFailed(f"{self.name} ended with {self._running.returncode}: {self.last_line()}")

    def last_line(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return (file.read().strip().splitlines() or ["(no word)"])[-1]

    def has_said(self, event, **fields):
        """Whether the operator's log has this event with these fields."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            lines = [line for line in file if f'"{event}"' in line]
        said = (json.loads(line) for line in lines if line.endswith("}\n"))
        return any(all(line.get(name) == value for name, value in fields.items()) for line in said)

    def signal(self, number):
        self._running.send_signal(number)

    def kill(self):
        """No warning, no chance to tidy up."""
        self._running.kill()
        self._running.wait()

    def stop(self):
        """Asks it to stop; returns its exit status and the seconds it took."""
        began = time.monotonic()
        if not self.is_running:
            return self._running.returncode, 0.0
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            status = self._running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            status = None
        return status, time.monotonic() - began


def stop_all(processes):
    """Asks all at once; returns the names of those that did not stop cleanly."""
    running = [process for process in processes if process.is_running]
    for process in running:
        process.signal(signal.SIGCONT)
        process.signal(signal.SIGTERM)
    return [process.name for process in running if process.stop()[0] != 0]


def wait_until(condition, seconds, what):
    """Waits for a condition; TimeoutError names what did not come."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {seconds} s")
        time.sleep(0.05)


def free_ports(num):
    """Ports of the loopback in a row that nobody uses now, below those the system gives to dialling
    programs, so that none of ours takes another's while they start; and that no other process that
    asks here was given, as long as this one lives."""
    while True:
        block = random.SystemRandom().randrange(_PORTS[0] // _BLOCK, _PORTS[1] // _BLOCK)
        ports = list(range(block * _BLOCK, block * _BLOCK + num))
        if _reserve(block) and all(_is_free(port) for port in ports):
            return ports


def _reserve(block):
    """Takes a block's name in the machine's abstract sockets, which end with their process."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0lianban-ports-{block}")
    except OSError:
        name.close()
        return False
    _reserved.append(name)
    return True


def _is_free(port):
    with socket.socket() as trial:
        try:
            trial.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False
