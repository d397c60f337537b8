"""Calls that are well formed and ask for what is not the caller's, or is too much: parcels at the broker, an intake's
clerk, and the agent's methods for cases and policies."""

import os
import time

import paths  # noqa: F401  (first)
from attack import cut, refused
from by_wire import send_raw
from ground import CLERK, CLERKS_DEPARTMENT

_DAY = 86400
_SQL = "' OR 1=1 --"
_CASE = "c-" + "0" * 32
_ACTOR = {"badge": "W-0017", "unit": "street-office-01"}


def _call(server, caller, method, message, **fields):
    """A unary call; values that are functions are made on the ground."""
    def send(ground):
        made = {name: value(ground) if callable(value) else value for name, value in fields.items()}
        ground.contract.call(ground.channel(server, caller), method, ground.new(message, **made))
        raise AssertionError("let in")
    return send


# --- parcels at the broker ---

def _parcel(sealed=None, entry=False, **changes):
    """A parcel of the window's for a department, sealed for nobody, with something else in it."""
    def make(ground):
        seal = {"key_id": "s1", "enc": os.urandom(32), "sender_key": os.urandom(32), "ciphertext": bytes(4096 + 16),
                **(sealed or {})}
        fields = {"name": os.urandom(16), "sender": ground.me.profile.spiffe, "recipient": ground.world.spiffe("tax"),
                  "expires_unix_s": int(time.time()) + _DAY, **changes}
        fields = {name: value(ground) if callable(value) else value for name, value in fields.items()}
        routed = ground.new("RoutedParcel", parcel=ground.new("Parcel", sealed=ground.new("Sealed", **seal), **fields))
        if entry:
            routed.entry.SetInParent()
        return routed
    return make


def _submit(name, code, parcel):
    return refused(name, code, _call("broker", "window", "Broker/Submit", "SubmitRequest", parcel=parcel))


def _take(name, code, **fields):
    return refused(name, code, _call("broker", "window", "Broker/Take", "TakeRequest", **fields))


PARCELS = [
    refused("no parcel", "MALFORMED", _call("broker", "window", "Broker/Submit", "SubmitRequest")),
    _submit("a parcel with nothing in it", "MALFORMED", lambda g: g.new("RoutedParcel", parcel=g.new("Parcel"))),
    _submit("a parcel in a department's name", "MALFORMED", _parcel(sender=lambda g: g.world.spiffe("tax"))),
    _submit("a parcel whose name is a byte short", "MALFORMED", _parcel(name=bytes(15))),
    _submit("a parcel for a window", "PEER_UNLISTED", _parcel(recipient=lambda g: g.me.profile.spiffe)),
    _submit("a parcel for the broker itself", "PEER_UNLISTED", _parcel(recipient=lambda g: g.world.spiffe("broker"))),
    _submit("a parcel for SQL", "PEER_UNLISTED", _parcel(recipient=_SQL)),
    _submit("a parcel for nobody of 300 characters", "MALFORMED", _parcel(recipient="x" * 300)),
    _submit("a parcel that never ends", "MALFORMED", _parcel(expires_unix_s=2 ** 62)),
    _submit("a parcel that has ended", "PARCEL_EXPIRED", _parcel(expires_unix_s=1)),
    _submit("a parcel of a size that tells", "MALFORMED", _parcel({"ciphertext": bytes(5000)})),
    _submit("a parcel of 96 KiB", "TOO_LARGE", _parcel({"ciphertext": bytes(96 * 1024 + 16)})),
    _submit("a parcel that goes on with a seal", "MALFORMED", _parcel({"seq": 1})),
    _submit("a parcel with an entry of no log", "MALFORMED", _parcel(entry=True)),
    cut("a parcel of 4 MiB", ["RESOURCE_EXHAUSTED"],
        lambda g: send_raw(g, g.channel("broker", "window"), "/lianban.v1.Broker/Submit", bytes(4 << 20))),
    _take("a receipt without an entry", "RECEIPT_INVALID",
          receipts=lambda g: [g.new("ParcelReceipt", name=bytes(16), sender=g.world.spiffe("tax"),
                                    recipient=g.me.profile.spiffe, code="DELIVERED")]),
    _take("257 ends at once", "MALFORMED", ended=[bytes(16)] * 257),
    _take("an end by a name of 17 bytes", "MALFORMED", ended=[bytes(17)]),
]


