"""What departments have on record for the forms besides social assistance. The people of ordinary households
get their details by their number: no draw of the population's changes."""


def _spread(person, salt, size):
    """A number below `size`, the same for the same person."""
    return (person.number * 2654435761 + salt * 40503) % 1000003 % size


# --- social security ---

def post_of(person):
    """1 worker, 2 management or profession; for a few nobody wrote it down."""
    if person.post is not None:
        return person.post or None
    return None if _spread(person, 32, 20) == 0 else "12"[_spread(person, 33, 2)]


def pension_months(person, own, out):
    """Months before those recorded one by one."""
    carried = person.carried
    if carried is None:
        carried = _spread(person, 34, 12 * max(1, person.age - 20)) if person.age >= 40 else 0
    if carried:
        out.put("carried", (own, carried))


# --- medical insurance ---

def medical_months(population, person, account, out):
    own, insutype = account
    for offset, cents in person.commercial:
        out.put("commercial", (own, population.month(offset), cents))
    if insutype == "310":
        months = person.medical_months
        if months is None:
            months = _spread(person, 35, 12 * max(2, person.age - 20))
        out.put("counted", (own, months, person.medical_owed or int(_spread(person, 36, 40) == 0)))
    if person.maternity:
        out.put("maternity", (own, person.maternity, 650000, 3200000))


# --- who draws what, and who no longer may ---

def custody(person, out):
    if person.custody:
        out.put("custody", (person.id_no, *person.custody))


def allowances(person, out):
    if person.allowance:
        out.put("allowance", (person.id_no, person.allowance, None))
    if person.reported:
        out.put("subsidy_report", (person.id_no, person.reported))


def subsidies(population, person, card, out):
    if person.subsidy:
        out.put("subsidy", (card, person.subsidy, population.month(-1), 20000))


def policies(person, as_of, out):
    if person.policies:
        out.put("insurance_query", (person.id_no, "示例人寿", person.policies, as_of))


# --- education ---

def boards(person):
    return int(_spread(person, 37, 100) < 15 if person.boards is None else person.boards)


def term(day):
    """The school term of a day: autumn from September to January."""
    if day.month >= 9:
        return f"{day.year}-autumn"
    return f"{day.year - 1}-autumn" if day.month == 1 else f"{day.year}-spring"


# --- health ---

def births(household, out):
    """Certificates of children who are not registered yet."""
    for i, birth in enumerate(household.births):
        out.put("birth_cert", (f"N{household.number:08d}{i}", birth.name, birth.sex, birth.born + " 23:10", 3350, 39,
                               birth.mother and birth.mother.id_no, birth.father and birth.father.id_no,
                               f"H{household.number % 53:04d}", birth.born, int(birth.again)))
