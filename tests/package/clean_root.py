"""A clean root with a systemd of its own, where packages are installed and their services run."""

import os
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
_NAMESPACES = ("--mount", "--pid", "--ipc", "--uts", "--net", "--cgroup")
_BOOT_SECONDS = 90
_RUN_SECONDS = 120


class Unbootable(Exception):
    """This machine lets us have no such root; the text says why."""


class CleanRoot:
    """Boots at once; stop() ends it, and nothing of it is left."""

    def __init__(self):
        self._folder = tempfile.mkdtemp(prefix="lianban-root-")
        self._log = tempfile.TemporaryFile()
        self._outer = subprocess.Popen(
            ["unshare", *_NAMESPACES, "--fork", "--kill-child=KILL", "--", "/bin/sh",
             os.path.join(HERE, "boot.sh"), self._folder],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True)
        try:
            self._first = self._wait(self._find_first, "the first process")
            self._wait(self._booted, "the end of booting")
        except BaseException:
            self.stop()
            raise

    def path(self, name):
        """A file of the root, as it is seen from outside."""
        return f"/proc/{self._first}/root{name}"

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *command, check=True):
        """Runs a command as root in there; returns what it said, stdout and stderr together."""
        done = subprocess.run(
            ["nsenter", "--target", str(self._first), "--mount", "--pid", "--ipc", "--uts", "--net", "--root",
             "--wd", "--", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive",
             "LC_ALL=C.UTF-8", *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=_RUN_SECONDS, check=False)
        said = done.stdout.decode(errors="replace")
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit status {done.returncode}\n{said}")
        return said

    def show(self, unit, name):
        """One property of a unit."""
        return self.run("systemctl", "show", "--value", "--property", name, unit).strip()

    def stop(self):
        first = getattr(self, "_first", None)
        if first is not None:
            _kill(first)
        _kill(self._outer.pid)
        self._outer.wait()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self, look, what):
        end = time.monotonic() + _BOOT_SECONDS
        while True:
            found = look()
            if found:
                return found
            if self._outer.poll() is not None or time.monotonic() > end:
                self._log.seek(0)
                said = self._log.read().decode(errors="replace").strip()
                raise Unbootable(f"{what} did not come: {said or 'no word'}")
            time.sleep(0.1)

    def _find_first(self):
        with open(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        if not children:
            return None
        with open(f"/proc/{children[0]}/comm", encoding="ascii") as file:
            return int(children[0]) if file.read().strip() == "systemd" else None

    def _booted(self):
        return self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