# --- an intake's clerk ---

def _intake(name, code, method, message, **fields):
    return refused(name, code, _call(CLERKS_DEPARTMENT, CLERK, "Adapter/" + method, message, **fields))


def _word(**fields):
    return lambda ground: ground.new("Word", **fields)


INTAKE = [
    _intake("a part that is not there", "PARCEL_UNKNOWN", "GetPart", "GetPartRequest", number=2 ** 63 - 1),
    _intake("a part below the first", "PARCEL_UNKNOWN", "GetPart", "GetPartRequest", number=-2 ** 63),
    _intake("a part acknowledged that is not there", "PARCEL_UNKNOWN", "AckPart", "AckPartRequest", number=7),
    _intake("a word of no kind", "MALFORMED", "SayWord", "SayWordRequest", number=7, word=_word()),
    _intake("a word about nothing", "PARCEL_UNKNOWN", "SayWord", "SayWordRequest", number=7,
            word=_word(kind=1, reference="r-1")),
    _intake("no word", "MALFORMED", "SayWord", "SayWordRequest", number=7),
]


# --- the agent's own socket ---

def _agent(name, code, method, message, **fields):
    return refused(name, code, _call("window", None, "Window/" + method, message, **fields))


def _of_no_case(method, message, **fields):
    return _agent(f"{method} for a case that is not there", "CASE_UNKNOWN", method, message, case_id=_CASE, **fields)


def _act(method, message, **fields):
    return _of_no_case(method, message, actor=lambda g: g.new("CaseActor", **_ACTOR), **fields)


def _answers(answers, **fields):
    return {"answers": lambda g: [g.new("PolicyAnswer", question=question, answer=answer)
                                  for question, answer in answers], **fields}


AGENT = [
    _of_no_case("Submit", "SubmitCaseRequest"), _of_no_case("Supplement", "SupplementRequest", part="x", note="n"),
    _of_no_case("Withdraw", "WithdrawRequest"), _of_no_case("Retry", "RetryRequest"),
    _of_no_case("Attest", "CaseRequest"), _of_no_case("GetRecords", "GetRecordsRequest"),
    _of_no_case("GetLetter", "GetLetterRequest", language="zh"),
    _act("AddFact", "AddFactRequest", fact="x", value="1", grade="B", source="s", reason="r",
         document_sha256=bytes(32)),
    _act("RecordHearing", "RecordHearingRequest", date="2026-01-01", said="s"),
    _act("DecideCase", "DecideCaseRequest", class_id="DIBAO", reason="r", law=["SAL45"]),
    _act("RequestCorrection", "RequestCorrectionRequest", fact="x", says="s"),
    _act("CloseCorrection", "CloseCorrectionRequest", correction=1, outcome="kept", answer="a"),
    _agent("SQL for a case that is handed over", "CASE_UNKNOWN", "Submit", "SubmitCaseRequest", case_id=_SQL),
    _agent("a path for a case to attest", "CASE_UNKNOWN", "Attest", "CaseRequest", case_id="../../../etc/passwd"),
    _agent("figures of a month that is not over", "MALFORMED", "GetFigures", "GetFiguresRequest", month="9999-12"),
    _agent("figures of a month that is none", "MALFORMED", "GetFigures", "GetFiguresRequest", month="2026-13"),
    _agent("more cases on a page than there may be", "MALFORMED", "ListCases", "ListCasesRequest", limit=2 ** 32 - 1),
    _agent("SQL for a work list's place", "MALFORMED", "ListCases", "ListCasesRequest", after=_SQL),
    _agent("policies on a day that is none", "MALFORMED", "CalculatePolicies", "CalculatePoliciesRequest",
           day="2026-02-30"),
    _agent("policies by a question that is none", "ANSWER_INVALID", "CalculatePolicies", "CalculatePoliciesRequest",
           **_answers([(_SQL, "yes")])),
    _agent("policies by 5,000 answers", "ANSWER_INVALID", "CalculatePolicies", "CalculatePoliciesRequest",
           **_answers([("age", "7")] * 5000)),
]

ATTACKS = PARCELS + INTAKE + AGENT
