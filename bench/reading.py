"""What bench-load must know to seal reads as the window agent does, and to be the broker: written once from
the federation's own files."""

import base64
import json
import os

from directory import split_operator
from material import STATUS_URI
from requester import Federation as Asked
from requester import Profile, Requester

DEPARTMENT, ROLE = "education", "applicant"
PROOF, LEVEL = "face", 3


def _log_key(vkey):
    """The raw key of a note's verifier key: name, hash, base64 of a byte for the kind and 32 of the key."""
    return base64.b64decode(vkey.split("+", 2)[2])[1:].hex()


def _wants(form):
    for fact in form.asked(DEPARTMENT, ROLE):
        name, args = split_operator(fact["operator"])
        yield {"view": fact["view"], "field": fact["field"], "operator": name, "args": args}


def _section(requester):
    form = requester.form
    asked = form.sections[DEPARTMENT]
    views = sorted(form.granted_views(DEPARTMENT, ROLE, requester.directory), key=lambda view: view["view"])
    return {"provider": DEPARTMENT, "form": form.id, "form_version": form.version,
            "form_sha256": form.sha256.hex(), "purpose": form.purpose, "basis": asked["basis"],
            "law": asked["law"], "role": ROLE, "method": PROOF, "level": LEVEL, "notice": bytes(32).hex(),
            "answer_bytes": asked["answer_bytes"], "views": views}


def write(federation, path):
    """Writes the plan: reads of one department under grants of the consent office."""
    asked = Asked(os.path.join(federation.root, "endpoints.json"))
    try:
        profile = Profile.load(asked, "window")
        requester = Requester(asked, profile)
        members, material = federation.members, federation.material
        adapter, broker, hall = members[DEPARTMENT], members["broker"], members["consent"]
        seal_id, seal_public = requester.directory.seal_key(adapter.spiffe, 0)
        plan = {
            "requester": members["window"].spiffe, "requester_org": members["window"].organization,
            "broker": broker.spiffe, "adapter": adapter.spiffe,
            "seal_id": seal_id, "seal_public": seal_public.hex(),
            "adapter_log_key": _log_key(material.vkeys[DEPARTMENT]),
            "sender_key": members["window"].path("seal.key"),
            "issuer_key": hall.path("issuer.pem"), "operator_key": members["window"].path("issuer.pem"),
            "broker_key": broker.path("log.pem"), "broker_state": broker.state,
            "issuer": hall.organization, "kid": "hall-1", "status_uri": STATUS_URI,
            "operator_kid": profile.kid, "unit": profile.unit, "person": profile.person,
            "section": _section(requester), "wants": list(_wants(requester.form))}
    finally:
        asked.close()
    with open(path, "w", encoding="utf-8") as file:
        json.dump(plan, file)
