"""The ground attacks are made on: a running federation, an attacker who owns a window's keys and what
else an attack needs, and the two logs as they are on disk."""

import dataclasses
import os
import re
import sqlite3
import time

import paths
import receipts
import sdjwt
import yaml
from requester import Desk, Federation, Person, Profile, Requester
from stubs import Refused, plain_channel, secure_channel

BIN = os.environ.get("LIANBAN_BIN", os.path.join(paths.ROOT, ".build", "bin"))
# An officer of this department's, whom its policy names as clerk.
CLERK, CLERKS_DEPARTMENT = "clerk", "civil-affairs"
# How often the departments add up one person's income: some attacks apply for one household each time.
SHARE_RUNS = 80
# A busy machine takes longer than the second after which counted denials are written.
_LOG_SECONDS = 20
# A log's own business, not the outcome of a request.
_OWN = ("ADMIN", "POLICY", "CANARY")
_TROUBLE = re.compile(rb"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|"
                      rb"Assertion|assert_fail|stack smashing|buffer overflow|SUMMARY: ")


@dataclasses.dataclass(frozen=True)
class Seen:
    """What an attacker got: `how` is "event", "inner", "refused" (our code) or "cut" (gRPC's own)."""

    how: str
    code: str


def refused(error):
    """A Refused as Seen."""
    return Seen("refused", error.code) if error.code else Seen("cut", error.canonical)


