"""One measurement after another: the baselines' and ours in turn, on one machine in one run."""

import json
import os
import subprocess

import machine
import traffic
from bare import Bare

LEVELS = (1, 8, 64)
NUM_DEPARTMENTS = 10
# What a case sends and gets per hop, where the kernel does not tell.
_USUAL_BYTES = {"case_request": 40600, "case_answer": 30500, "department_request": 5000,
                "department_answer": 1850}
_FRAMING_BYTES = 80       # what HTTP/2 and TLS add to a unary call's message
_DEPARTMENT_HOPS = ("department_request", "department_answer")
_SIZING_CASES = 20
_MAX_COLLECTS = 1000


class LoadFailed(Exception):
    """The load program could not measure; the text is its own sentence."""


class Bench:
    """A running federation, the baseline beside it, and the load on either."""

    def __init__(self, federation, binaries, warm_ms):
        self._federation, self._binaries = federation, binaries
        self._warm_ms = warm_ms
        self._people = os.path.join(federation.root, "applicants.tsv")
        self._bare = self._streams = None
        self._sizes = None
        self.bytes = None     # per case and hop on the wire, ours and the baseline's

    def start(self, num_people):
        """The federation is up; chooses who applies, takes the sizes, starts the baseline."""
        self._choose_people(num_people)
        ours = self._bytes_per_case(self._hops, "collect", *self._ours(), "--cases",
                                    str(_SIZING_CASES)) or _USUAL_BYTES
        self._sizes = {hop: size - _FRAMING_BYTES for hop, size in ours.items()}
        self._bare = Bare(self._binaries, self._certificates(), self._sizes)
        self._streams = Bare(self._binaries, self._certificates(), self._sizes, streams=True)
        self._bare.start()
        self._streams.start()
        bare = self._bytes_per_case(self._bare.hops, "bare", *self._bare_options()) or ours
        self.bytes = {"ours": ours, "baseline": {hop: bare[hop] for hop in _DEPARTMENT_HOPS}}

    def stop(self):
        for bare in (self._bare, self._streams):
            if bare is not None:
                bare.stop()

    # --- one slice each ---

    def baseline(self, in_flight, seconds):
        """Calls of the bare fan-out."""
        return self._of_bare(self._bare, in_flight, seconds)

    def coalesced(self, in_flight, seconds):
        """Calls of the bare fan-out over streams that coalesce."""
        return self._of_bare(self._streams, in_flight, seconds)

    def forms(self, in_flight, seconds):
        """Whole cases."""
        return self._measured("forms", in_flight, seconds, self.pids(), *self._ours())

    def collects(self, in_flight, num_cases, at_least):
        """The collecting alone, of cases granted before."""
        num_cases = max(at_least, min(int(num_cases), _MAX_COLLECTS))
        return self._load("collect", in_flight, *self._ours(), "--cases", str(num_cases))

    # --- memory ---

    def pids(self):
        """Process ids of the federation by role."""
        found = {}
        for name, process in self._federation.processes.items():
            found.setdefault(self._federation.members[name].kind, []).append(process.pid)
        return found

    def memory(self, kib_of=machine.rss_anon_kib):
        """KiB by role; of adapters the largest."""
        return {role: max(kib_of(pid) for pid in pids) for role, pids in self.pids().items()}

    def watched(self):
        """A context in which the peak of every process is kept."""
        return machine.Peak([pid for pids in self.pids().values() for pid in pids])

    # --- inside ---

    def bare(self, **settings):
        """Programs of a baseline, none started; the caller stops them."""
        return Bare(self._binaries, self._certificates(), **settings)

    def timed(self, what, in_flight, seconds, roles, *options, caller="desk"):
        """A timed slice of any work of bench-load, with a member's certificate."""
        return self._measured(what, in_flight, seconds, roles, *options, "--people", self._people,
                              *self._certificates(caller))

    def _load(self, what, in_flight, *options):
        command = [os.path.join(self._binaries, "bench-load"), what, "--in-flight", str(in_flight),
                   *self._certificates(), *options]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        try:
            return json.loads(run.stdout)
        except json.JSONDecodeError:
            said = run.stderr.strip() or f"bench-load ended with {run.returncode}"
            raise LoadFailed(said) from None

    def _measured(self, what, in_flight, seconds, roles, *options):
        """A timed slice, with the CPU milliseconds per case of every role and of the load."""
        before = _used(roles)
        result = self._load(what, in_flight, "--warm-millis", str(self._warm_ms), "--millis",
                            str(int(seconds * 1000)), "--at-least", str(in_flight), *options)
        used = {role: after - before[role] for role, after in _used(roles).items()}
        used["load"] = result["cpu_us"] / 1e6
        result["cpu_ms"] = {role: 1000 * spent / max(result["ended"], 1)
                            for role, spent in used.items()}
        return result

    def _of_bare(self, bare, in_flight, seconds):
        return self._measured("bare", in_flight, seconds, {"baseline": bare.pids},
                              *self._bare_options(bare))

    def _ours(self):
        members = self._federation.members
        return ("--agent", members["window"].address, "--office", members["consent"].address,
                "--people", self._people)

    def _bare_options(self, bare=None):
        return ("--target", (bare or self._bare).target, "--request-bytes", str(self._sizes["case_request"]))

    def _certificates(self, name="desk"):
        """The desk's for the baselines too: there a certificate only has to be of our CA."""
        member = self._federation.members[name]
        return ("--cert", member.path("cert.pem"), "--key", member.path("key.pem"),
                "--ca", self._federation.material.ca)

    def _choose_people(self, num):
        """Households of one adult about whom every department knows what the form asks."""
        chosen = []
        for household in self._federation.households:
            if len(household["members"]) == 1 and self._is_whole(household):
                person = household["members"][0]
                chosen.append((person["id_no"], person["name"], household["class"]))
            if len(chosen) == num:
                break
        if not chosen:
            raise LoadFailed("no household of one adult is answered by every department")
        with open(self._people, "w", encoding="utf-8") as file:
            file.writelines("\t".join(person) + "\n" for person in chosen)

    def _is_whole(self, household):
        if household["class"] == "MANUAL":
            return False
        window = self._federation.window
        outcome = window.apply(household["members"])
        window.discard(outcome.case_id)
        asked = {fact.department for fact in outcome.facts}
        return (outcome.class_id == household["class"] and len(asked) == NUM_DEPARTMENTS
                and all(fact.state == "ok" for fact in outcome.facts))

    def _bytes_per_case(self, hops, what, *options):
        """Bytes of a case on each hop by the kernel's counters; None where it has none."""
        try:
            before = hops()
            result = self._load(what, 1, *options)
            after = hops()
        except OSError:
            return None
        return {hop: round((after[hop] - before[hop]) / result["ended"]) for hop in after}

    def _hops(self):
        """Bytes so far from agent to broker and back, and per department from broker to adapter."""
        federation = self._federation
        sent, received = traffic.of(federation.processes["window"].pid,
                                    remote=_port(federation.members["broker"]))
        into = out = num = 0
        for name, member in federation.members.items():
            if member.kind == "adapter" and member.address:
                answered, asked = traffic.of(federation.processes[name].pid, local=_port(member))
                into, out, num = into + asked, out + answered, num + 1
        return {"case_request": sent, "case_answer": received, "department_request": into / num,
                "department_answer": out / num}


def _port(member):
    return int(member.address.rpartition(":")[2])


def _used(roles):
    return {role: sum(machine.cpu_seconds(pid) for pid in pids) for role, pids in roles.items()}
