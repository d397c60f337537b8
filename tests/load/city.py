"""A city of up to twenty departments, as departments.yaml says: the demo's ten, each with one view more, and ten
others with databases of their own; and a form that asks all of them about one person and hands some their part.
"""

import collections
import datetime
import os
import random
import shutil
import sqlite3

import yaml

from members import NAMES, Member

_HERE = os.path.dirname(os.path.abspath(__file__))
FORM, ROLE = "city-file", "applicant"
_VIEW = "file"
_FORM = {
    "form": FORM, "version": 1, "title": {"zh": "全市信息核对", "en": "What the city keeps"}, "purpose": FORM,
    "lead": "civil-affairs", "law": ["PIPL13"], "rules": "beijing-reference", "grant_days": 2,
    "roles": {ROLE: {"min": 1, "max": 1, "minor": False}},
    "conditions": [{"condition": "own", "test": "n = 1", "text": {"zh": "本人办理", "en": "The person asks"},
                    "source": "《中华人民共和国个人信息保护法》第十三条"}],
    "classes": [{"class": "TOLD", "when": "own", "text": {"zh": "已核对", "en": "Checked"}}],
    "otherwise": {"class": "NONE", "text": {"zh": "非本人", "en": "Not the person"}},
    "notice": {
        "why": {"zh": "核对各部门保存的本人信息。", "en": "To check what departments keep about you."},
        "keep": {"zh": "办结后删除。", "en": "Erased when the case is closed."},
        "withdraw": {"zh": "可在同意服务台撤回。", "en": "At the consent desk, at any time."},
        "refuse": {"zh": "可以拒绝，改为人工核对。", "en": "You may refuse; a person checks then."}},
}


class City:
    """The first so many departments of the file, in a federation that is populated and not made yet."""

    def __init__(self, federation, num_departments, seed):
        self._federation, self._dice = federation, random.Random(seed)
        self._today = datetime.date.today()
        with open(os.path.join(_HERE, "departments.yaml"), encoding="utf-8") as file:
            self._departments = yaml.safe_load(file)[:num_departments]
        self._folder = os.path.join(federation.root, "city")
        self._open = {}
        self.with_part = [each["id"] for each in self._departments if "part" in each]

    @property
    def names(self):
        return [each["id"] for each in self._departments]

    def come(self):
        """Databases, views, the form, and the departments' places among the members."""
        for each in self._departments:
            if "tables" in each:
                self._settle(each)
            self._write_view(each)
        path = os.path.join(self._folder, FORM + ".yaml")
        _write(path, self._form())
        self._federation.material.forms[FORM] = path

    def close(self):
        for database in self._open.values():
            database.close()
        self._open = {}

    # --- who applies, and what is true of them ---

    def applicants(self):
        """Members of a case each: adults whose records have no planted oddities."""
        return [[{"role": ROLE, "id_no": person.id_no, "name": person.name}] for person in self._people()
                if person.age >= 18 and not person.died and not person.marks and not person.household.marks]

    def shown(self, id_no):
        """What each department's database says of a person, by SQL alone; None where there is no record."""
        months = [_month(self._today, back) for back in (0, 12)]
        values = {"id_no": id_no, "today": self._today.isoformat(), "this_month": months[0], "from_month": months[1]}
        found = {}
        for each in self._departments:
            rows = self._database(each["id"]).execute(each["shown"], values).fetchall()
            if len(rows) > 1:
                raise RuntimeError(f"{each['id']} has two records of one person")
            found[each["id"]] = str(rows[0][0]) if rows else None
        return found

    def intake(self, department):
        """How often each name of a part stands in a department's intake, as its file has it."""
        path = os.path.join(self._federation.members[department].state, "evidence.db")
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return collections.Counter(name for (name,) in database.execute("SELECT name FROM intake"))
        finally:
            database.close()

    # --- making ---

    def _people(self):
        return [person for household in self._federation.people.households for person in household.people]

    def _settle(self, each):
        """A department beside the ten: it dials the brokers and opens no port."""
        federation, name = self._federation, each["id"]
        database = sqlite3.connect(self._path(name))
        try:
            database.execute("CREATE TEMP TABLE people (id_no TEXT, name TEXT, birth TEXT, area6 TEXT, n INTEGER)")
            database.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?)", [
                (p.id_no, p.name, p.birth, p.area6, self._dice.randrange(10000)) for p in self._people()])
            database.executescript(each["tables"])
            database.execute("CREATE TABLE data_as_of AS SELECT date('now', '-1 day') AS as_of")
            database.commit()
        finally:
            database.close()
        federation.members[name] = Member(name, "adapter", name, os.path.join(federation.root, "adapters", name), "",
                                          inside=federation.socket(name))
        federation.material.names[name] = (each["zh"], each["en"])
        federation.material.views[name] = os.path.join(self._folder, name)
        os.makedirs(federation.material.views[name])

    def _write_view(self, each):
        """The department's view for this form, beside those it may have."""
        material, name = self._federation.material, each["id"]
        folder = os.path.join(self._folder, name)
        if material.views[name] != folder:
            shutil.copytree(material.views[name], folder)
            material.views[name] = folder
        field = {**each["field"], "rules": [{
            "purpose": FORM, "operators": [each["operator"]], "requesters": ["street-office"],
            "bases": [_basis(each)], "issuers": ["consent-hall"], "min_level": 2}]}
        _write(os.path.join(folder, f"{_VIEW}-of-the-city.yaml"), {
            "view": f"{name}.{_VIEW}", "version": 1, "title": {"zh": "全市核对", "en": "For the city's file"},
            "query": each["query"], "rows": each.get("rows", "one"), "complete": each.get("complete", False),
            "max_rows": 400, "as_of": "SELECT as_of FROM data_as_of", "freshness_days": 90, "timeout_ms": 10000,
            "fields": {"kept": field}})

    def _form(self):
        facts = [{"fact": _fact(each["id"]), "department": each["id"], "view": f"{each['id']}.{_VIEW}",
                  "field": "kept", "operator": each["operator"], "roles": [ROLE], "show": True,
                  **({"value": "text"} if each["operator"] == "PASS" else {}),
                  "label": {"zh": self._title(each)[0], "en": self._title(each)[1]}} for each in self._departments]
        parts = [{"part": each["id"], "department": each["id"], "title": each["part"], "law": ["PIPL13"],
                  "classes": ["TOLD"], "roles": [ROLE], "facts": [_fact(each["id"])], "days": 10,
                  "escalate": {"zh": "主管领导", "en": "The officer in charge"}}
                 for each in self._departments if "part" in each]
        sections = {each["id"]: {"basis": _basis(each), "law": ["PIPL13"], "answer_bytes": 1024, "uses": 4}
                    for each in self._departments}
        return {**_FORM, "sections": sections, "facts": facts, "parts": parts}

    def _title(self, each):
        return NAMES.get(each["id"]) or (each["zh"], each["en"])

    def _path(self, name):
        return os.path.join(self._federation.root, "departments", name + ".db")

    def _database(self, name):
        if name not in self._open:
            self._open[name] = sqlite3.connect(f"file:{self._path(name)}?mode=ro", uri=True)
        return self._open[name]


def _basis(each):
    return "separate_consent" if each["field"]["class"] == "G4" else "consent"


def _fact(name):
    return name.replace("-", "_")


def _month(today, back):
    year, index = divmod(today.year * 12 + today.month - 1 - back, 12)
    return f"{year:04d}-{index + 1:02d}"


def _write(path, content):
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(content, file, allow_unicode=True, sort_keys=False)
