"""The directory and the form, read from their published bytes."""

import json

import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import receipts
import sdjwt


class Directory:
    """A verified directory note (docs/PROTOCOL.md section 1)."""

    def __init__(self, note, vkey, now):
        content = json.loads(receipts.open_note(note, vkey))
        receipts.need(content["type"] == "lianban-directory/v1", "not a directory")
        receipts.need(content["issued"] <= now + 60 and now < content["expires"], "not current")
        self.federation = content["federation"]
        self._nodes = {node["spiffe"]: node for node in content["nodes"]}
        self._issuers = {(i["organization"], i["kid"]): i for i in content["issuers"]}
        self._views = content["views"]
        self.forms = content["forms"]

    def adapter(self, organization):
        """SPIFFE id of an organization's adapter."""
        prefix = f"spiffe://{self.federation}/adapter/{organization}"
        return min(spiffe for spiffe in self._nodes
                   if spiffe == prefix or spiffe.startswith(prefix + "/"))

    def endpoint(self, spiffe):
        return self._nodes[spiffe]["endpoint"]

    def log_vkey(self, spiffe):
        return self._nodes[spiffe]["log"]

    def seal_key(self, spiffe, now):
        """(key id, 32 bytes) of a node's newest sealing key that its own log key vouches for."""
        newest = max(self._nodes[spiffe]["seal"], key=lambda key: key["not_after"])
        receipts.need(newest["not_after"] > now, "no sealing key is valid any more")
        text = (f"lianban sealing key v1\n{spiffe}\n{newest['id']}\n{newest['key']}\n"
                f"{newest['not_after']}\n")
        self._check(spiffe, newest["signature"], text)
        return newest["id"], sdjwt.unb64(newest["key"])

    def share_key(self, spiffe, started):
        """(key id, 32 bytes) of the share key under which an adapter takes part in a run."""
        valid = [key for key in self._nodes[spiffe]["share"]
                 if key.get("not_before", 0) <= started < key["not_after"]]
        receipts.need(valid, "no share key is valid")
        last = max(valid, key=lambda key: (key.get("not_before", 0), key["not_after"]))
        begin = f"{last['not_before']}\n" if "not_before" in last else ""
        text = (f"lianban share key v{2 if begin else 1}\n{spiffe}\n{last['id']}\n{last['key']}\n"
                f"{begin}{last['not_after']}\n")
        self._check(spiffe, last["signature"], text)
        return last["id"], sdjwt.unb64(last["key"])

    def _check(self, spiffe, signature, text):
        """A key is published with its node's own signature."""
        _, public = receipts.parse_vkey(self.log_vkey(spiffe))
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(sdjwt.unb64(signature), text.encode())
        except InvalidSignature:
            raise receipts.BadEvidence("a published key is not the node's own") from None

    def issuer(self, organization, kid, kind):
        """The public key of an issuer that may issue this kind."""
        issuer = self._issuers[organization, kid]
        receipts.need(kind in issuer["kinds"], f"{organization} does not issue {kind}")
        return sdjwt.public_key(issuer["x"], issuer["y"])

    def view_version(self, view):
        """The highest version listed of a view."""
        return max(listed["version"] for listed in self._views if listed["id"] == view)


class Form:
    """A form's file, as Broker.GetForm gives it."""

    def __init__(self, summary, content):
        self.id, self.version, self.sha256 = summary.form, summary.version, summary.sha256
        file = yaml.load(content, yaml.CSafeLoader)
        self.purpose, self.sections, self.facts = file["purpose"], file["sections"], file["facts"]
        self._shares = file.get("shares", [])

    def asked(self, department, role):
        """The facts a department is asked for a role."""
        return [fact for fact in self.facts
                if fact["department"] == department and role in fact["roles"]]

    def slot_facts(self, slot):
        """The facts a blind household sum adds up, in their order."""
        (names,) = [share["facts"] for share in self._shares if share["slot"] == slot]
        return [next(fact for fact in self.facts if fact["fact"] == name) for name in names]

    def departments(self, role, bases):
        """Departments that are asked about a role on one of these legal bases."""
        return [name for name, section in self.sections.items()
                if section["basis"] in bases and self.asked(name, role)]

    def granted_views(self, department, role, directory):
        """The section's `views` for what the form asks."""
        views = {}
        for fact in self.asked(department, role):
            entry = {"field": fact["field"], "op": fact["operator"]}
            fields = views.setdefault(fact["view"], [])
            if entry not in fields:
                fields.append(entry)
        return [{"view": view, "version": directory.view_version(view), "fields": fields}
                for view, fields in views.items()]


def split_operator(text):
    """"CMP(<,area.mean)" as ("CMP", ["<", "area.mean"])."""
    name, _, rest = text.partition("(")
    return name, rest[:-1].split(",") if rest else []
