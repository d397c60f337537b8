"""Whoever signs the directory, together with the broker's keys: members, issuers and forms of its own are
inert, and keys and adapters that are known do not change."""

import contextlib
import copy
import dataclasses
import json
import os
import time

import paths  # noqa: F401  (first)
import hpke
import receipts
import sdjwt
import share
from attack import at_adapter, sealed, told
from by_share import SLOT, Household
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from ground import Seen
from processes import wait_until
from rogue import Log, leaf

DEPARTMENT, OTHER = "tax", "finance"  # the two take part in the blind household sum
WATCHED = ("window", DEPARTMENT, "broker", "consent")
_SECONDS = 8
_SHADOW = "shadow-office"
_WINDOW = f"spiffe://demo.lianban/window/{_SHADOW}"
_ADAPTER = f"spiffe://demo.lianban/adapter/{_SHADOW}"
_ISSUER_KEY = sdjwt.ec.generate_private_key(sdjwt.ec.SECP256R1())
_LOG_KEY = Ed25519PrivateKey.generate()
_SEAL, _SHARE = hpke.generate(), hpke.generate()
_PLAUSIBLE_CENTS = 1 << 40  # more than anybody earns, and far less than a share


# --- directories ---

def _raw(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _vkey(name, key):
    raw = b"\1" + _raw(key)
    return f"{name}+{receipts.key_id(name, _raw(key)).hex()}+{receipts.base64.b64encode(raw).decode()}"


def _key(kind, spiffe, id_, private):
    """A sealing or share key of a node, signed with the signer's own log key."""
    key, until = sdjwt.b64(hpke.public_of(private)), int(time.time()) + 86400 * 3
    text = f"lianban {kind} key v1\n{spiffe}\n{id_}\n{key}\n{until}\n"
    return {"id": id_, "key": key, "not_after": until, "signature": sdjwt.b64(_LOG_KEY.sign(text.encode()))}


def _node(spiffe):
    """A node with keys of the signer's own, as right as any."""
    return {"spiffe": spiffe, "endpoint": "127.0.0.1:1", "log": _vkey(spiffe[len("spiffe://"):], _LOG_KEY),
            "seal": [_key("sealing", spiffe, "s1", _SEAL)]}


def _issuer(organization, kid, kinds):
    numbers = _ISSUER_KEY.public_key().public_numbers()
    return {"organization": organization, "kid": kid, "x": sdjwt.b64(numbers.x.to_bytes(32, "big")),
            "y": sdjwt.b64(numbers.y.to_bytes(32, "big")), "kinds": kinds, "status": ""}


class Signer:
    """The directory's key in other hands."""

    def __init__(self, ground):
        self._ground, self._path = ground, ground.running.material.directory
        folder = os.path.dirname(self._path)
        with open(os.path.join(folder, "directory.pem"), "rb") as file:
            self._key = load_pem_private_key(file.read(), None)
        with open(self._path, encoding="utf-8") as file:
            self._note = file.read()
        self.content = json.loads(receipts.open_note(self._note, ground.running.material.directory_vkey))

    def _publish(self, content):
        note = receipts.make_note(json.dumps(content, ensure_ascii=False) + "\n", "demo.lianban/directory",
                                  self._key)
        self._write(note)
        return note

    def _write(self, note):
        with open(self._path + ".new", "w", encoding="utf-8") as file:
            file.write(note)
        os.replace(self._path + ".new", self._path)

    def _logs(self, nodes):
        for name in nodes:
            path = self._ground.running.processes[name].log
            with open(path, "rb") as file:
                yield name, file.read()

    def _publish_and_wait(self, content, word):
        """Publishes, and waits until every watched node has said the word anew."""
        before = {name: log.count(word) for name, log in self._logs(WATCHED)}
        note = self._publish(content)
        wait_until(lambda: all(log.count(word) > before[name] for name, log in self._logs(WATCHED)), _SECONDS,
                   word.decode())
        return note

    def add(self, change):
        """A next version that every node accepts."""
        content = copy.deepcopy(self.content)
        content["version"] += 1
        change(content)
        self._note = self._publish_and_wait(content, b'"directory_accepted"')
        self.content = content

    @contextlib.contextmanager
    def during(self, change):
        """A next version for a while; then one with what was before."""
        before = self.content
        self.add(change)
        try:
            yield
        finally:
            self.add(lambda content: content.update({**before, "version": content["version"]}))

    def refused(self, change):
        """A directory that every watched node must refuse; the codes they did it with. The accepted one is
        put back."""
        content = copy.deepcopy(self.content)
        content["version"] += 1
        change(content)
        sizes = {name: len(log) for name, log in self._logs(WATCHED)}
        self._publish_and_wait(content, b'"directory_refused"')
        self._write(self._note)
        codes = set()
        for name, log in self._logs(WATCHED):
            lines = [json.loads(line) for line in log[sizes[name]:].splitlines() if b'"directory_refused"' in line]
            codes.update(line["code"] for line in lines)
        return codes


def shadows(content):
    """A window, an issuer, a form and a department of the signer's own."""
    content["organizations"].append({"id": _SHADOW, "zh": "影子", "en": "Shadow"})
    content["nodes"] += [_node(_WINDOW), {**_node(_ADAPTER), "share": [_key("share", _ADAPTER, "m1", _SHARE)]}]
    content["issuers"].append(_issuer(_SHADOW, "s1", ["mandate", "consent", "operator"]))
    content["forms"].append({"id": "shadow-form", "version": 1, "sha256": "ab" * 32})


# --- what the shadows get ---

def _fake_window(ground):
    """Everything right but that nobody named it: its own key, grant, operator and seal."""
    now = int(time.time())
    section = ground.me.section(DEPARTMENT, "applicant", bytes(16), ground.person, ground.case())
    claims = {"iss": _SHADOW, "requester": _SHADOW,
              "cnf": {"jkt": sdjwt.thumbprint(hpke.public_of(_SEAL))}}
    grant = ground.me.issue([section], bytes(16), claims, "s1", _ISSUER_KEY)
    token = sdjwt.operator_token(_SHADOW, "u", ground.me.profile.person, "s1", _ISSUER_KEY, now)
    setup = ground.me.new_context(section["aud"], private=_SEAL, requester=_WINDOW)
    read = ground.read(grant, DEPARTMENT, opened={"requester": _WINDOW}, sealed={"operator_token": token},
                       setup=setup)
    log = Log(ground, "broker", [leaf("ROUTE", "ROUTED", read.request)])
    message = ground.new("RoutedReadRequest", log=log.progress(),
                         read=ground.new("RoutedRead", request=read.request, route=log.proof(0)))
    return Seen("event", ground.world.call(DEPARTMENT, "broker", "Adapter/Read", message).answer.code)


def _fake_issuer(department, **section):
    def send(ground):
        grant = ground.mandate(department, claims={"iss": _SHADOW}, kid="s1", key=_ISSUER_KEY, **section)
        return ground.ask(ground.read(grant, department))
    return send


def _fake_form(ground):
    grant = ground.mandate(DEPARTMENT, form="shadow-form", form_version=1, form_sha256="ab" * 32)
    return ground.ask(ground.read(grant))


# --- one person's part in a household's sum ---

def _peeled(ground, run, set_, shares, key_of):
    """What one department's shares of all persons come to once the masks that it has in common with the others
    are taken off; `key_of` gives what stands for their private keys."""
    parts = ground.me.share_parts(SLOT)
    seats = [seat for seat, part in enumerate(parts) if f"/adapter/{DEPARTMENT}" not in part.spiffe]
    left = sum(shares)
    for seat in seats:
        private = key_of(parts[seat])
        mine = dataclasses.replace(parts[seat], public=hpke.public_of(private))
        others = [*parts[:seat], mine, *parts[seat + 1:]]
        left += sum(share.mask(run, set_, others, person, seat, private) for person in range(len(run.persons)))
    return left % share.MODULUS


def _real_key(ground):
    """What the signer would have to have: the share keys of the other departments."""
    def key_of(part):
        with open(ground.running.members[part.spiffe.split("/")[4]].path("share.key"), encoding="ascii") as file:
            return sdjwt.unb64(file.read().split()[1])
    return key_of


def _fake_participant(ground):
    """A department of the signer's own has a share key, and knows all else that masks are made of. It is no part
    of the sum, which the departments' own policies name, so it takes nothing off one department's shares; with
    the real departments' keys the same sum is that department's amounts."""
    couple, shares = Household(ground, [ground.somebody(), ground.somebody()]), []
    for index, person in enumerate(couple.people):
        read = ground.read(couple.grants[index], person=person,
                           share=couple.run.message(ground.contract, index))
        (event,) = ground.me.collect([read])
        answer = ground.me.open(read, event)
        shares += [fact.number % share.MODULUS for fact in answer.facts if fact.operator == "SHARE"]
    if answer.share_set != ground.me.share_set(couple.run, ground.me.share_parts(SLOT)):
        raise AssertionError("the sum is over others than the policies name")
    found = _peeled(ground, couple.run, answer.share_set, shares, lambda part: _SHARE)
    if min(found, sum(shares) % share.MODULUS) < _PLAUSIBLE_CENTS:
        raise AssertionError("one department's amount came out")
    if _peeled(ground, couple.run, answer.share_set, shares, _real_key(ground)) >= _PLAUSIBLE_CENTS:
        raise AssertionError("this would not have shown it")
    return Seen("inner", answer.code)


def _ask_share(ground):
    return Household(ground, [ground.somebody(), ground.somebody()]).ask(0)


INERT = [
    sealed("a participant of a sum that the directory's signer added", "OK", _fake_participant, DEPARTMENT,
           before=1),
    told("a window that the directory's signer added", "REQUESTER_NOT_ALLOWED", _fake_window,
         **{DEPARTMENT: [("READ", "REQUESTER_NOT_ALLOWED")]}),
    at_adapter("an issuer that the directory's signer added, for a mandate", "ISSUER_INERT",
               _fake_issuer(DEPARTMENT), DEPARTMENT),
    at_adapter("an issuer that the directory's signer added, for consent", "ISSUER_INERT",
               _fake_issuer("public-security", method="face", level=3), "public-security"),
    at_adapter("a form that the directory's signer added", "FORM_INERT", _fake_form),
]


# --- what is refused whole ---

def _real(content, department=DEPARTMENT):
    return next(node for node in content["nodes"] if f"/adapter/{department}" in node["spiffe"])


def _further_adapter(content):
    content["nodes"].append(_node(f"spiffe://demo.lianban/adapter/{DEPARTMENT}/0"))


def _adapter_instead(content):
    content["nodes"].remove(_real(content))
    _further_adapter(content)


def _log_key(content, department=DEPARTMENT):
    real = _real(content, department)
    spiffe, endpoint = real["spiffe"], real["endpoint"]
    real.clear()
    real.update({**_node(spiffe), "endpoint": endpoint})


def _share_key(content):
    """Another share key for a department that takes part in a sum; its log key has not signed it."""
    real = _real(content, OTHER)
    real["share"] = [_key("share", real["spiffe"], real["share"][0]["id"], _SHARE)]


def _further_share_key(content):
    real = _real(content, OTHER)
    real["share"].append(_key("share", real["spiffe"], "m9", _SHARE))


def _share_and_log_key(content):
    _log_key(content, OTHER)
    real = _real(content, OTHER)
    real["share"] = [_key("share", real["spiffe"], "m1", _SHARE)]


def _share_key_of_another(content):
    """The shadow's key with the shadow's signature."""
    real = _real(content, OTHER)
    real["share"] = [_key("share", _ADAPTER, "m1", _SHARE)]


def _no_share_key(content):
    del _real(content, OTHER)["share"]


def _share_key_over(content):
    """The department's own key, said to be valid longer than it signed."""
    _real(content, OTHER)["share"][0]["not_after"] += 3600


def _issuer_key(content):
    hall = next(issuer for issuer in content["issuers"] if "consent" in issuer["kinds"]
                and issuer["organization"] != _SHADOW)
    hall.update({name: _issuer("x", "x", [])[name] for name in "xy"})


def _further_issuer_key(content):
    hall = next(issuer for issuer in content["issuers"] if "consent" in issuer["kinds"]
                and issuer["organization"] != _SHADOW)
    content["issuers"].append(_issuer(hall["organization"], "k-new", ["consent"]))


def _rollback(content):
    content["version"] -= 2


def _two_of_one_version(content):
    content["version"] -= 1
    content["organizations"][0]["en"] = "Another"


REFUSED = [
    ("a further adapter of a department", _further_adapter, "KEY_CHANGED"),
    ("a department's adapter replaced", _adapter_instead, "KEY_CHANGED"),
    ("a department's keys replaced", _log_key, "KEY_CHANGED"),
    ("the consent hall's key replaced", _issuer_key, "KEY_CHANGED"),
    ("a further key of the consent hall", _further_issuer_key, "KEY_CHANGED"),
    ("the share key of a department of the sum replaced", _share_key, "DIRECTORY_INVALID"),
    ("a further share key of a department of the sum", _further_share_key, "DIRECTORY_INVALID"),
    ("a share key of another department", _share_key_of_another, "DIRECTORY_INVALID"),
    ("a share key made to last longer", _share_key_over, "DIRECTORY_INVALID"),
    ("share key and log key of a department replaced", _share_and_log_key, "KEY_CHANGED"),
    ("an older directory", _rollback, "DIRECTORY_ROLLBACK"),
    ("two directories of one version", _two_of_one_version, "DIRECTORY_ROLLBACK"),
]


# --- what is accepted, and stops service ---

WITHOUT = [
    (_no_share_key, at_adapter("the share key of a department of the sum left out", "SHARE_PEER", _ask_share,
                               DEPARTMENT)),
]
