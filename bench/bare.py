"""The baselines as processes: ten echoes and a fan-out, unary or over streams that coalesce, with
certificates of the federation's CA."""

import os
import re
import select
import subprocess

import traffic

_START_SECONDS = 10
_UNARY, _STREAMS = ("bench-echo", "bench-fanout"), ("bench-stream-echo", "bench-stream-fanout")


class StartFailed(Exception):
    """A program of the baseline did not come up."""


class Bare:
    """Ten departments that only echo, behind a broker that only fans out."""

    def __init__(self, binaries, certificates, sizes, num_echoes=10, streams=False):
        self._binaries, self._certificates = binaries, certificates
        self._sizes, self._num = sizes, num_echoes
        self._echo, self._fanout = _STREAMS if streams else _UNARY
        self._running = []
        self.target = None

    @property
    def pids(self):
        return [process.pid for process in self._running]

    def hops(self):
        """Bytes so far from the fan-out to an echo and back."""
        each = [traffic.of(process.pid) for process in self._running[:self._num]]
        return {"department_request": sum(asked for _, asked in each) / self._num,
                "department_answer": sum(answered for answered, _ in each) / self._num}

    def start(self):
        answer = str(self._sizes["department_answer"])
        echoes = [self._serve(self._echo, "--reply-bytes", answer) for _ in range(self._num)]
        self.start_fanout(echoes, "--part-bytes", str(self._sizes["department_request"]),
                          "--reply-bytes", str(self._sizes["case_answer"]))

    def start_echo(self, *options):
        """One echo alone, which is the target then."""
        self.target = self._serve(self._echo, *options)

    def start_fanout(self, echoes, *options):
        """A fan-out before echoes that run already, which is the target then."""
        self.target = self._serve(self._fanout, *options, *(word for at in echoes for word in ("--echo", at)))

    def stop(self):
        for process in reversed(self._running):  # no fan-out outlives its echoes
            process.kill()
        for process in self._running:
            process.wait()
            process.stdout.close()
        self._running = []

    def _serve(self, program, *options):
        """Starts one program; returns the address it took."""
        command = ["setpriv", "--pdeathsig", "KILL", os.path.join(self._binaries, program),
                   *self._certificates, *options]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   text=True)
        self._running.append(process)
        ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
        found = re.match(r"port (\d+)\n", process.stdout.readline() if ready else "")
        if not found:
            raise StartFailed(f"{program} did not start")
        return f"127.0.0.1:{found[1]}"
