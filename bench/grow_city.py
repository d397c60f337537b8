"""Forms that ask more and more departments, and views with more and more fields, in one federation: the demo's
ten departments and others with databases of their own, each with one more table about the same people.
"""

import os
import shutil
import sqlite3

import yaml
from members import Member

ROLE, CLASS = "applicant", "TOLD"
_WIDE = "grown-11"          # the department whose views grow
_TABLE = "grown"
_TEXT = {
    "notice": {
        "why": {"zh": "核对各部门保存的本人信息。", "en": "To check what departments keep about you."},
        "keep": {"zh": "办结后删除。", "en": "Erased when the case is closed."},
        "withdraw": {"zh": "可在同意服务台撤回。", "en": "At the consent desk, at any time."},
        "refuse": {"zh": "可以拒绝，改为人工核对。", "en": "You may refuse; a person checks then."}},
    "conditions": [{"condition": "own", "test": "n = 1", "text": {"zh": "本人办理", "en": "The person asks"},
                    "source": "《中华人民共和国个人信息保护法》第十三条"}],
    "classes": [{"class": CLASS, "when": "own", "text": {"zh": "已核对", "en": "Checked"}}],
    "otherwise": {"class": "NONE", "text": {"zh": "非本人", "en": "Not the person"}},
}


def form_of_departments(num):
    return f"grown-departments-{num}"


def form_of_fields(num):
    return f"grown-fields-{num}"


def asked(num):
    """The fields that the form asks of a view with so many: three, or the only one; first, middle and last."""
    return sorted({1, (num + 1) // 2, num}) if num >= 3 else [1]


class City:
    """In a federation that is populated and not made yet: forms of `departments` departments each, and views of
    `fields` fields each."""

    def __init__(self, federation, departments, fields):
        self._federation, self._departments, self._fields = federation, departments, fields
        self._folder = os.path.join(federation.root, "grown")
        self._names = list(federation.material.views)[:10]
        most = max((*departments, len(self._names) + 1))
        self._names += [f"grown-{i + 1}" for i in range(len(self._names), most)]

    def names(self, num):
        """The departments that the form of so many asks."""
        return self._names[:num]

    @property
    def wide(self):
        return _WIDE

    def come(self, people):
        """Databases, views, forms, and the departments' places among the members."""
        for name in self._names:
            self._settle(name, people)
            purposes = [form_of_departments(num) for num in self._departments if name in self.names(num)]
            if purposes:
                self._write(os.path.join(name, "grown.yaml"), _view(name, "kept", {"kept": "row"}, purposes))
        for num in self._fields:
            view = _view(_WIDE, f"wide-{num}", {f"f{i}": "int" for i in range(1, num + 1)}, [form_of_fields(num)])
            self._write(os.path.join(_WIDE, f"wide-{num}.yaml"), view)
        for num in self._departments:
            self._publish(_form(form_of_departments(num), [
                (f"fact{i}", name, f"{name}.kept", "kept", "EXISTS") for i, name in enumerate(self.names(num))]))
        for num in self._fields:
            self._publish(_form(form_of_fields(num), [
                (f"fact{i}", _WIDE, f"{_WIDE}.wide-{num}", f"f{i}", "CMP(<,age.elder)") for i in asked(num)]))

    def _settle(self, name, people):
        """The department's table; and, where it is none of the demo's, the department."""
        federation = self._federation
        new = name not in federation.members
        path = os.path.join(federation.root, "departments", name + ".db")
        most = max(self._fields) if name == _WIDE else 1
        fields = "".join(f", f{i} INTEGER" for i in range(1, most + 1))
        database = sqlite3.connect(path)
        try:
            database.execute(f"CREATE TABLE {_TABLE} (id_no TEXT PRIMARY KEY{fields})")
            database.executemany(f"INSERT INTO {_TABLE} VALUES ({', '.join('?' * (most + 1))})", [
                (id_no, *((n * 31 + i * 7) % 100 for i in range(most))) for n, id_no in enumerate(people)])
            if new:
                database.execute("CREATE TABLE data_as_of AS SELECT date('now', '-1 day') AS as_of")
            database.commit()
        finally:
            database.close()
        folder = os.path.join(self._folder, name)
        if new:
            os.makedirs(folder)
            federation.members[name] = Member(name, "adapter", name, os.path.join(federation.root, "adapters", name),
                                              "", inside=federation.socket(name))
            federation.material.names[name] = (name, name)
        else:
            shutil.copytree(federation.material.views[name], folder)
        federation.material.views[name] = folder

    def _publish(self, form):
        self._write(form["form"] + ".yaml", form)
        self._federation.material.forms[form["form"]] = os.path.join(self._folder, form["form"] + ".yaml")

    def _write(self, path, content):
        with open(os.path.join(self._folder, path), "w", encoding="utf-8") as file:
            yaml.dump(content, file, yaml.CSafeDumper, allow_unicode=True, sort_keys=False)


def _view(department, name, fields, purposes):
    """A view of the table; `fields` have their types by name."""
    columns = ", ".join(field for field, kind in fields.items() if kind != "row") or "id_no"
    described = {}
    for field, kind in fields.items():
        operator = "EXISTS" if kind == "row" else "CMP(<,age.elder)"
        rules = [{"purpose": purpose, "operators": [operator], "requesters": ["street-office"], "bases": ["consent"],
                  "issuers": ["consent-hall"], "min_level": 2} for purpose in purposes]
        described[field] = {**({} if kind == "row" else {"column": field}), "type": kind, "class": "G3", "rules": rules}
    return {"view": f"{department}.{name}", "version": 1, "title": {"zh": "核对", "en": "To be checked"},
            "query": f"SELECT {columns} FROM {_TABLE} WHERE id_no = :id_no", "rows": "one", "complete": False,
            "max_rows": 2, "as_of": "SELECT as_of FROM data_as_of", "freshness_days": 90, "timeout_ms": 3000,
            "fields": described}


def _form(name, facts):
    """A form whose facts are (name, department, view, field, operator)."""
    departments = dict.fromkeys(department for _, department, *_ in facts)
    return {
        "form": name, "version": 1, "title": {"zh": "信息核对", "en": "What departments keep"}, "purpose": name,
        "lead": next(iter(departments)), "law": ["PIPL13"], "rules": "beijing-reference", "grant_days": 2,
        "roles": {ROLE: {"min": 1, "max": 1, "minor": False}},
        "sections": {department: {"basis": "consent", "law": ["PIPL13"], "answer_bytes": 1024, "uses": 4}
                     for department in departments},
        "facts": [{"fact": fact, "department": department, "view": view, "field": field, "operator": operator,
                   "roles": [ROLE], "show": True, "label": {"zh": "核对", "en": "Checked"}}
                  for fact, department, view, field, operator in facts],
        **_TEXT}
