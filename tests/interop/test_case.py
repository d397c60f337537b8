"""A whole case by the independent requester: every section of consent and mandate, receipts checked,
facts equal to what the departments' databases say by plain SQL."""

import datetime
import os
import sqlite3
import sys
import unittest

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(_HERE, "..", "e2e")]

import fixture  # noqa: E402
import hpke  # noqa: E402
import receipts  # noqa: E402
import share  # noqa: E402
import sdjwt  # noqa: E402
from desk import documents  # noqa: E402
from requester import Desk, Federation, Person, Profile, Requester  # noqa: E402
from stubs import Refused  # noqa: E402

OK, NOT_FOUND = 1, 5
SLOT, SHARING = "income12", ("social-security", "tax", "finance")
TRUTH, NUMBER = 1, 2

# Fact by view, field and operator, as SQL over the department's database: :id the subject, :first and
# :last the twelve counted months, :name as the citizen stated it. None is an honest unknown.
FACTS = {
    ("public-security.person", "status", "IN"): "SELECT status = 'alive' FROM person WHERE id_no = :id",
    ("public-security.person", "name", "EQ"): "SELECT name = :name FROM person WHERE id_no = :id",
    ("public-security.vehicle", "kept", "COUNT"):
        "SELECT min(1, count(*)) FROM vehicle WHERE owner_id = :id AND NOT disabled_flag AND scrap_date IS NULL",
    ("tax.wage", "income", "SHARE"):
        "SELECT coalesce(sum(income_cents), 0) FROM wage WHERE id_no = :id AND month BETWEEN :first AND :last",
    ("tax.other", "income", "SHARE"):
        "SELECT coalesce(sum(cents), 0) FROM other_income WHERE id_no = :id AND month BETWEEN :first AND :last",
    ("finance.payout", "paid", "SHARE"):
        "SELECT coalesce(sum(cents), 0) FROM payout WHERE id_no = :id AND state = 'paid'"
        " AND month BETWEEN :first AND :last AND item NOT IN ('social-aid', 'veteran-honour', 'scholarship',"
        " 'family-planning', 'bravery', 'disability-subsidy')",
    ("social-security.pension", "paid", "SHARE"):
        "SELECT coalesce(sum(cents_month), 0) FROM employee JOIN pension USING (aac001) JOIN period"
        " ON aae002 >= start_month WHERE aac002 = :id AND aae002 BETWEEN :first AND :last",
    ("social-security.unemployment", "paid", "SHARE"):
        "SELECT coalesce(sum(cents_month), 0) FROM employee JOIN unemployment USING (aac001) JOIN period"
        " ON aae002 BETWEEN benefit_from AND benefit_to WHERE aac002 = :id"
        " AND aae002 BETWEEN :first AND :last",
    ("tax.business", "represents", "EXISTS"):
        "SELECT count(*) > 0 FROM business WHERE legal_id = :id AND status = 'active'",
    ("finance.deposits", "balance", "SUM"):
        "SELECT coalesce(sum(balance_cents), 0) FROM bank_query WHERE id_no = :id",
    ("health.death", "certificate", "EXISTS"): "SELECT count(*) > 0 FROM death_cert WHERE id_no = :id",
    ("education.fee", "public", "SUM"):
        "SELECT coalesce(sum(public_cents), 0) FROM fee JOIN student USING (roll_no)"
        " WHERE id_no = :id AND month BETWEEN :first AND :last",
}


def setUpModule():
    global world, truth  # pylint: disable=global-statement
    truth = fixture.running(people=200)
    world = Federation(os.path.join(truth.root, "endpoints.json"))
    unittest.addModuleCleanup(world.close)


def _months():
    today = datetime.date.today()
    number = today.year * 12 + today.month - 1
    return [f"{(number - back) // 12}-{(number - back) % 12 + 1:02}" for back in (12, 1)]


def _database_says(department, sql, person):
    path = os.path.join(truth.root, "departments", department + ".db")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    first, last = _months()
    try:
        return connection.execute(sql, {"id": person.id_no, "name": person.name, "first": first,
                                        "last": last}).fetchone()[0]
    finally:
        connection.close()


def _share_private(department):
    """A department's private share key: what no requester has, and this test does."""
    path = truth.members[department].path("share.key")
    with open(path, encoding="ascii") as file:
        return sdjwt.unb64(file.read().split()[1])


def _value(fact):
    if fact.kind == TRUTH:
        return int(fact.truth)
    return fact.number if fact.kind == NUMBER else fact.text


