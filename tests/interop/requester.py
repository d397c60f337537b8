"""An independent requester: asks a federation directly, by docs/PROTOCOL.md and proto/ alone.

    federation = Federation("D/endpoints.json")
    requester = Requester(federation, Profile.load(federation, "window"))
    grant = requester.mandate("applicant", person, case)
    read = requester.build_read(grant, "tax", person)
    (event,) = requester.collect([read])
    requester.check_receipt(read, event)
    answer = requester.open(read, event)
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import struct
import time

import yaml

import hpke
import receipts
import sdjwt
import share as share_sum
from directory import Directory, Form, split_operator
from stubs import Contract, secure_channel

PADDING = 1024
DEADLINE_S = 15


# --- the bytes of docs/PROTOCOL.md section 3 ---

def _field(bits, raw):
    return len(raw).to_bytes(bits // 8, "big") + raw


def info_of(requester, audience, key_id):
    """HPKE's info of a context."""
    return b"lianban read v1" + b"".join(
        _field(16, text.encode()) for text in (requester, audience, key_id))


def aad_of(request):
    """What the seal binds of a ReadRequest's open part."""
    parts = [b"lianban aad v1", _field(32, request.grant.encode()), _field(16, request.txn),
             struct.pack(">H", len(request.views))]
    parts += [_field(16, view.encode()) for view in request.views]
    parts.append(struct.pack(">QI", request.deadline_unix_ms, request.answer_bytes))
    return hashlib.sha256(b"".join(parts)).digest()


