"""A department beside the ten, with one small form of its own: it joins a running federation, or leaves it."""

import os
import sqlite3

import yaml

from members import Member

_VIEW = """\
# Whether the office keeps a file about the person.
view: {name}.holding
version: 1
title: {{zh: 馆藏, en: A file is kept}}
query: SELECT file_no FROM holding WHERE id_no = :id_no
rows: one
complete: true
max_rows: 2
as_of: SELECT as_of FROM data_as_of
freshness_days: 90
timeout_ms: 3000
fields:
  holding:
    type: row
    class: G3
    rules:
      - purpose: {name}-file
        operators: ["EXISTS"]
        requesters: [street-office]
        bases: [consent]
        issuers: [consent-hall]
        min_level: 2
"""
_FORM = {
    "version": 1, "title": {"zh": "查档", "en": "A file is looked for"}, "lead": "civil-affairs",
    "law": ["PIPL13"], "rules": "beijing-reference", "grant_days": 1,
    "roles": {"applicant": {"min": 1, "max": 1, "minor": False}},
    "household": [{"name": "kept", "each": "held", "fold": "applicant"}],
    "conditions": [{"condition": "found", "test": "kept", "text": {"zh": "有档", "en": "There is a file"},
                    "source": "《中华人民共和国个人信息保护法》第十三条"}],
    "classes": [{"class": "HELD", "when": "found", "text": {"zh": "有档", "en": "There is a file"}}],
    "otherwise": {"class": "NONE", "text": {"zh": "无档", "en": "There is none"}},
    "notice": {
        "why": {"zh": "查找本人的档案。", "en": "To find the file about you."},
        "keep": {"zh": "办结后删除。", "en": "Erased when the case is closed."},
        "withdraw": {"zh": "可在同意服务台撤回。", "en": "At the consent desk, at any time."},
        "refuse": {"zh": "可以拒绝，改为人工查找。", "en": "You may refuse; a person looks then."}},
}


class Guest:
    """One such department of a federation. It dials the brokers and opens no port."""

    def __init__(self, federation, name, zh, en):
        self._federation, self.name, self._titles = federation, name, (zh, en)
        self.member = None
        self.form = name + "-file"
        folder = os.path.join(federation.root, "guests", name)
        self._views, self._form_file = os.path.join(folder, "views"), os.path.join(folder, self.form + ".yaml")

    def come(self):
        """Its database, view and form; and its place among the members."""
        federation, material = self._federation, self._federation.material
        os.makedirs(self._views)
        with open(os.path.join(self._views, "holding.yaml"), "w", encoding="utf-8") as file:
            file.write(_VIEW.format(name=self.name))
        with open(self._form_file, "w", encoding="utf-8") as file:
            yaml.safe_dump(self._form(), file, allow_unicode=True, sort_keys=False)
        self._write_database(os.path.join(federation.root, "departments", self.name + ".db"))
        folder = os.path.join(federation.root, "adapters", self.name)
        self.member = Member(self.name, "adapter", self.name, folder, "", inside=federation.socket(self.name))
        federation.members[self.name] = self.member
        material.names[self.name] = self._titles
        material.views[self.name] = self._views
        material.forms[self.form] = self._form_file

    def end_form(self):
        """Nobody offers its form any more."""
        del self._federation.material.forms[self.form]

    def go(self):
        """Its place among the members is empty; what it leaves on its disk stays. Returns its process."""
        federation = self._federation
        del federation.members[self.name], federation.material.views[self.name], federation.material.names[self.name]
        return federation.processes.pop(self.name)

    def households(self):
        """One adult each, with the class that the form comes to."""
        alone = [household["members"] for household in self._federation.households
                 if len(household["members"]) == 1]
        return [{"members": members, "class": "HELD" if self._keeps(members[0]) else "NONE"} for members in alone]

    @staticmethod
    def _keeps(person):
        return int(person["id_no"][16]) % 2 == 1

    def _form(self):
        return {"form": self.form, **_FORM, "purpose": self.form,
                "sections": {self.name: {"basis": "consent", "law": ["PIPL13"], "answer_bytes": 1024, "uses": 4}},
                "facts": [{"fact": "held", "department": self.name, "view": self.name + ".holding",
                           "field": "holding", "operator": "EXISTS", "roles": ["applicant"], "show": True,
                           "label": {"zh": "有档", "en": "A file is kept"}}]}

    def _write_database(self, path):
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE holding(id_no TEXT PRIMARY KEY, file_no TEXT NOT NULL)")
            database.execute("CREATE TABLE data_as_of(as_of TEXT NOT NULL)")
            database.execute("INSERT INTO data_as_of VALUES (date('now', '-1 day'))")
            for household in self._federation.households:
                for person in household["members"]:
                    if self._keeps(person):
                        database.execute("INSERT INTO holding VALUES (?, ?)", (person["id_no"], "F-1"))
        database.close()