class WholeCase(unittest.TestCase):
    """One household with a child and one without."""

    @classmethod
    def setUpClass(cls):
        cls.requester = Requester(world, Profile.load(world, "window"))
        cls.desk = Desk(world)
        with_child = [h for h in truth.households if any(m["role"] == "child" for m in h["members"])
                      and h["class"] != "MANUAL"]
        alone = [h for h in truth.households if len(h["members"]) == 1 and h["class"] != "MANUAL"]
        cls.households = [with_child[0]["members"], alone[0]["members"]]

    def grants(self, members):
        """(person, role, grants) of every member, as a window would get them."""
        everyone = tuple(member["id_no"] for member in members)
        people = [Person(m["id_no"], m["name"], everyone) for m in members]
        for index, (member, person) in enumerate(zip(members, people)):
            guardian = people[0] if member["role"] == "child" else None
            ticket = self.requester.request_grant(member["role"], person, "C-1", guardian)
            with self.assertRaises(Refused) as pending:
                self.requester.fetch_grant(ticket, person)
            self.assertEqual(pending.exception.code, "GRANT_PENDING")
            shown, also = documents(members, index)
            self.desk.confirm(ticket, shown, self.requester.profile.spiffe, self.requester.form,
                              also=also)
            found = [self.requester.fetch_grant(ticket, person)]
            if self.requester.form.departments(member["role"], ("mandate",)):
                found.append(self.requester.mandate(member["role"], person, "C-1"))
            yield person, member["role"], found

    def ask(self, members):
        """(person, role, department, answer) of every section, receipts checked; all in one run of the
        blind sum."""
        people = list(self.grants(members))
        adults = [(person, found[1]) for person, role, found in people if role != "child"]
        self.run_ = self.requester.begin_run(SLOT, [mandate for _, mandate in adults])
        self.adults = [person for person, _ in adults]
        asked = [(person, role, department,
                  self.requester.build_read(grant, department, person,
                                            share=self.share_of(department, person)))
                 for person, role, found in people
                 for grant in found for department in grant.sections]
        events = self.requester.collect([read for *_, read in asked])
        for (person, role, department, read), event in zip(asked, events):
            leaf = self.requester.check_receipt(read, event)
            self.assertEqual((event.code, leaf.retry), ("ANSWERED", False))
            answer = self.requester.open(read, event)
            self.assertEqual(answer.code, "OK")
            yield person, role, department, answer

    def share_of(self, department, person):
        """The ShareRun for a read, None where nothing is shared."""
        if person not in self.adults or department not in SHARING:
            return None
        return self.run_.message(world.contract, self.adults.index(person))

    def unmask(self, person, department, fact):
        """A share without its mask, as only its department could do it."""
        parts = self.requester.share_parts(SLOT)
        part = next(i for i, p in enumerate(parts) if (p.view, p.field) == (fact.view, fact.field))
        mask = share.mask(self.run_, self.requester.share_set(self.run_, parts), parts,
                          self.adults.index(person), part, _share_private(department))
        return (fact.number - mask) % share.MODULUS

    def test_shares_come_to_the_databases_total(self):
        shares, plain = [], 0
        for person, _, department, answer in self.ask(self.households[0]):
            for fact in answer.facts:
                if fact.operator != "SHARE":
                    continue
                self.assertEqual(answer.share_set,
                                 self.requester.share_set(self.run_, self.requester.share_parts(SLOT)))
                shares.append(fact.number % share.MODULUS)
                plain += _database_says(department, FACTS[fact.view, fact.field, "SHARE"], person)
        self.assertEqual(len(shares), 5 * len(self.adults))
        self.assertEqual(share.total_of(shares), plain)
        self.assertGreater(plain, 0)
        for left_out in range(len(shares)):
            some = shares[:left_out] + shares[left_out + 1:]
            self.assertTrue(share.total_of(some) is None or share.total_of(some) > 1 << 40)

    def test_facts_are_what_the_databases_say(self):
        compared, departments = 0, set()
        for members in self.households:
            for person, role, department, answer in self.ask(members):
                wants = self.requester.wants(department, role, person,
                                             self.share_of(department, person) is not None)
                self.assertEqual([(w.view, w.field, w.operator, list(w.args)) for w in wants],
                                 [(f.view, f.field, f.operator, list(f.args)) for f in answer.facts])
                departments.add(department)
                for fact in answer.facts:
                    sql = FACTS.get((fact.view, fact.field, fact.operator))
                    if sql is None:
                        continue
                    with self.subTest(role=role, view=fact.view, field=fact.field):
                        self.assertEqual(fact.state, OK)
                        value = (self.unmask(person, department, fact) if fact.operator == "SHARE"
                                 else _value(fact))
                        self.assertEqual(value, _database_says(department, sql, person))
                        self.assertRegex(fact.as_of, r"^\d{4}-\d\d-\d\d$")
                    compared += 1
        self.assertEqual(len(departments), 10)
        self.assertGreaterEqual(compared, 20)

    def test_every_fact_has_a_state_and_amounts_only_where_asked(self):
        for person, role, department, answer in self.ask(self.households[0]):
            del person, role, department
            for fact in answer.facts:
                self.assertIn(fact.state, (OK, NOT_FOUND))
                if fact.operator in ("EXISTS", "EQ", "IN", "CMP", "AGE_GE"):
                    self.assertIn(fact.kind, (0, TRUTH))

    def read_one(self):
        person = Person(self.households[1][0]["id_no"], self.households[1][0]["name"])
        grant = self.requester.mandate("applicant", person, "C-2", ["tax"])
        read = self.requester.build_read(grant, "tax", person)
        (event,) = self.requester.collect([read])
        return read, event

    def test_a_changed_receipt_does_not_hold(self):
        read, event = self.read_one()
        self.requester.check_receipt(read, event)
        spoils = {
            "sealed": lambda e: setattr(e, "sealed", bytes([e.sealed[0] ^ 1]) + e.sealed[1:]),
            "code": lambda e: setattr(e, "code", "REPLAY"),
            "index": lambda e: setattr(e.adapter_entry, "index", e.adapter_entry.index + 1),
            "leaf": lambda e: setattr(e.route, "leaf", e.route.leaf[:-1] + b"\1"),
            "checkpoint": lambda e: setattr(e.broker_log, "checkpoint",
                                            e.broker_log.checkpoint.replace(b"\n\n", b"\nx\n\n")),
            "swapped": lambda e: e.route.CopyFrom(e.deliver),
        }
        for name, spoil in spoils.items():
            bad = world.contract.type("CollectEvent").FromString(event.SerializeToString())
            spoil(bad)
            with self.subTest(name), self.assertRaises(receipts.BadEvidence):
                self.requester.check_receipt(read, bad)

    def test_an_answer_opens_for_its_own_request_only(self):
        one, answer_of_one = self.read_one()
        other, _ = self.read_one()
        self.assertEqual(self.requester.open(one, answer_of_one).code, "OK")
        with self.assertRaises(hpke.SealBroken):
            self.requester.open(other, answer_of_one)

    def test_one_context_serves_many_reads_in_any_order(self):
        person = Person(self.households[1][0]["id_no"], self.households[1][0]["name"])
        setup = self.requester.new_context(self.requester.directory.adapter("tax"))
        reads = [self.requester.build_read(
            self.requester.mandate("applicant", person, f"C-{seq}", ["tax"]), "tax", person, setup, seq)
            for seq in (7, 0, 300)]
        for read, event in zip(reads, self.requester.collect(reads)):
            self.assertEqual(self.requester.open(read, event).code, "OK")

    def test_logs_grow_only_forwards(self):
        vkey = world.directory.log_vkey(world.spiffe("broker"))
        new = world.contract.new
        old = world.call("broker", "window", "Evidence/GetCheckpoint", new("GetCheckpointRequest"))
        size, root = receipts.open_checkpoint(old.checkpoint, vkey)
        _, event = self.read_one()
        grown = world.call("broker", "window", "Evidence/GetCheckpoint",
                           new("GetCheckpointRequest", from_size=size))
        new_size, new_root = receipts.open_checkpoint(grown.checkpoint, vkey)
        self.assertGreater(new_size, size)
        receipts.check_consistency(size, root, new_size, new_root, list(grown.consistency))
        # An entry that the receipt named long ago is still there, in the tree of now.
        proof = world.call("broker", "window", "Evidence/GetProof",
                           new("GetProofRequest", index=event.route.index, size=new_size,
                               leaf_hash=receipts.leaf_hash(event.route.leaf)))
        self.assertEqual(proof.leaf, b"")
        proof.leaf = event.route.leaf
        leaf, _ = receipts.open_proof(proof, grown, vkey)
        self.assertEqual(leaf.type, "ROUTE")
        # Of what it does not know, a window gets nothing.
        for code, fields in (("ROLE_NOT_ALLOWED", {}), ("MALFORMED", {"leaf_hash": b"x" * 32}),
                             ("MALFORMED", {"leaf_hash": receipts.leaf_hash(event.deliver.leaf)})):
            with self.assertRaises(Refused) as refused:
                world.call("broker", "window", "Evidence/GetProof",
                           new("GetProofRequest", index=event.route.index, **fields))
            self.assertEqual(refused.exception.code, code)


if __name__ == "__main__":
    unittest.main()
