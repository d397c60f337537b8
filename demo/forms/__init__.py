"""Who applies by which form: cases that are told, each with the class it should come to, and the ordinary ones.

A module per form has plant(tell), which adds the households its stories are about and returns their cases, and
ordinary(population), which finds the others it is for among everybody. The class of a story is written down by
hand; what an ordinary case comes to is computed from the departments' databases by the tests.
"""

import dataclasses

import truth
from forms import bereavement, disability, education, housing, medical, newborn, poverty, recheck, retirement, students
from stories import Teller

FORMS = {"newborn": newborn, "retirement": retirement, "disability-subsidies": disability,
         "education-aid": education, "student-aid": students, "medical-assistance": medical, "illness-poverty": poverty,
         "public-rental-housing": housing, "bereavement": bereavement, "disability-recheck": recheck}


@dataclasses.dataclass
class Case:
    """One application. `members` are (role, person), the applicant first; `more` goes with each member's
    identity, by index."""

    form: str
    members: list
    key: str = None        # of a story
    expected: str = None   # its class
    zh: str = None
    en: str = None
    more: dict = dataclasses.field(default_factory=dict)

    def describe(self):
        """The case as a window takes it."""
        members = [{"role": role, "id_no": person.id_no, "name": truth.written_name(person), **self.more.get(i, {})}
                   for i, (role, person) in enumerate(self.members)]
        return {"form": self.form, "key": self.key, "class": self.expected, "zh": self.zh, "en": self.en,
                "members": members}


def plant(population):
    """Adds the people of all stories, in a fixed order."""
    population.cases = []
    for form, module in FORMS.items():
        tell = CaseTeller(population, form)
        module.plant(tell)
        population.cases += tell.cases


def cases_of(population):
    """All cases, as windows take them: the told ones of every form, then the ordinary."""
    ordinary = [Case(form, members) for form, module in FORMS.items()
                for members in module.ordinary(population)]
    return [case.describe() for case in population.cases + ordinary]


class CaseTeller(Teller):
    """Builds families whose cases are told."""

    def __init__(self, population, form):
        super().__init__(population)
        self._form, self.cases = form, []

    def case(self, key, expected, zh, en, *members, more=None):
        self.cases.append(Case(self._form, list(members), f"{self._form}-{key}", expected, zh, en, more or {}))
