"""A small federation to be killed: a broker and one department, and requesters who ask without pause and
keep every word they get."""

import dataclasses
import datetime
import hashlib
import os
import sys
import threading
import time

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(_HERE, "..", "..", "demo"), os.path.join(_HERE, "..", "interop")]

import receipts  # noqa: E402
import requester as interop  # noqa: E402
from federation import Federation  # noqa: E402
from generate import DEFAULT_SEED  # noqa: E402
from processes import Process, wait_until  # noqa: E402
from stubs import Refused  # noqa: E402

ADAPTER, BROKER = "tax", "broker"
PEOPLE, REQUESTERS, READS = 60, 3, 4
READY_SECONDS = 20
PAUSE = 0.02
ROLE = "applicant"


@dataclasses.dataclass
class Kept:
    """What requesters were shown: entries by (node, index), checkpoints by (node, size)."""

    entries: dict = dataclasses.field(default_factory=dict)
    roots: dict = dataclasses.field(default_factory=dict)
    answers: int = 0
    wrong: list = dataclasses.field(default_factory=list)
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def keep(self, event, vkeys):
        """Everything one event proves; two truths about one thing are wrong."""
        shown = [(ADAPTER, event.adapter_entry, event.adapter_log), (BROKER, event.route, event.broker_log),
                 (BROKER, event.deliver, event.broker_log)]
        with self.lock:
            for node, proof, progress in shown:
                if not proof.leaf:
                    continue
                size, root = receipts.open_checkpoint(progress.checkpoint, vkeys[node])
                self._put(self.roots, (node, size), root)
                self._put(self.entries, (node, proof.index), receipts.leaf_hash(proof.leaf))
            self.answers += event.code == "ANSWERED"

    def _put(self, known, key, value):
        if known.setdefault(key, value) != value:
            self.wrong.append(f"{key[0]} showed two things at {key[1]}")


class Asker(threading.Thread):
    """One requester. What is cut off is asked again, with the same rid: it must not count twice."""

    def __init__(self, ground):
        super().__init__(daemon=True)
        self._ground, self._stop_now = ground, threading.Event()
        self._world = interop.Federation(os.path.join(ground.federation.root, "endpoints.json"))
        self._own = interop.Requester(self._world, interop.Profile.load(self._world, "window"))
        self._case = 0

    def stop(self):
        self._stop_now.set()

    def run(self):
        open_reads = []
        while not self._stop_now.is_set():
            try:
                reads = [self._again(read) for read in open_reads] or self._new_reads()
                open_reads = reads
                open_reads = self._take(reads)
            except (Refused, receipts.BadEvidence, ValueError) as failed:
                if not isinstance(failed, Refused):
                    with self._ground.kept.lock:
                        self._ground.kept.wrong.append(f"{type(failed).__name__}: {failed}")
                self._world.close()  # a new connection finds a new process sooner
                self._stop_now.wait(PAUSE)
        self._world.close()

    def _new_reads(self):
        """Each under a grant of its own, so that its use counter is 1 or wrong."""
        own, reads = self._own, []
        for _ in range(READS):
            self._case += 1
            person = self._ground.person(self.ident, self._case)
            grant = own.mandate(ROLE, person, f"C-{self.ident}-{self._case}", [ADAPTER])
            reads.append(own.build_read(grant, ADAPTER, person))
        return reads

    def _again(self, read):
        """The same request, newly sealed."""
        own, now = self._own, time.time()
        request, plain = type(read.request)(), type(read.plain)()
        request.CopyFrom(read.request)
        plain.CopyFrom(read.plain)
        request.txn = os.urandom(16)
        request.deadline_unix_ms = int((now + interop.DEADLINE_S) * 1000)
        plain.iat = int(now)
        return own.seal(request, plain, own.new_context(request.audience))

    def _take(self, reads):
        """Checks what came; returns the reads that got no answer and are worth another."""
        events, left = self._own.collect(reads), []
        for read, event in zip(reads, events):
            self._ground.kept.keep(event, self._ground.vkeys)
            if event.code == "ANSWERED":
                self._own.check_receipt(read, event)
                self._own.open(read, event)
            elif event.code in ("UNAVAILABLE", "DEADLINE", "STOPPING", "LOG_UNAVAILABLE", "CANCELLED"):
                left.append(read)
        if left:
            self._stop_now.wait(PAUSE)
        return left


class Ground:
    """The two processes, from the programs that die on demand, and who asks them."""

    def __init__(self, folder, binaries, crash_binaries):
        self.federation = federation = Federation(folder, binaries)
        federation.populate(DEFAULT_SEED, PEOPLE, datetime.date.today())
        federation.make()
        self.contract, self.vkeys = federation.contract, federation.material.vkeys
        self._people = [member for household in federation.households for member in household["members"]]
        self.nodes = {}
        for name, program in ((BROKER, "lianban-broker"), (ADAPTER, "lianban-adapter")):
            self.nodes[name] = Process(name, os.path.join(os.path.abspath(crash_binaries), program),
                                       federation.members[name].config)
        self.kept = Kept()
        self._askers = []

    def person(self, ident, case):
        """Some applicant, the same for the same case."""
        dice = hashlib.sha256(f"{ident} {case}".encode()).digest()
        member = self._people[int.from_bytes(dice[:4], "big") % len(self._people)]
        return interop.Person(member["id_no"], member["name"])

    def start(self, name, point=None):
        """Starts a node, which dies at the point, if any."""
        if point is not None:
            os.environ["LIANBAN_CRASH"] = point
        try:
            self.nodes[name].start()
        finally:
            os.environ.pop("LIANBAN_CRASH", None)

    def ask(self):
        """Lets the requesters begin, once the broker takes calls. A first call that comes too early would cost
        seconds: nobody looks after its channel between calls that fail at once."""
        wait_until(self._serves, READY_SECONDS, "the broker")
        wait_until(self._is_up, READY_SECONDS, "the broker's first word")
        self._askers = [Asker(self) for _ in range(REQUESTERS)]
        for asker in self._askers:
            asker.start()

    def wait_answers(self, num):
        """Waits for so many more answers: both nodes serve again."""
        until = self.kept.answers + num
        wait_until(lambda: self.kept.answers >= until, READY_SECONDS,
                   f"answers ({', '.join(self._last_words())})")

    def stop(self):
        """Stops everything; returns the names of those that did not end cleanly."""
        for asker in self._askers:
            asker.stop()
        for asker in self._askers:
            asker.join(READY_SECONDS)
        unclean = [name for name, node in self.nodes.items() if node.stop()[0] != 0]
        self.federation.stop()
        return unclean

    def _serves(self):
        with open(self.nodes[BROKER].log, encoding="utf-8", errors="replace") as file:
            return '"event":"serving"' in file.read()

    def _is_up(self):
        try:
            self.federation.call(BROKER, "Broker/ListForms", self.contract.new("ListFormsRequest"), "window")
            return True
        except Refused:
            return False

    def _last_words(self):
        return [f"{name}: {node.last_line()[-200:]}" for name, node in self.nodes.items()]
