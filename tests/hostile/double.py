"""A malicious broker: the real one's certificate, address and log key in the hands of a program that relays
as it likes. It keeps every byte that passes through it.

Left alone it is honest, with a log of its own making: what a test then finds wrong is the misbehaviour and
nothing else.
"""

import concurrent.futures
import dataclasses

import paths  # noqa: F401  (first)
import grpc
import receipts
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from rogue import Log, leaf

_PATIENCE_S = 12


@dataclasses.dataclass
class Passage:
    """One read on its way: as the agent sent it, as it went on, what came back, and what the agent gets."""

    asked: object                # ReadRequest
    sent: object                 # ReadRequest, or None: not sent on
    route: int = 0               # index of the ROUTE entry
    reply: object = None         # RoutedReadResponse
    codes: list = dataclasses.field(default_factory=list)  # all the department has said
    event: object = None         # CollectEvent


class Plan:
    """What to do otherwise than an honest broker; each step may change its passages."""

    def before(self, double, passages):
        """Between the agent and the departments."""

    def entries(self, double, passages):
        """After the answers, before the DELIVER entries are written."""

    def events(self, double, passages):
        """What the agent gets, in order: CollectEvents, or bytes."""
        return [passage.event for passage in passages]


class Double:
    """The broker's place, taken."""

    def __init__(self, ground, served):
        self._served = served
        self.ground, self.contract, self.new = ground, ground.contract, ground.new
        member = ground.running.members["broker"]
        self._address = member.address
        with open(member.path("log.pem"), "rb") as file:
            self.log_key = load_pem_private_key(file.read(), None)
        parts = []
        for path in (member.path("key.pem"), member.path("cert.pem"), ground.world.ca):
            with open(path, "rb") as file:
                parts.append(file.read())
        self._credentials = grpc.ssl_server_credentials([tuple(parts[:2])], parts[2], True)
        self._pool = concurrent.futures.ThreadPoolExecutor(16)
        self._server = None
        self.plan, self.passages, self.earlier, self.leaves = Plan(), [], [], []
        self.seen = bytearray()

    # --- life ---

    def start(self):
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        new_type = self.contract.type
        collect = grpc.unary_stream_rpc_method_handler(
            self._collect, request_deserializer=self._taken(new_type("CollectRequest")),
            response_serializer=lambda m: m if isinstance(m, bytes) else m.SerializeToString())
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("lianban.v1.Broker", {"Collect": collect}),))
        if self._server.add_secure_port(self._address, self._credentials) == 0:
            raise AssertionError("the broker's port is not free")
        self._server.start()

    def stop(self):
        self._server.stop(0).wait()
        self._pool.shutdown()

    def _taken(self, message):
        def take(raw):
            self.seen += raw
            return message.FromString(raw)
        return take

    # --- relaying ---

    def name_of(self, passage):
        """The department a passage was meant for."""
        return passage.asked.audience.split("/")[4]

    def log(self, leaves, node="broker", key=None):
        """A log in a member's name, signed with the broker's key or another."""
        return Log(self.ground, node, leaves, key or self.log_key)

    def ask(self, request, route_leaf):
        """One read at its department, with a ROUTE entry in a log of one."""
        log = self.log([route_leaf])
        message = self.new("RoutedReadRequest", log=log.progress(),
                           read=self.new("RoutedRead", request=request, route=log.proof(0)))
        department = request.audience.split("/")[4]
        if department not in self._served:
            return None
        try:
            reply = self.ground.world.call(department, "broker", "Adapter/Read", message, timeout=_PATIENCE_S)
        except Exception:  # pylint: disable=broad-except  # no port of its own, or gone: no answer
            return None
        self.seen += reply.SerializeToString()
        return reply

    def _collect(self, request, context):
        del context
        passages = [Passage(read, _copy(read)) for read in request.reads]
        self.plan.before(self, passages)
        leaves = [leaf("ROUTE", "ROUTED", p.sent or p.asked) for p in passages]
        asked = [(p, route) for p, route in zip(passages, leaves) if p.sent is not None]
        for (passage, _), reply in zip(asked, self._pool.map(lambda pair: self.ask(pair[0].sent, pair[1]), asked)):
            passage.reply = reply
            if reply is not None:
                passage.codes.append(reply.answer.code)
        self.plan.entries(self, passages)
        self._write_events(passages, leaves)
        self.passages += passages
        for event in self.plan.events(self, passages):
            if event is not None:
                self.seen += event if isinstance(event, bytes) else event.SerializeToString()
                yield event

    def _write_events(self, passages, leaves):
        """One log for all: the ROUTE entries, then one about the end of each."""
        leaves = list(leaves)
        for index, passage in enumerate(passages):
            passage.route = index
            leaves.append(self._end(passage))
        self.leaves = leaves
        log = self.log(leaves)
        progress = log.progress()
        for index, passage in enumerate(passages):
            answer = passage.reply.answer if passage.reply else None
            passage.event = event = self.new(
                "CollectEvent", txn=passage.asked.txn, code=answer.code if answer else "UNAVAILABLE",
                route=log.proof(index), deliver=log.proof(len(passages) + index), broker_log=progress)
            if answer:
                event.sealed = answer.sealed
                event.adapter_entry.CopyFrom(answer.entry)
                event.adapter_log.CopyFrom(passage.reply.log)

    def _end(self, passage):
        if passage.reply is None:
            return leaf("FAILURE", "UNAVAILABLE", passage.asked)
        answer = passage.reply.answer
        return leaf("DELIVER", answer.code, passage.asked, receipts.leaf_hash(answer.entry.leaf),
                    answer=answer.sealed)

def _copy(message):
    copy = type(message)()
    copy.CopyFrom(message)
    return copy
