"""Every method of every service: garbage from who may call it, and a call by who may not."""

import paths  # noqa: F401  (first)
from attack import Attack
from by_wire import send_raw
from ground import CLERK, CLERKS_DEPARTMENT, Seen

_HALL = {"Notice": ("window", "tax"), "RequestGrant": ("window", "broker"), "GetGrant": ("window", "broker")}
_WINDOW = (
    "OpenCase GetNotice RequestGrants Collect GetCase ListCases AddFact RecordHearing DecideCase RequestCorrection "
    "CloseCorrection GetRecords GetLetter GetFigures Watch CloseCase CalculatePolicies Attest Submit Supplement "
    "Withdraw Retry ListOverdue").split()
_ANYBODY = None  # every member may call it

# Who serves a method, who may call it, and who may not. The agent's own socket is its account's.
DOORS = {
    "Broker/ListForms": ("broker", "window", "tax"),
    "Broker/GetForm": ("broker", "window", "tax"),
    "Broker/Collect": ("broker", "window", "tax"),
    "Broker/Attach": ("broker", "tax", "window"),
    "Broker/RelayStatus": ("broker", "desk", "window"),
    "Broker/RelayRevocation": ("broker", "desk", "tax"),
    "Broker/Submit": ("broker", "window", "tax"),
    "Broker/Follow": ("broker", "window", "tax"),
    "Broker/Take": ("broker", "window", "tax"),
    "Operations/GetStatus": ("broker", "broker", "window"),
    "Operations/GetChannels": ("broker", "broker", "window"),
    "Operations/GetParcels": ("broker", "broker", "window"),
    "Node/About": ("broker", "window", _ANYBODY),
    **{f"ConsentOffice/{method}": ("consent", *_HALL.get(method, ("desk", "window"))) for method in (
        "Notice RequestGrant Confirm GetGrant Revoke ListPending IssueEmergency CloseEmergency ListDue GetRecord "
        "GetSlip FindSlip").split()},
    "ConsentOffice/GetStatusList": ("consent", "desk", _ANYBODY),
    "Adapter/Describe": ("tax", "broker", _ANYBODY),
    "Adapter/Read": ("tax", "broker", "window"),
    "Adapter/Link": ("tax", "broker", "window"),
    **{f"Adapter/{method}": (CLERKS_DEPARTMENT, CLERK, "window") for method in (
        "StopGrant EraseSubject ListParts NextPart GetPart AckPart SayWord").split()},
    "Evidence/GetCheckpoint": ("tax", "window", _ANYBODY),
    "Evidence/GetProof": ("tax", "window", _ANYBODY),
    "Evidence/AddCheckpoint": ("tax", "window", _ANYBODY),
    "Evidence/GetTile": ("tax", "window", _ANYBODY),
    "Evidence/GetEntries": (CLERKS_DEPARTMENT, CLERK, "window"),
    "Evidence/RecordReview": (CLERKS_DEPARTMENT, CLERK, "window"),
    "Evidence/NextAccessQuestion": (CLERKS_DEPARTMENT, CLERK, _ANYBODY),
    "Evidence/AnswerAccessQuestion": (CLERKS_DEPARTMENT, CLERK, _ANYBODY),
    "Evidence/GetDigests": ("tax", "broker", "desk"),
    "Evidence/GetDigestEntries": ("tax", "broker", "desk"),
    **{f"Window/{method}": ("window", None, _ANYBODY) for method in _WINDOW},
}
# Methods that answer about somebody, or could: what they refuse is evidence.
_RECORDED = ("Broker/Collect", "Broker/Attach", "Adapter/Read", "Adapter/Link")
_GARBAGE = (b"\xff" * 64, b"\x0a\xff\xff\xff\x7f", b"\x03" * 5000, b"\x5b" * 100000)
# What no node of this federation is set up for: it has no such method then (tests/e2e/test_witness.py, test_access.py).
_NOT_SERVED = ("Evidence/AddCheckpoint", "Evidence/NextAccessQuestion", "Evidence/AnswerAccessQuestion")


# --- every method ---

def _send(ground, method, caller, raw):
    server = DOORS[method][0]
    return send_raw(ground, ground.channel(server, caller), f"/lianban.v1.{method}", raw)


def _garbage(method):
    server, caller, _ = DOORS[method]

    def send(ground):
        seen = set()
        for raw in _GARBAGE:
            outcome = _send(ground, method, caller, raw)
            # The real peer has dialled anew meanwhile, and its link took the place of this one.
            for _ in range(5):
                if outcome.code == "CANCELLED":
                    outcome = _send(ground, method, caller, raw)
            seen.add(outcome)
        if len(seen) != 1:
            raise AssertionError(f"not one outcome: {seen}")
        return seen.pop()
    logs = {server: [("DENY", "MALFORMED")]} if method in _RECORDED else {}
    code = "NO_METHOD" if method in _NOT_SERVED else "MALFORMED"
    return Attack(f"garbage for {method}", "refused", (code,), send, logs, repeats=True)


def _strangers(server):
    """Every method of a node by who may not call it."""
    closed = [(method, door[2]) for method, door in DOORS.items() if door[0] == server and door[2] is not _ANYBODY]

    def send(ground):
        seen = {method: _send(ground, method, stranger, b"") for method, stranger in closed}
        let_in = {method: outcome for method, outcome in seen.items() if outcome != Seen("refused", "ROLE_NOT_ALLOWED")}
        if let_in:
            raise AssertionError(f"not refused by role: {let_in}")
        return Seen("refused", "ROLE_NOT_ALLOWED")
    return Attack(f"whoever may not call them, at every method of {server}", "refused", ("ROLE_NOT_ALLOWED",), send,
                  {server: [("DENY", "ROLE_NOT_ALLOWED")]}, repeats=True)


METHODS = [_garbage(method) for method in DOORS]
STRANGERS = [_strangers(server) for server in ("broker", "consent", "tax", CLERKS_DEPARTMENT)]

ATTACKS = METHODS + STRANGERS
