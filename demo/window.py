"""Plays the window system: takes an application to the agent beside it, and to the desk for consent."""

import dataclasses
import hashlib
import os
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from desk import documents
from stubs import Refused, plain_channel

FORM = "social-assistance"
BADGE, UNIT = "W-0017", "street-office-01"


@dataclasses.dataclass
class Outcome:
    """What one collect came to."""

    case_id: str
    class_id: str
    facts: list       # CaseFact messages of this collect
    result: object    # CaseResult

    def states(self, department):
        """The states of one department's facts, each once."""
        return sorted({fact.state for fact in self.facts if fact.department == department})


class Window:
    """The window system; its agent is reached through a local socket."""

    def __init__(self, contract, agent, desk):
        self._contract, self._desk = contract, desk
        self._channel = plain_channel(agent)
        self.badge, self.unit = BADGE, UNIT
        self.device = None  # (the agent's SPIFFE id, the device key's file) of an operator who has one

    def close(self):
        self._channel.close()

    def open(self, members, form=FORM, approver=None):
        """Starts a case for members (role, id_no, name, applicant first); returns its number.
        `approver` is badge and unit of a second operator."""
        request = self._contract.new(
            "OpenCaseRequest", form=form, operator_badge=self.badge, operator_unit=self.unit,
            members=[self._contract.new("Member", **{k: m[k] for k in ("role", "id_no", "name", "representative")
                                                     if k in m}) for m in members])
        if approver is not None:
            request.approver_badge, request.approver_unit = approver
        if self.device is not None:
            request.operator_proof.CopyFrom(self._prove(request))
        return self._call("OpenCase", request).case_id

    def _prove(self, request):
        """The device's signature over this very case (docs/PROTOCOL.md, section 2)."""
        agent, path = self.device
        now, nonce = int(time.time()), os.urandom(16)
        people = hashlib.sha256("".join(m.id_no + "\n" for m in request.members).encode()).hexdigest()
        text = "\n".join(("lianban operator proof v1", agent, request.operator_badge, request.operator_unit,
                          request.form, people, str(now), nonce.hex(), ""))
        with open(path, "rb") as file:
            key = serialization.load_pem_private_key(file.read(), None)
        r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return self._contract.new("OperatorProof", time_unix_s=now, nonce=nonce,
                                  signature=r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def notice(self, case_id, language="zh"):
        return self._call("GetNotice", self._contract.new("GetNoticeRequest", case_id=case_id,
                                                              language=language))

    def ask(self, case_id):
        """Asks the consent office for every member's grant; returns the tickets."""
        return self._call("RequestGrants", self._request(case_id)).tickets

    def agree(self, case_id, members):
        """Everybody goes to the desk and agrees; returns the grants' ids."""
        return self.confirm(case_id, members, [(t.member, t.request_id) for t in self.ask(case_id)])

    def confirm(self, case_id, members, tickets):
        """At the desk: (member, request) by (member, request)."""
        notice, grants = self.notice(case_id).sha256, []
        for index, request_id in tickets:
            shown, also = documents(members, index)
            grants.append(self._desk.confirm(request_id, shown, notice, also_id_no=also))
        return grants

    def collect(self, case_id, on_fact=None):
        """Asks the departments for what is missing; returns the Outcome."""
        facts, result = [], None
        for event in self._contract.stream(self._channel, "Window/Collect",
                                           self._request(case_id)):
            if event.WhichOneof("body") == "fact":
                facts.append(event.fact)
                if on_fact is not None:
                    on_fact(event.fact)
            else:
                result = event.result
        return Outcome(case_id, result.class_id, facts, result)

    def apply(self, members, form=FORM):
        """A whole application, from the counter to the suggested class."""
        case_id = self.open(members, form)
        self.agree(case_id, members)
        return self.collect(case_id)

    def get(self, case_id):
        """How a case stands; asked again where the connection was given up while nobody used it."""
        try:
            return self._call("GetCase", self._request(case_id))
        except Refused as refused:
            if refused.canonical != "UNAVAILABLE":
                raise
            return self._call("GetCase", self._request(case_id))

    # --- what departments get ---

    def submit(self, case_id):
        """Hands each department its part."""
        self._call("Submit", self._contract.new("SubmitCaseRequest", case_id=case_id))

    def parts(self, case_id):
        """How each department's part stands, by department; those for emergencies apart."""
        return {part.department: part for part in self.get(case_id).parts if not part.emergency}

    def supplement(self, case_id, part, title, sha256):
        """Sends a paper after, by its hash."""
        paper = self._contract.new("CasePaper", title=title, sha256=sha256)
        self._call("Supplement", self._contract.new("SupplementRequest", case_id=case_id, part=part, papers=[paper]))

    def withdraw(self, case_id, part=""):
        self._call("Withdraw", self._contract.new("WithdrawRequest", case_id=case_id, part=part))

    def correct(self, case_id, member, fact, says):
        """Has a department told that what it said of a fact is wrong."""
        actor = self._contract.new("CaseActor", badge=self.badge, unit=self.unit)
        self._call("RequestCorrection", self._contract.new("RequestCorrectionRequest", case_id=case_id, actor=actor,
                                                           member=member, fact=fact, says=says))

    def discard(self, case_id):
        """Closes a case and so erases it."""
        self._call("CloseCase", self._request(case_id))

    @property
    def channel(self):
        return self._channel

    def _request(self, case_id):
        return self._contract.new("CaseRequest", case_id=case_id)

    def _call(self, method, request):
        return self._contract.call(self._channel, "Window/" + method, request)