class Ground:
    """A federation under attack."""

    def __init__(self, running, clerk=None):
        self.running, self._clerk = running, clerk
        self._channels = {}
        self.world = Federation(os.path.join(running.root, "endpoints.json"))
        self.contract = self.world.contract
        self.me = Requester(self.world, Profile.load(self.world, "window"))
        self.desk = Desk(self.world)
        everyone = [member for household in running.households for member in household["members"]]
        adults = [m for m in everyone if m["role"] != "child"]
        self.person, self.other = (Person(m["id_no"], m["name"]) for m in adults[:2])
        self._unused = [Person(m["id_no"], m["name"]) for m in adults[len(adults) // 2:]]
        self.child = next(Person(m["id_no"], m["name"]) for m in everyone if _is_under_14(m["id_no"]))
        consent = running.members["consent"]
        self.hall = consent.organization
        with open(consent.config, encoding="utf-8") as file:
            config = yaml.safe_load(file)
        self.hall_kid, self.status_uri = config["issuer"]["kid"], config["status_uri"]
        self.hall_key = sdjwt.load_private(consent.path(config["issuer"]["key"]))
        self.num_cases = 0

    def close(self):
        for channel in self._channels.values():
            channel.close()
        self._channels = {}
        self.world.close()

    def somebody(self):
        """An adult whom no attack has asked about yet."""
        return self._unused.pop()

    # --- making requests ---

    def new(self, name, /, **fields):
        return self.contract.new(name, **fields)

    def case(self):
        """A case number of its own."""
        self.num_cases += 1
        return f"HOSTILE-{self.num_cases}"

    def mandate(self, department="tax", role="applicant", person=None, claims=None, key=None, kid=None,
                **section):
        """A mandate for one department; `section` and `claims` replace members."""
        salt, person = os.urandom(16), person or self.person
        made = self.me.section(department, role, salt, person, self.case(), **section)
        grant = self.me.issue([made], salt, claims, kid, key)
        if made.get("provider") != department:
            grant.sections[department] = grant.sections.pop(made["provider"])
            grant.disclosures[department] = grant.disclosures.pop(made["provider"])
        return grant

    def office_grant(self, department="health", claims=None, **section):
        """What the consent hall would sign if it had gone wrong."""
        status = {"status": {"status_list": {"idx": 0, "uri": self.status_uri}}}
        section = {"method": "face", "level": 3, **section}
        return self.mandate(department, claims={"iss": self.hall, **status, **(claims or {})},
                            key=self.hall_key, kid=self.hall_kid, **section)

    def consented(self, person=None):
        """A grant the citizen really gave at the desk; returns (its id, the grant)."""
        person = person or self.person
        ticket = self.me.request_grant("applicant", person, self.case())
        grant_id = self.desk.confirm(ticket, person.id_no, self.me.profile.spiffe, self.me.form)
        return grant_id, self.me.fetch_grant(ticket, person)

    def read(self, grant=None, department="tax", person=None, **build):
        """One sealed read; `build` goes to Requester.build_read."""
        return self.me.build_read(grant or self.mandate(department), department, person or self.person,
                                  **build)

    def wants(self, department="tax", **changes):
        """The form's wants for a department, the first one changed."""
        wants = self.me.wants(department, "applicant", self.person)
        for name, value in changes.items():
            if isinstance(value, list):
                del getattr(wants[0], name)[:]
                getattr(wants[0], name).extend(value)
            else:
                setattr(wants[0], name, value)
        return wants

    # --- sending them ---

    def ask(self, *reads, **collect):
        """Sends reads through the honest broker; what came of the last."""
        events = self.me.collect(list(reads), **collect)
        event = events[-1]
        if event.code != "ANSWERED":
            if event.sealed:
                raise AssertionError("a refusal with an answer")
            return Seen("event", event.code)
        self.me.check_receipt(reads[-1], event)
        answer = self.me.open(reads[-1], event)
        if answer.code != "OK" and answer.facts:
            raise AssertionError("an inner refusal with facts")
        return Seen("inner", answer.code)

    def call(self, server, caller, method, request):
        """A unary call by a member; what came of it."""
        try:
            self.world.call(server, caller, method, request)
        except Refused as error:
            return refused(error)
        return Seen("event", "OK")

    def channel(self, server, caller):
        """A channel to a node with a member's certificate, or the clerk's; with caller None to the agent's socket."""
        if caller not in (None, CLERK):
            return self.world.channel(server, caller)
        if (server, caller) not in self._channels:
            address = self.running.members[server].address
            self._channels[server, caller] = plain_channel(address) if caller is None else secure_channel(
                address, self.world.ca, *(os.path.join(self._clerk.folder, file) for file in ("cert.pem", "key.pem")))
        return self._channels[server, caller]

    def perform(self, attack):
        """Makes one attack; returns what was seen."""
        try:
            return attack.send(self)
        except Refused as error:
            return refused(error)

    # --- evidence, read by ourselves ---

    def rows(self, node, start=0):
        """(index, bytes) of a node's leaves from `start`, straight from its file."""
        return self._select(node, "SELECT idx, bytes FROM leaf WHERE idx >= ? ORDER BY idx", start)

    def _select(self, node, sql, *values):
        path = os.path.join(self.running.members[node].state, "evidence.db")
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def leaves(self, node, start=0):
        """(index, Leaf) of a node's log from `start`."""
        return [(index, receipts.read_leaf(raw)) for index, raw in self.rows(node, start)]

    def size(self, node):
        """How many leaves a node's log has."""
        return self._select(node, "SELECT coalesce(max(idx) + 1, 0) FROM leaf")[0][0]

    def outcomes(self, node, start, expected=()):
        """("TYPE", "CODE") of what a log holds from `start`, without what is a node's own business and not
        expected."""
        found = [(leaf.type, leaf.code) for _, leaf in self.leaves(node, start)]
        return [outcome for outcome in found if outcome[0] not in _OWN or outcome in expected]

    def await_outcomes(self, node, start, expected, repeats=False):
        """Waits until a log holds what is expected; returns what it holds, sorted. Counted denials take
        a second."""
        end = time.monotonic() + _LOG_SECONDS
        while True:
            found = sorted(self.outcomes(node, start, expected))
            if repeats:
                found = sorted(set(found))
            if found == sorted(expected) or time.monotonic() > end:
                return found
            time.sleep(0.05)

    def counterparts(self):
        """(txns the broker ended, txns it routed, hashes of all departments' READ entries)."""
        ours = [leaf for _, leaf in self.leaves("broker")]
        ends = {leaf.txn.hex() for leaf in ours if leaf.type in ("DELIVER", "FAILURE")}
        routes = {leaf.txn.hex() for leaf in ours if leaf.type == "ROUTE"}
        reads = {receipts.leaf_hash(raw) for member in self.running.members.values()
                 if member.kind == "adapter" for _, raw in self.rows(member.name)}
        return ends, routes, reads

    # --- health ---

    def trouble(self):
        """Sentences about what is not well: a process gone, a report in a log."""
        wrong = [f"{name} has ended" for name, process in self.running.processes.items()
                 if not process.is_running]
        for name, process in self.running.processes.items():
            with open(process.log, "rb") as file:
                match = _TROUBLE.search(file.read())
            if match:
                wrong.append(f"{name}: {match.group().decode()} in {process.log}")
        return wrong


def _is_under_14(id_no):
    now = time.localtime()
    today = now.tm_year * 10000 + now.tm_mon * 100 + now.tm_mday
    return today - int(id_no[6:14]) < 140000
