"""Clerks of the demo's departments: they take out what windows hand in, and answer it."""

import json
import os

from members import CLERK
from officers import Officer
from stubs import Refused, secure_channel


class Clerk(Officer):
    """One department's clerk, whom its policy names, at the own adapter."""

    def __init__(self, federation, name):
        super().__init__(federation, name, CLERK)
        self.name, self._channel = name, None

    def close(self):
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def parts(self, everything=True):
        """All parts that were handed in; without `everything` those that wait."""
        parts, after = [], 0
        while True:
            reply = self._call("ListParts", "ListPartsRequest", after=after, all=everything)
            parts += reply.parts
            if not reply.more:
                return parts
            after = parts[-1].number

    def next(self):
        """The oldest that waits and is nobody's; None when there is none."""
        reply = self._call("NextPart", "NextPartRequest")
        return reply if reply.found else None

    def show(self, number):
        """One part with all that was said of it."""
        return json.loads(self._call("GetPart", "GetPartRequest", number=number).json)

    def acknowledge(self, number):
        self._call("AckPart", "AckPartRequest", number=number)

    def say(self, number, kind, ack=False, **fields):
        """A word about a submission: its kind by name, and what belongs to that kind."""
        word = self._federation.contract.new("Word", **fields)
        word.kind = word.Kind.Value(kind)
        self._call("SayWord", "SayWordRequest", number=number, word=word, ack=ack)

    def accept(self, number):
        """Takes a submission out and on, under a number of the department's."""
        self.say(number, "ACCEPTED", ack=True, reference=f"{self.name}-{number}")

    def decide(self, number, outcome="GRANTED"):
        word = self._federation.contract.type("Word")
        self.say(number, "DECIDED", outcome=word.Outcome.Value(outcome), text_zh="已办结。", text_en="Done.",
                 law="SAL43")

    def _call(self, method, request, **fields):
        contract = self._federation.contract
        if self._channel is None:
            member, files = self._federation.members[self.name], ("cert.pem", "key.pem")
            self._channel = secure_channel(member.address, self._federation.material.ca,
                                           *(os.path.join(self.folder, file) for file in files))
        try:
            return contract.call(self._channel, "Adapter/" + method, contract.new(request, **fields))
        except Refused as refused:
            if refused.canonical == "UNAVAILABLE":  # stock Python polls a connection it dials too seldom
                self.close()
            raise


def enrolled(federation, names, version):
    """A clerk for each of these departments, by name; every node knows them when this returns."""
    clerks = {name: Clerk(federation, name).certify() for name in names}
    federation.material.publish_directory(version)
    federation.wait_directory(version)
    return clerks
