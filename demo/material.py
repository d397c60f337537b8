"""Makes what a federation needs before its first start: keys, certificates, directory, configurations.

Only with the product's own commands, as any operator would.
"""

import base64
import functools
import hashlib
import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import yaml

import kept
from identity import id_check
from members import DEPARTMENTS, FEDERATION, HALL, NAMES, OFFICE, agent_of, clerk_of
from witnesses import Witnesses

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FORM = os.path.join(_ROOT, "policy", "forms", "social-assistance.yaml")
CATALOGUE = os.path.join(_ROOT, "policy", "catalogue", "catalogue.yaml")
# Besides the story's form: who looked at my data, asked by the person or by an authority.
ACCESS_FORM = os.path.join(_ROOT, "policy", "forms", "access-request.yaml")
OVERSIGHT_FORM = os.path.join(_ROOT, "policy", "forms", "oversight.yaml")
LIFE_FORMS = ("newborn", "retirement", "disability-subsidies", "education-aid", "student-aid", "medical-assistance",
              "illness-poverty", "public-rental-housing", "bereavement", "disability-recheck")
FORMS = {"social-assistance": FORM, "access-request": ACCESS_FORM, "oversight": OVERSIGHT_FORM,
         **{id: os.path.join(_ROOT, "policy", "forms", id + ".yaml") for id in LIFE_FORMS}}
RULES = os.path.join(_ROOT, "policy", "rules", "beijing-reference.yaml")
CALENDAR = os.path.join(_ROOT, "policy", "review", "calendar.yaml")
DIRECTORY_SIGNER = FEDERATION + "/directory"
SEAL_KEY_ID = "s1"
SHARE_KEY_ID = "m1"
# The household's income is added up blindly: the forms' slot, its contributions in the forms' order.
SLOT_FORMS = ("social-assistance", "illness-poverty", "public-rental-housing", "medical-burden")
SLOT, SLOT_ROLES = "income12", ["applicant", "member"]
CONTRIBUTIONS = (("social-security", "social-security.pension", "paid"),
                 ("social-security", "social-security.unemployment", "paid"),
                 ("tax", "tax.wage", "income"), ("tax", "tax.other", "income"),
                 ("finance", "finance.payout", "paid"))
SHARING = tuple(dict.fromkeys(department for department, _, _ in CONTRIBUTIONS))
STATUS_URI = f"https://{FEDERATION}/{HALL}/status/1"
# A demo may fill a machine's disk further than a department's node may.
_MARKS = {"alert_mb": 64, "stop_mb": 16, "reserve_mb": 2}
# Triggers, by the department that runs them; only in a federation where it has an agent of its own.
TRIGGERS = {"medical-burden": "medical-insurance", "long-unemployment": "social-security", "income-drop": "tax"}
# The consent hall signs grants; the street office signs mandates and its operators' tokens, a department's
# agent the latter alone.
_ISSUERS = {HALL: ("hall-1", ["consent"]), OFFICE: ("office-1", ["mandate", "operator"]),
            **{source: (source + "-1", ["operator"]) for source in TRIGGERS.values()}}
_SECRETS = {"adapter": ("pseudonym",), "consent": ("pseudonym",), "window": ("case", "person", "local")}
DEADLINE_MS = 10000
# Who serves at the window: badge, unit, and 17 digits of the number of somebody who does not exist.
OPERATORS = (("W-0017", "street-office-01", "99010119850101001"), ("W-1", "u-1", "99010119860101002"))


class CommandFailed(Exception):
    """One of the product's commands refused; the text is what it said."""