def pad(raw, size=None):
    """The frame of a plaintext: length, message, zeros up to `size` or the next multiple of 1,024."""
    framed = _field(32, raw)
    return framed.ljust(size or -(-len(framed) // PADDING) * PADDING, b"\0")


def unpad(framed):
    """The message in a frame."""
    end = 4 + int.from_bytes(framed[:4], "big")
    receipts.need(len(framed) >= end and not any(framed[end:]), "bad padding")
    return framed[4:end]


# --- who and where ---

@dataclasses.dataclass(frozen=True)
class Person:
    """A subject; `household` has the identity numbers of all declared members."""

    id_no: str
    name: str
    household: tuple = ()


@dataclasses.dataclass
class Grant:
    """A grant and its sections by provider, with the salt of the commitment to the subject."""

    jwt: str
    salt: bytes
    disclosures: dict
    sections: dict


@dataclasses.dataclass
class Read:
    """A sealed request with what is needed to open its answer."""

    request: object
    context: hpke.Context
    plain: object


@dataclasses.dataclass
class Profile:
    """A requester's own keys. `unit` and `person` are of the operator who asks."""

    name: str
    spiffe: str
    organization: str
    seal_private: bytes
    kid: str
    issuer_key: object
    unit: str = "interop-1"
    person: str = "0123456789abcdef0123456789abcdef"

    @classmethod
    def load(cls, federation, name):
        """Reads a window's keys, as its node.yaml names them."""
        node = federation.nodes[name]
        with open(node["config"], encoding="utf-8") as file:
            config = yaml.safe_load(file)

        def path(file):
            return os.path.join(os.path.dirname(node["config"]), file)

        with open(path(config["seal_keys"][0]["file"]), encoding="ascii") as file:
            word, private = file.read().split()
        if word != "lianban-x25519-private":
            raise ValueError("not a sealing key")
        return cls(name, node["spiffe"], node["spiffe"].split("/")[4], sdjwt.unb64(private),
                   config["issuer"]["kid"], sdjwt.load_private(path(config["issuer"]["key"])))


class Federation:
    """Where everything is: D/endpoints.json and the directory it names."""

    def __init__(self, endpoints):
        with open(endpoints, encoding="utf-8") as file:
            content = json.load(file)
        self.ca, self.nodes = content["ca"], content["nodes"]
        with open(content["directory"], encoding="utf-8") as file:
            self.directory = Directory(file.read(), content["directory_vkey"], time.time())
        self.contract = Contract()
        self._channels = {}

    def channel(self, server, caller):
        """A channel to one node with the certificate of another."""
        if (server, caller) not in self._channels:
            own = self.nodes[caller]
            self._channels[server, caller] = secure_channel(
                self.nodes[server]["address"], self.ca, own["cert"], own["key"])
        return self._channels[server, caller]

    def call(self, server, caller, method, request, **options):
        """A unary call; raises stubs.Refused."""
        return self.contract.call(self.channel(server, caller), method, request, **options)

    def spiffe(self, name):
        return self.nodes[name]["spiffe"]

    def close(self):
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()


class Requester:
    """A window system that does everything itself."""

    def __init__(self, federation, profile, form="social-assistance"):
        self.federation, self.profile = federation, profile
        self.contract, self.directory = federation.contract, federation.directory
        reply = federation.call("broker", profile.name, "Broker/GetForm",
                                self.contract.new("GetFormRequest", form=form))
        receipts.need(hashlib.sha256(reply.content).digest() == reply.summary.sha256, "form's hash")
        self.form = Form(reply.summary, reply.content)
        self.seal_public = hpke.public_of(profile.seal_private)

    # --- grants ---

    def section(self, department, role, salt, person, case, /, **changes):
        """A section as the form has it; `changes` are members with other values, None to leave out."""
        asked = self.form.sections[department]
        section = {
            "provider": department, "aud": self.directory.adapter(department), "form": self.form.id,
            "form_version": self.form.version, "form_sha256": self.form.sha256.hex(),
            "purpose": self.form.purpose, "case": case, "basis": asked["basis"], "law": asked["law"],
            "role": role, "act": self.profile.person, "notice": bytes(32).hex(), "method": "none",
            "level": 2, "uses": asked["uses"], "answer_bytes": asked["answer_bytes"],
            "sub": sdjwt.commitment(salt, person.id_no),
            "views": self.form.granted_views(department, role, self.directory), **changes}
        return {name: value for name, value in section.items() if value is not None}

    def issue(self, sections, salt, claims=None, kid=None, key=None):
        """Signs a grant over sections with the requester's own key, or another."""
        now = int(time.time())
        disclosures = {section["provider"]: sdjwt.disclose(section) for section in sections}
        open_claims = {
            "iss": self.profile.organization, "iat": now, "nbf": now, "exp": now + 3600,
            "jti": os.urandom(16).hex(), "requester": self.profile.organization,
            "cnf": {"jkt": sdjwt.thumbprint(self.seal_public)}, **(claims or {})}
        jwt = sdjwt.make_grant(open_claims, list(disclosures.values()), kid or self.profile.kid,
                               key or self.profile.issuer_key)
        return Grant(jwt, salt, disclosures, {s["provider"]: s for s in sections})

    def mandate(self, role, person, case, departments=None):
        """What the law lets the requester ask by itself."""
        salt = os.urandom(16)
        departments = departments or self.form.departments(role, ("mandate",))
        return self.issue([self.section(name, role, salt, person, case) for name in departments], salt)

    def request_grant(self, role, person, case, guardian=None, representative=None):
        """Files a request with the consent office; returns the ticket. A representative is who agrees for
        an adult, by the fields of its message."""
        request = self.contract.new(
            "GrantRequest", form=self.form.id, form_version=self.form.version,
            form_sha256=self.form.sha256, case_id=case, requester_key=self.seal_public, role=role,
            id_no=person.id_no, name=person.name, operator=self.profile.person)
        if guardian is not None:
            request.guardian.id_no, request.guardian.name = guardian.id_no, guardian.name
            request.guardian.relation = "parent"
        if representative is not None:
            request.representative.CopyFrom(self.contract.new("Representative", **representative))
        return self.federation.call("consent", self.profile.name, "ConsentOffice/RequestGrant", request)

    def fetch_grant(self, ticket, person):
        """Fetches and checks what the citizen agreed to."""
        reply = self.federation.call(
            "consent", self.profile.name, "ConsentOffice/GetGrant",
            self.contract.new("GetGrantRequest", request_id=ticket.request_id))
        jwt, disclosures = sdjwt.split(reply.sd_jwt)
        header, peeked = sdjwt.peek(jwt, sdjwt.GRANT_TYP)
        receipts.need(peeked["iss"] != self.profile.organization, "consent in our own name")
        payload = sdjwt.check_grant(
            jwt, self.directory.issuer(peeked["iss"], header["kid"], "consent"), time.time())
        receipts.need(payload["requester"] == self.profile.organization
                      and payload["cnf"]["jkt"] == sdjwt.thumbprint(self.seal_public), "not for us")
        sections = [sdjwt.section_of(payload, disclosure) for disclosure in disclosures]
        for section in sections:
            receipts.need(section["sub"] == sdjwt.commitment(reply.subject_salt, person.id_no),
                          "grant is about somebody else")
        return Grant(jwt, reply.subject_salt, {s["provider"]: d for s, d in zip(sections, disclosures)},
                     {s["provider"]: s for s in sections})

    # --- asking ---

    def operator_token(self, **changes):
        """The token of the person at the window."""
        own = self.profile
        return sdjwt.operator_token(own.organization, own.unit, own.person, own.kid, own.issuer_key,
                                    int(time.time()), **changes)

    def wants(self, department, role, person, shares=False):
        """What the form asks a department, with what the citizen states; a share only on demand,
        because it belongs to a run."""
        claims = {"name": [person.name], "household": list(person.household or (person.id_no,))}
        found = []
        for fact in self.form.asked(department, role):
            name, args = split_operator(fact["operator"])
            if name == "SHARE" and not shares:
                continue
            found.append(self.contract.new("Want", view=fact["view"], field=fact["field"],
                                           operator=name, args=args,
                                           claim=claims.get(fact.get("claim"), [])))
        return found

    def new_context(self, audience, key_id=None, public=None, private=None, requester=None):
        """Sets up HPKE towards an adapter; returns (key id, enc, sender's public key, context)."""
        listed_id, listed = self.directory.seal_key(audience, time.time())
        private, key_id = private or self.profile.seal_private, key_id or listed_id
        info = info_of(requester or self.profile.spiffe, audience, key_id)
        enc, context = hpke.setup_auth_sender(public or listed, info, private)
        return key_id, enc, hpke.public_of(private), context

    def build_read(self, grant, department, person, setup=None, seq=0, opened=None, sealed=None,
                   share=None):
        """One sealed request under a section. `opened` and `sealed` replace members of ReadRequest and
        SealedRequest before they are sealed; `setup` is what new_context returned; with a ShareRun
        the form's shares are asked as well."""
        section = grant.sections[department]
        wants = self.wants(department, section["role"], person, share is not None)
        request = self.contract.new("ReadRequest", **{
            "txn": os.urandom(16), "audience": section["aud"], "requester": self.profile.spiffe,
            "grant": grant.jwt, "views": sorted({want.view for want in wants}),
            "deadline_unix_ms": int((time.time() + DEADLINE_S) * 1000),
            "answer_bytes": section["answer_bytes"], **(opened or {})})
        plain = self.contract.new("SealedRequest", **{
            "version": 1, "section": grant.disclosures[department], "id_no": person.id_no,
            "name": person.name, "salt": grant.salt, "operator_token": self.operator_token(),
            "rid": os.urandom(16), "iat": int(time.time()), "wants": wants,
            **({} if share is None else {"share": share}), **(sealed or {})})
        return self.seal(request, plain, setup or self.new_context(section["aud"]), seq)

    def seal(self, request, plain, setup, seq=0):
        """Seals a SealedRequest into a ReadRequest."""
        key_id, enc, sender, context = setup
        ciphertext = context.seal(seq, aad_of(request), pad(plain.SerializeToString()))
        request.sealed.CopyFrom(self.contract.new("Sealed", key_id=key_id, enc=enc, sender_key=sender,
                                                  seq=seq, ciphertext=ciphertext))
        return Read(request, context, plain)

    def collect(self, reads, token=None, timeout=DEADLINE_S + 5, broker="broker", **changes):
        """Sends reads through a broker; returns their events in the order of the reads. `changes`
        replace members of CollectRequest."""
        request = self.contract.new("CollectRequest", **{
            "form": self.form.id, "form_version": self.form.version, "form_sha256": self.form.sha256,
            "reads": [read.request for read in reads], **changes})
        metadata = () if token == "" else (("lianban-operator", token or self.operator_token()),)
        channel = self.federation.channel(broker, self.profile.name)
        events = {}
        with contextlib.closing(self.contract.stream(channel, "Broker/Collect", request, timeout,
                                                     metadata)) as stream:
            for event in stream:
                receipts.need(event.txn not in events, "two outcomes of one read")
                events[event.txn] = event
        receipts.need(set(events) == {read.request.txn for read in reads}, "other reads' outcomes")
        return [events[read.request.txn] for read in reads]

    # --- blind household sums ---

    def share_parts(self, slot):
        """The contributions of a slot, with the keys that their adapters have published."""
        parts = []
        for fact in self.form.slot_facts(slot):
            spiffe = self.directory.adapter(fact["department"])
            key_id, public = self.directory.share_key(spiffe, time.time())
            months = int(split_operator(fact["operator"])[1][0])
            parts.append(share_sum.Part(spiffe, key_id, public, fact["view"], fact["field"], months))
        return parts

    def share_set(self, run, parts):
        """What every department of a run must have masked for."""
        return share_sum.set_digest(self.form.id, self.form.version, self.form.sha256, run.slot, parts,
                                    run.persons)

    @staticmethod
    def begin_run(slot, grants):
        """A new run over the subjects of grants, in their order."""
        return share_sum.Run(slot, [sdjwt.unb64(next(iter(grant.sections.values()))["sub"])
                                    for grant in grants])

    # --- the answer ---

    def open(self, read, event):
        """The SealedAnswer of an ANSWERED event."""
        request = read.request
        receipts.need(event.code == "ANSWERED" and len(event.sealed) == request.answer_bytes,
                      "no answer of the declared size: " + event.code)
        seq, ciphertext = request.sealed.seq, request.sealed.ciphertext
        key = read.context.export(b"lianban answer" + struct.pack(">Q", seq)
                                  + hashlib.sha256(ciphertext).digest(), 16)
        answer = self.contract.type("SealedAnswer").FromString(
            unpad(hpke.aead_open(key, bytes(12), request.txn, event.sealed)))
        receipts.need(answer.version == 1, "answer of another version")
        return answer

    def check_receipt(self, read, event, broker="broker"):
        """Both sides' entries, proved and linked; BadEvidence. Returns the adapter's leaf."""
        return receipts.check_receipt(read.request, event,
                                      self.directory.log_vkey(read.request.audience),
                                      self.directory.log_vkey(self.federation.spiffe(broker)))


class Desk:
    """The consent office's desk: a citizen shows a document and decides."""

    def __init__(self, federation, name="desk"):
        self._federation, self._name = federation, name

    def confirm(self, ticket, document, requester, form, agreed=True, also=""):
        """Records a decision; returns the grant's id."""
        new = self._federation.contract.new
        notice = self._call("Notice", new("NoticeRequest", form=form.id, form_version=form.version,
                                          requester=requester, language="zh"))
        return self._call("Confirm", new("ConfirmRequest", request_id=ticket.request_id, agreed=agreed,
                                         method="face", level=3, id_no=document,
                                         also_id_no=also, notice_sha256=notice.sha256)).grant_id

    def revoke(self, grant_id, document):
        """Withdraws a grant; returns RevokeResponse."""
        return self._call("Revoke", self._federation.contract.new(
            "RevokeRequest", grant_id=grant_id, id_no=document))

    def _call(self, method, request):
        return self._federation.call("consent", self._name, "ConsentOffice/" + method, request)
