"""Two departments of the demo that compare their lists: agreements, officers, and the three steps."""

import hashlib
import os
import shutil

import yaml

from members import DEPARTMENTS
from officers import Officer

_HERE = os.path.dirname(os.path.abspath(__file__))
ASKER, ANSWERER = "civil-affairs", "social-security"
LISTS = {ASKER: ("hardship-aid", "civil-affairs.hardship-aid", "id_no"),
         ANSWERER: ("job-help", "social-security.job-help", "citizen")}
WHO, HOW_MANY = "aid-and-job-help", "aid-and-job-help-count"
_TERMS = {
    WHO: {"mode": "list", "mandate": "民政与人社联合核查〔2026〕1号"},
    HOW_MANY: {"mode": "count", "k": 10},
}
assert ASKER in DEPARTMENTS and ANSWERER in DEPARTMENTS


class Comparison:
    """Both departments' sides of `lianban psi`, each in a folder of its own."""

    def __init__(self, federation, version=2):
        self._federation = federation
        self.officers = {}
        self.folders = {name: os.path.join(federation.root, "psi", name) for name in LISTS}
        for number, name in enumerate(LISTS):
            self.officers[name] = Officer(federation, name).enrol(version + number)
            self.write(name)

    def write(self, name, **changes):
        """A department's agreements; `changes` replace terms that there are, in this department's file alone."""
        folder = self.folders[name]
        os.makedirs(folder, mode=0o700, exist_ok=True)
        own = shutil.copy(_list_file(name), folder)
        agreements = []
        for agreement in _TERMS:
            terms = self._terms(agreement)
            terms.update({key: value for key, value in changes.items() if key != "k" or "k" in terms})
            agreements.append({**terms, "own_list": os.path.basename(own)})
        with open(self.config(name), "w", encoding="utf-8") as file:
            yaml.safe_dump({"adapter": self._federation.members[name].config, "state": "state",
                            "agreements": agreements}, file, allow_unicode=True, sort_keys=False)

    def _terms(self, agreement):
        return {"agreement": agreement, **_TERMS[agreement], "purpose": "recheck",
                "law": "《社会救助法》第四十八条", "every_days": 30, "asker": self._party(ASKER),
                "answerer": self._party(ANSWERER)}

    def _party(self, name):
        _, listed, column = LISTS[name]
        return {"spiffe": self._federation.members[name].spiffe,
                "log": self._federation.material.vkeys[name], "list": listed, "column": column,
                "sha256": _sha256(_list_file(name))}

    def config(self, name):
        return os.path.join(self.folders[name], "psi.yaml")

    def path(self, name, file):
        return os.path.join(self.folders[name], file)

    # --- the steps ---

    def offer(self, agreement, out="offer.psi", by=ASKER):
        return self._run(by, "offer", "--agreement", agreement, "--out", self.path(by, out))

    def answer(self, offer="offer.psi", out="answer.psi"):
        return self._run(ANSWERER, "answer", "--offer", self.path(ASKER, offer), "--out",
                         self.path(ANSWERER, out))

    def finish(self, answer="answer.psi", out="both.txt"):
        return self._run(ASKER, "finish", "--answer", self.path(ANSWERER, answer), "--out",
                         self.path(ASKER, out))

    def show(self, name):
        return self._federation.material.lianban("psi", "show", "--config", self.config(name))

    def _run(self, name, *words):
        """One step of a department's; {"error": ...} when it was refused."""
        return self._federation.material.lianban("psi", words[0], "--config", self.config(name), "--officer",
                                                 self.officers[name].profile, *words[1:], may_fail=True)


def _list_file(name):
    return os.path.join(_HERE, "departments", name, "lists", LISTS[name][0] + ".yaml")


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