class Material:
    """Keys and files of all members, made once in `root`."""

    def __init__(self, root, binaries, members, share_runs):
        self._root, self._binaries, self._members, self._share_runs = root, binaries, members, share_runs
        self.pki = os.path.join(root, "pki")
        self.ca, self.crl = os.path.join(self.pki, "ca.pem"), os.path.join(self.pki, "crl.pem")
        self.directory = os.path.join(self.pki, "directory.note")
        self._signer = os.path.join(self.pki, "directory.pem")
        self.vkeys, self.issuers = {}, {}
        self.directory_vkey = None
        self.seals = {}           # a member's entries for the directory, oldest first
        self.shares = {}          # likewise
        self.listed_issuers = []  # likewise
        self.logs = {}            # a member's log key and what came before it, if it was replaced; an
                                  # officer's own key, by SPIFFE id
        self.signers = None       # files of who may sign the next directory; None for no change
        self._witnesses = Witnesses(members, self.lianban)
        self.officers = []        # SPIFFE ids of members' officers (officers.py)
        self.names, self.forms = dict(NAMES), dict(FORMS)
        self.forms.update({id: os.path.join(_ROOT, "policy", "forms", id + ".yaml")
                           for id, source in TRIGGERS.items() if agent_of(source) in members})
        self.views = {name: os.path.join(_ROOT, "demo", "departments", name, "views") for name in DEPARTMENTS}

    def make(self):
        self.directory_vkey, vkeys, issuers = kept.made(self._root, self._members.values(), self._make_all_keys)
        self.vkeys.update(vkeys)
        self.issuers.update(issuers)
        for member in self._members.values():
            self._note_entries(member)
        self.listed_issuers = [self._listed_issuer(organization) for organization in sorted(self.issuers)]
        self._witnesses.make()
        self.publish_directory(1)
        for member in self._members.values():
            self._configure(member)
        for badge, unit, first17 in OPERATORS:
            self.operator("add", badge, "--unit", unit, "--identity", "-", given=first17 + id_check(first17))

    def join(self, member):
        """All that one more member needs; the next directory lists it."""
        self._certify(member)
        self._make_keys(member)
        self._note_entries(member)
        self._configure(member)

    def configuration_of_forms(self, member):
        """What a broker, a consent office or a window says of the forms that there are."""
        published = [self._published(path) for path in self.forms.values()]
        if member.kind != "window":
            return {"forms": published}
        rules = self._published(RULES)
        return {"forms": [{"form": path, "rules": rules} for path in published]}

    def operator(self, word, badge, *options, given=None):
        """One command about somebody at the windows, whose agents may be running."""
        done = [self.lianban("operator", word, "--config", window.config, "--badge", badge, *options, given=given)
                for window in self._windows()]
        return done[0]

    def lianban(self, *arguments, may_fail=False, given=None):
        """Runs `lianban ... --json`, with `given` on its standard input; returns what it printed."""
        run = subprocess.run([os.path.join(self._binaries, "lianban"), *arguments, "--json"], input=given,
                             capture_output=True, text=True, check=False)
        if run.returncode not in ((0, 1) if may_fail else (0,)):
            raise CommandFailed(f"lianban {' '.join(arguments[:2])}: {run.stderr.strip()}")
        return json.loads(run.stdout)

    def officer(self, name):
        """The private key of a member's security officer; it is not on the node."""
        return os.path.join(self.pki, "officers", name + ".key")

    # --- keys and certificates ---

    def _make_all_keys(self):
        """Keys and certificates of all; returns the verifier keys of the directory and of every log, and the
        issuers' public keys."""
        self.lianban("pki", "init", "--dir", self.pki)
        for member in self._members.values():
            self._certify(member)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._make_keys, [m for m in self._members.values() if m.name != "desk"]))
        signer = self.lianban("keys", "log", "--out", self._signer, "--name", DIRECTORY_SIGNER, "--public",
                              self._signer + ".vkey")
        return signer["vkey"], self.vkeys, self.issuers

    def _certify(self, member):
        self.lianban("pki", "issue", "--dir", self.pki, "--id", member.spiffe, "--out", member.folder,
                     "--name", "127.0.0.1")

    def _make_keys(self, member):
        self.vkeys[member.name] = self.lianban("keys", "log", "--out", member.path("log.pem"), "--name",
                                               member.spiffe, "--public", member.path("log.vkey"))["vkey"]
        if member.keeps_log:
            os.makedirs(os.path.dirname(self.officer(member.name)), exist_ok=True)
            self.lianban("keys", "officer", "--out", self.officer(member.name),
                         "--public", member.path("officer.pub"))
        if member.name in SHARING:
            self.lianban("keys", "share", "--out", member.path("share.key"))
            self.lianban("directory", "share-key", "--id", member.spiffe, "--log-key",
                         member.path("log.pem"), "--share-key", member.path("share.key"), "--key-id",
                         SHARE_KEY_ID, "--out", member.path("share.json"))
            os.mkdir(member.path("share"), 0o700)
        if member.kind in ("adapter", "window"):
            self.lianban("keys", "seal", "--out", member.path("seal.key"))
            self.lianban("directory", "seal-key", "--id", member.spiffe, "--log-key",
                         member.path("log.pem"), "--seal-key", member.path("seal.key"),
                         "--key-id", SEAL_KEY_ID, "--out", member.path("seal.json"))
            os.mkdir(member.path("seal"), 0o700)
            os.mkdir(member.path("pseudonyms"), 0o700)
        if member.organization in _ISSUERS and member.name in (member.kind, agent_of(member.organization)):
            self.issuers[member.organization] = self.lianban(
                "keys", "issuer", "--out", member.path("issuer.pem"), "--public",
                member.path("issuer.json"))
        for secret in _SECRETS.get(member.kind, ()):
            self.lianban("keys", "secret", "--out", member.path(secret + ".key"))

    def _note_entries(self, member):
        """What the directory will say of a member's keys at first."""
        if member.name in SHARING:
            self.shares[member.name] = [member.path("share.json")]
        if member.kind in ("adapter", "window"):
            self.seals[member.name] = [member.path("seal.json")]

    # --- the directory ---

    def publish_directory(self, version, without=(), signer=None):
        """Builds and signs the directory; nodes read it within a second."""
        source = os.path.join(self.pki, "directory.yaml")
        text = os.path.join(self.pki, "directory.json")
        _write_yaml(source, self._directory(version, without))
        self.lianban("directory", "build", "--from", source, "--out", text)
        self.lianban("directory", "sign", "--text", text, "--key", signer or self._signer, "--name",
                     DIRECTORY_SIGNER, "--out", self.directory)

    def _directory(self, version, without):
        nodes = [self._listed(member) for member in self._members.values() if member.name not in without]
        nodes += [{"spiffe": spiffe, **self.logs.get(spiffe, {})} for spiffe in self.officers]
        signers = {"signers": self.signers} if self.signers else {}
        return {
            "federation": FEDERATION, "version": version, "days": 30, "ca": ["ca.pem"], **signers,
            "organizations": [{"id": id, "zh": zh, "en": en} for id, (zh, en) in self.names.items()],
            "nodes": nodes,
            "issuers": self.listed_issuers,
            "forms": [{"id": id, "version": 1, "file": self._published(path)} for id, path in self.forms.items()],
            "rules": [{"id": "beijing-reference", "version": 2, "file": self._published(RULES)}],
            "views": self._listed_views(),
        }

    def _listed_views(self):
        """Every view of every department, as the directory lists it."""
        listed = []
        for folder in self.views.values():
            for name in sorted(os.listdir(folder)):
                view = _read_yaml(os.path.join(folder, name))
                listed.append({"id": view["view"], "version": view["version"],
                               "file": os.path.join(folder, name)})
        return listed

    def _listed(self, member):
        listed = {"spiffe": member.spiffe}
        if member.address and member.kind != "window":
            listed["endpoint"] = member.address
        if member.name != "desk":
            listed.update(self.logs.get(member.name, {"log_key": member.path("log.vkey")}))
        if member.kind in ("adapter", "window"):
            listed["seal_keys"] = self.seals[member.name]
        if member.name in SHARING:
            listed["share_keys"] = self.shares[member.name]
        return listed

    def _listed_issuer(self, organization):
        kid, kinds = _ISSUERS[organization]
        listed = {"organization": organization, "kid": kid, "kinds": kinds,
                  "key": self._signer_of(organization).path("issuer.json")}
        if organization == HALL:
            listed["status"] = STATUS_URI
        return listed

    # --- the nodes' configurations ---

    def _configure(self, member):
        common = {
            "node": member.spiffe,
            "identity": {"cert": "cert.pem", "key": "key.pem", "ca": "ca.pem"},
            "crl": self.crl,
            "directory": {"file": self.directory, "signers": [self.directory_vkey]},
            "state": "state",
        }
        own = self._desk(member) if member.name == "desk" else getattr(self, "_" + member.kind)(member)
        if member.name != "desk":
            common.update(log_key="log.pem", next_log_key="log-2.pem", disk=_MARKS)
        if member.keeps_log:
            common["officer_key_file"] = "officer.pub"
        if member.address or member.inside:
            common["listen"] = member.address or member.inside
        _write_yaml(member.config, {**common, **self._witnesses.configuration(member), **own})

    def _broker(self, member):
        return self.configuration_of_forms(member)

    def _consent(self, member):
        return {**self.configuration_of_forms(member), "issuer": self._issuer_of(member),
                "status_uri": STATUS_URI, "pseudonym_key": "pseudonym.key"}

    def _auditor(self, _member):
        return {}

    def _desk(self, _member):
        return {"consent": self._members["consent"].spiffe, "requester": self._members["window"].spiffe,
                "form": "social-assistance"}

    def _window(self, member):
        local = {"local": {"http": member.http, "grpc": member.grpc, "secret": "local.key"}} if member.http else {}
        return {**self.configuration_of_forms(member),
                "seal_keys": [{"id": SEAL_KEY_ID, "file": "seal.key"}], "seal_folder": "seal",
                "issuer": self._issuer_of(member),
                "case_key": "case.key", "person_key": "person.key", "operators": "operators",
                **self._brokers_of_window(), "consent": self._members["consent"].spiffe,
                "deadline_ms": DEADLINE_MS, "policies": CATALOGUE, "calendar": self._published(CALENDAR), **local}

    def _windows(self):
        return [member for member in self._members.values() if member.kind == "window"]

    def _brokers(self):
        return [member.spiffe for member in self._members.values() if member.kind == "broker"]

    def _brokers_of_window(self):
        brokers = self._brokers()
        return {"broker": brokers[0]} if len(brokers) == 1 else {"brokers": brokers}

    def _adapter(self, member):
        shutil.copytree(self.views[member.name], member.path("views"))
        os.makedirs(member.path("rules"))
        shutil.copy(RULES, member.path("rules"))
        _write_yaml(member.path("policy.yaml"), self._policy(member))
        database = os.path.join(os.path.dirname(self.pki), "departments", member.name + ".db")
        own = {"policy": "policy.yaml", "source": {"plugin": "sqlite", "location": database},
               "seal_keys": [{"id": SEAL_KEY_ID, "file": "seal.key"}], "seal_folder": "seal",
               "pseudonym_key": "pseudonym.key", "pseudonym_folder": "pseudonyms"}
        if member.name in SHARING:
            own.update(share_keys=[{"id": SHARE_KEY_ID, "file": "share.key"}], share_folder="share")
        if not member.address:
            own["attach"] = self._brokers()
        return own

    def _policy(self, member):
        """What a department accepts; nothing the directory says can widen it."""
        issuers = [{"organization": organization, "kid": _ISSUERS[organization][0],
                    "key_sha256": _key_hash(key)} for organization, key in sorted(self.issuers.items())]
        policy = {
            "policy": member.name,
            "rules": "rules/" + os.path.basename(RULES),
            "views": ["views/" + name for name in sorted(os.listdir(member.path("views")))],
            "accept": {
                "brokers": self._brokers(),
                "requesters": [{"spiffe": window.spiffe, "log": self.vkeys[window.name]}
                               for window in self._windows()],
                "issuers": issuers,
                "forms": [{"form": id, "version": 1, "sha256": _file_hash(path)} for id, path in self.forms.items()],
            },
        }
        if member.name in SHARING:
            policy["shares"] = [self._share(form) for form in SLOT_FORMS if form in self.forms]
        forms = self._handed_in(member)
        if forms:
            policy["intake"] = {"forms": forms, "clerks": [clerk_of(member)]}
        return policy

    def _handed_in(self, member):
        """The parts of forms that a department takes on; and what citizens say of its data, wherever it answers."""
        forms = []
        for id, path in self.forms.items():
            form = _read_yaml(path)
            own = [part["part"] for part in form.get("parts", ()) if part["department"] == member.organization]
            answers = member.organization in form["sections"]
            # Of a trigger only signals are taken, and of its source's agent alone.
            taken = "signals" if id in TRIGGERS else "corrections"
            if own or (answers and id not in TRIGGERS):
                forms.append({"form": id, "version": 1, "parts": own, taken: True, "requesters": [
                    window.spiffe for window in self._windows()
                    if window.organization == TRIGGERS.get(id, OFFICE)]})
        return forms

    def _share(self, form):
        """The blind sum of a form as each department that takes part approved it."""
        return {
            "slot": SLOT, "form": form, "version": 1, "roles": list(SLOT_ROLES),
            "persons": 12, "runs": self._share_runs, "days": 30,
            "adapters": [{"department": name, "spiffe": self._members[name].spiffe,
                          "log": self.vkeys[name]} for name in SHARING],
            "contributions": [{"department": department, "view": view, "field": field, "months": 12}
                              for department, view, field in CONTRIBUTIONS],
        }

    def _signer_of(self, organization):
        """The member for which the organization's key was made."""
        return self._members[{HALL: "consent", OFFICE: "window"}.get(organization, agent_of(organization))]

    def _issuer_of(self, member):
        """An organization has one key, with which all its nodes sign."""
        key = self._signer_of(member.organization).path("issuer.pem")
        return {"kid": _ISSUERS[member.organization][0], "key": os.path.relpath(key, member.folder),
                "folder": "issuer"}

    def _published(self, path):
        """A copy beside the directory, for all to read."""
        folder = os.path.join(self.pki, "published")
        os.makedirs(folder, exist_ok=True)
        return shutil.copy(path, folder)


def _read_yaml(path):
    """A file as it is now; each version is read once, because Python takes long over it."""
    return _parsed_yaml(path, os.stat(path).st_mtime_ns)


@functools.lru_cache(maxsize=None)
def _parsed_yaml(path, _version):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, yaml.CSafeLoader)


def _write_yaml(path, content):
    with open(path, "w", encoding="utf-8") as file:
        yaml.dump(content, file, yaml.CSafeDumper, allow_unicode=True, sort_keys=False)


def _file_hash(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _key_hash(jwk):
    raw = b"".join(base64.urlsafe_b64decode(jwk[part] + "=") for part in "xy")
    return hashlib.sha256(raw).hexdigest()
