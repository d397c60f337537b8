"""A program of a federation run by callgrind, which counts the instructions it executes between being switched on
and off. Until then, and after, it only runs slower."""

import glob
import os
import stat
import subprocess

from profile import Malformed, Profile

# The same code on every x86-64: OpenSSL's and the C library's variants for newer processors are off, since what they
# save differs from one to the next, and callgrind knows no SHA extensions.
_SETTINGS = {"OPENSSL_ia32cap": ":0", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-ERMS"}
_ANSWER_SECONDS = 60
# Where root allows it: on a busy machine a program that is fifty times slower would lose its links. A session of
# its own, as these have, is weighed by its group.
_NICENESS = -15
_WRAPPER = """#!/bin/sh
{settings}
{{ echo {niceness} >/proc/self/autogroup; }} 2>/dev/null
exec nice -n {niceness} valgrind --tool=callgrind --quiet --instr-atstart=no --separate-threads=yes --fair-sched=yes \\
    --vgdb-prefix={folder}/vgdb --vgdb-poll=500 --callgrind-out-file={folder}/out {program} "$@"
"""


class NotCounted(Exception):
    """Callgrind did not do what it was told; the text is a sentence."""


class Counted:
    """One process of a federation; prepared before it starts."""

    def __init__(self, process, folder):
        self._process, self._folder = process, folder
        self.program = process.program
        os.makedirs(folder)
        wrapper = os.path.join(folder, "start")
        settings = "\n".join(f"export {name}={value}" for name, value in _SETTINGS.items())
        with open(wrapper, "w", encoding="ascii") as file:
            file.write(_WRAPPER.format(settings=settings, folder=folder, program=process.program,
                                       niceness=_NICENESS))
        os.chmod(wrapper, stat.S_IRWXU)
        process.program = wrapper

    def count(self, work):
        """What every thread executed while `work` was done, as Profiles."""
        self._tell("instrumentation", "on")
        self._tell("zero")
        try:
            work()
        finally:
            self._tell("instrumentation", "off")
        self._tell("dump", "counted")
        found = []
        for path in glob.glob(os.path.join(self._folder, "out.*-*")):
            try:
                found.append(Profile.read(path))
            except Malformed:
                pass  # a thread that did nothing
            os.unlink(path)
        if not found:
            raise NotCounted(f"callgrind wrote nothing about {self._process.name}")
        return found

    def _tell(self, *words):
        """Without ptrace, which another account's or an undumpable process refuses: the program looks by itself."""
        run = subprocess.run(["vgdb", f"--vgdb-prefix={self._folder}/vgdb", f"--pid={self._process.pid}",
                              "--max-invoke-ms=0", "--cmd-time-out=" + str(_ANSWER_SECONDS), *words],
                             capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise NotCounted(f"{self._process.name} under callgrind does not answer: {run.stderr.strip()}")
