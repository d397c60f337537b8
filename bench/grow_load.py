"""One slice of load on a federation or on a bare fan-out, with the bytes of a case on each hop."""

import json
import os
import subprocess

import machine
import traffic
from bare import Bare
from measure import LoadFailed

_FRAMING_BYTES = 80       # what HTTP/2 and TLS add to a unary call's message
_SIZING_CASES = 12
_NEXT = 61                # applicants further on with each slice


class Load:
    """bench-load on one running federation."""

    def __init__(self, binaries, federation, applicants, warm_ms):
        self._binaries, self._federation, self._warm_ms = binaries, federation, warm_ms
        self._people = os.path.join(federation.root, "grow.tsv")
        self._applicants, self._slices = list(applicants), 0

    def forms(self, form, in_flight, seconds, may_fail=False):
        """Whole cases, with the processor time of one by role. Where they may fail, those that did are counted
        and not in the figures; otherwise LoadFailed."""
        self._come()
        before = self._used()
        found = self._run("forms", in_flight, seconds, *self._ours(form), may_fail=may_fail)
        found["cpu_ms"] = {role: 1000 * (spent - before[role]) / max(found["ended"], 1)
                           for role, spent in self._used().items()}
        return found

    def bare(self, target, sizes, in_flight, seconds):
        """Calls of a bare fan-out."""
        return self._run("bare", in_flight, seconds, "--target", target, "--request-bytes",
                         str(sizes["case_request"]))

    def fanout(self, sizes, num):
        """A bare fan-out of so many echoes, started."""
        bare = Bare(self._binaries, self._certificates(), sizes, num)
        try:
            bare.start()
        except BaseException:
            bare.stop()
            raise
        return bare

    def sizes(self, form, departments):
        """The messages of one case on each hop, as a bare fan-out has to carry them."""
        self._come()
        before = self._hops(departments)
        found = self._bench_load("collect", "--in-flight", "1", *self._certificates(), *self._ours(form), "--cases",
                                 str(_SIZING_CASES))
        self._check(found)
        after = self._hops(departments)
        per_case = {hop: (after[hop] - before[hop]) / found["ended"] for hop in after}
        return {hop: max(1, round(size) - _FRAMING_BYTES) for hop, size in per_case.items()}

    # --- inside ---

    def _come(self):
        """Every slice begins with somebody else: who applied just now is in every cache."""
        at = self._slices * _NEXT % len(self._applicants)
        self._slices += 1
        with open(self._people, "w", encoding="utf-8") as file:
            file.writelines("\t".join(person) + "\n" for person in self._applicants[at:] + self._applicants[:at])

    def _run(self, what, in_flight, seconds, *options, may_fail=False):
        found = self._bench_load(
            what, "--in-flight", str(in_flight), *self._certificates(), "--warm-millis", str(self._warm_ms),
            "--millis", str(int(seconds * 1000)), "--at-least", str(max(in_flight, 3)), *options)
        if not may_fail:
            self._check(found)
        return found

    def _bench_load(self, *arguments):
        run = subprocess.run([os.path.join(self._binaries, "bench-load"), *arguments], capture_output=True, text=True,
                             check=False)
        try:
            return json.loads(run.stdout)
        except json.JSONDecodeError:
            raise LoadFailed(run.stderr.strip() or f"bench-load ended with {run.returncode}") from None

    @staticmethod
    def _check(found):
        if found["failed"] > 0:
            raise LoadFailed(f"{found['failed']} of {found['ended']} failed: {found.get('failure', '?')}")

    def _ours(self, form):
        members = self._federation.members
        return ("--agent", members["window"].address, "--office", members["consent"].address, "--people", self._people,
                "--form", form)

    def _certificates(self):
        desk = self._federation.members["desk"]
        return ("--cert", desk.path("cert.pem"), "--key", desk.path("key.pem"), "--ca", self._federation.material.ca)

    def _used(self):
        used = {}
        for name, process in self._federation.processes.items():
            role = self._federation.members[name].kind
            used[role] = used.get(role, 0) + machine.cpu_seconds(process.pid)
        return used

    def _hops(self, departments):
        """Bytes so far from agent to broker and back, and of a department of those named."""
        federation = self._federation
        broker = int(federation.members["broker"].address.rpartition(":")[2])
        sent, received = traffic.of(federation.processes["window"].pid, remote=broker)
        each = [traffic.of(federation.processes[name].pid) for name in departments]
        return {"case_request": sent, "case_answer": received,
                "department_request": sum(asked for _, asked in each) / len(each),
                "department_answer": sum(answered for answered, _ in each) / len(each)}
