"""Scenes with a window that does what it must not: it has all of a window's keys, and none helps.

It speaks to the broker directly, through the independent requester of tests/interop.
"""

import os

from cases import find_story
from requester import Federation, Person, Profile, Requester


class Intruder:
    """A window's own keys in the wrong hands."""

    def __init__(self, federation):
        self._federation = federation
        self._remote = Federation(os.path.join(federation.root, "endpoints.json"))
        self.requester = Requester(self._remote, Profile.load(self._remote, "window"))
        self.victim, self.other = (_person(federation, key) for key in ("dibao-couple", "none-deposits"))

    def close(self):
        self._remote.close()

    def ungranted_field(self):
        """The grant names deposits; transfers are asked as well."""
        asker, salt = self.requester, os.urandom(16)
        section = asker.section("finance", "applicant", salt, self.victim, _case())
        section["views"] = [view for view in section["views"] if view["view"] == "finance.deposits"]
        more = asker.contract.new("Want", view="finance.payout", field="paid", operator="SUM", args=["12"])
        return self._ask("finance", asker.build_read(
            asker.issue([section], salt), "finance", self.victim,
            opened={"views": ["finance.deposits", "finance.payout"]},
            sealed={"wants": asker.wants("finance", "applicant", self.victim) + [more]}))

    def replay(self):
        """The very bytes of a request that was answered, once more."""
        asker = self.requester
        read = asker.build_read(asker.mandate("applicant", self.victim, _case()), "tax", self.victim)
        first = self._ask("tax", read)
        return self._ask("tax", read) if first["code"] == "OK" else first

    def other_person(self):
        """A citizen agreed; the grant is used to ask about somebody else."""
        asker = self.requester
        ticket = asker.request_grant("applicant", self.victim, _case())
        notice = self._federation.call("consent", "ConsentOffice/Notice", asker.contract.new(
            "NoticeRequest", form=asker.form.id, form_version=asker.form.version, language="zh",
            requester=asker.profile.spiffe))
        self._federation.desk.confirm(ticket.request_id, self.victim.id_no, notice.sha256)
        grant = asker.fetch_grant(ticket, self.victim)
        return self._ask("civil-affairs", asker.build_read(grant, "civil-affairs", self.other))

    def self_consent(self):
        """The window signs the citizen's consent with its own key."""
        asker, salt = self.requester, os.urandom(16)
        section = asker.section("public-security", "applicant", salt, self.victim, _case())
        grant = asker.issue([section], salt)
        return self._ask("public-security", asker.build_read(grant, "public-security", self.victim))

    def _ask(self, department, read):
        """What a request came to; a refusal about the subject is inside the sealed answer only."""
        event, = self.requester.collect([read])
        self.requester.check_receipt(read, event)
        inner = self.requester.open(read, event).code if event.code == "ANSWERED" else ""
        return {"department": department, "txn": read.request.txn.hex(), "outer": event.code,
                "code": inner or event.code}


_ATTEMPTS = (
    (Intruder.ungranted_field, "FIELD_NOT_GRANTED", "FIELD_NOT_GRANTED",
     "查询授权之外的字段", "a field that was not granted"),
    (Intruder.replay, "REPLAY", "REPLAY", "重放已答复的请求", "a request sent a second time"),
    (Intruder.other_person, "SUBJECT_MISMATCH", "ANSWERED",
     "拿甲的授权查乙（中转方只见“已答复”）", "one person's grant for another; the broker sees only ANSWERED"),
    (Intruder.self_consent, "SELF_CONSENT", "SELF_CONSENT",
     "窗口自己替本人签同意", "a window signing the consent itself"),
)


def refusals(federation, narrator):
    """Each attempt is refused with its code."""
    narrator.scene("窗口越权：四种企图，各被拒绝", "A window goes too far: four attempts, each refused")
    intruder, found, good = Intruder(federation), [], True
    try:
        for attempt, code, outer, zh, en in _ATTEMPTS:
            came = attempt(intruder)
            held = came["code"] == code and came["outer"] == outer
            good = good and held
            narrator.row(held, (zh, 38), (en, 62), (came["code"], 0))
            found.append({**came, "expected": code, "ok": held})
    finally:
        intruder.close()
    return {"scene": "hostile", "ok": good, "refusals": found}


def _person(federation, key):
    members = find_story(federation, key)["members"]
    return Person(members[0]["id_no"], members[0]["name"], tuple(m["id_no"] for m in members))


def _case():
    return "demo-" + os.urandom(6).hex()
