// A requester: grants, sealed reads, answers and receipts of one federation (docs/PROTOCOL.md).

import { randomBytes } from 'node:crypto';

import { need, sha256, Untrue } from './bytes.js';
import { Contract, credentials, Peer } from './contract.js';
import { checkReceipt } from './evidence.js';
import { Form, splitOperator } from './form.js';
import { patiently } from './patience.js';
import { Context } from './seal.js';
import { Run } from './shares.js';
import { commitment, openGrant, operatorToken, signMandate } from './tokens.js';

const COLLECT_MS = 10000;

export class Requester {
  static async connect(profile, protoFolder, formId) {
    const own = new Requester();
    const contract = new Contract(protoFolder);
    const peer = (spiffe) => new Peer(contract, profile.directory.node(spiffe).endpoint,
      credentials(profile.identity, profile.crl, spiffe));
    Object.assign(own, { profile, contract, directory: profile.directory });
    own.broker = peer(profile.broker);
    own.office = peer(profile.consent);
    const { content } = await own.broker.call('Broker', 'GetForm', { form: formId });
    own.form = new Form(content, profile.rules, profile.directory);
    return own;
  }

  close() {
    this.broker.close();
    this.office.close();
  }

  /** What the citizens have to be told before they go to the desk. */
  async notice(language) {
    const { form, version } = this.form;
    const { text, sha256: hash } = await this.office.call('ConsentOffice', 'Notice', {
      form, form_version: version, requester: this.profile.spiffe, language });
    need(sha256(text).equals(hash), 'notice and its hash do not belong together');
    return text;
  }

  // --- grants ---

  /** Files a member's request with the consent office; the ticket goes to the desk. */
  requestGrant(member, applicant, caseId, person) {
    const { form, version, sha256: hash } = this.form;
    const guardian = this.form.roles[member.role].minor
      ? { guardian: { id_no: applicant.id_no, name: applicant.name, relation: 'parent' } } : {};
    return this.office.call('ConsentOffice', 'RequestGrant', {
      form, form_version: version, form_sha256: hash, case_id: caseId, role: member.role, operator: person,
      requester_key: this.profile.seal.public, id_no: member.id_no, name: member.name, ...guardian });
  }

  /** Waits until the citizen has decided; Refused with GRANT_REFUSED, or GRANT_PENDING after `patienceMs`. */
  async fetchGrant(ticket, member, patienceMs) {
    return patiently(['GRANT_PENDING', 'BUSY'], Date.now() + patienceMs, async () => {
      const found = await this.office.call('ConsentOffice', 'GetGrant', { request_id: ticket.request_id });
      return openGrant(found.sd_jwt, found.subject_salt, member.id_no, this.profile, this.directory);
    });
  }

  /** What the law lets this window ask by itself; undefined when the form has nothing of the kind. */
  async mandate(member, caseId, person) {
    const departments = this.form.departments(member.role, ['mandate']);
    if (departments.length === 0) return undefined;
    const salt = randomBytes(16);
    const sections = departments.map((department) => {
      const { basis, law, uses, answer_bytes } = this.form.sections[department];
      return {
        provider: department, aud: this.directory.adapter(department), form: this.form.form,
        form_version: this.form.version, form_sha256: this.form.sha256.toString('hex'),
        purpose: this.form.purpose, case: caseId, basis, law, role: member.role, act: person,
        notice: '0'.repeat(64), method: 'none', level: 2, uses, answer_bytes,
        sub: commitment(salt, member.id_no),
        views: this.form.grantedViews(department, member.role, this.directory),
      };
    });
    return signMandate(sections, salt, this.profile);
  }

  // --- asking ---

  /** What the form asks a department, with what the citizen states. */
  wants(department, member, members) {
    const claims = { name: [member.name], household: members.map((m) => m.id_no) };
    return this.form.asked(department, member.role).map((fact) => ({
      name: fact.fact, view: fact.view, field: fact.field, ...splitOperator(fact.operator),
      claim: claims[fact.claim] ?? [] }));
  }

  /** The runs of the form's blind sums; each names its persons as their grants do. */
  runs(members, grants) {
    return this.form.shares.map((share) => {
      const { department, roles } = this.form.facts.find((fact) => fact.fact === share.facts[0]);
      const subOf = (index) => grants[index].flatMap((grant) => grant.parts)
        .find((part) => part.section.provider === department).section.sub;
      const taking = [...members.keys()].filter((index) => roles.includes(members[index].role));
      return new Run(share, new Map(taking.map((index) => [index, subOf(index)])));
    });
  }

  /** Seals one read for every section of every member's grants. */
  async seal(members, grants, runs, token) {
    const contexts = new Map();
    const reads = [];
    for (const [index, member] of members.entries()) {
      for (const grant of grants[index]) {
        for (const part of grant.parts) {
          const audience = part.section.aud;
          if (!contexts.has(audience)) {
            contexts.set(audience, await Context.open(this.profile, audience, this.directory.sealKey(audience)));
          }
          reads.push(await this.sealOne({ index, member, members, grant, part, runs, token }, contexts.get(audience)));
        }
      }
    }
    return reads;
  }

  async sealOne({ index, member, members, grant, part, runs, token }, context) {
    const { provider, aud, answer_bytes } = part.section;
    const wants = this.wants(provider, member, members);
    const request = {
      txn: randomBytes(16), audience: aud, requester: this.profile.spiffe, grant: grant.jwt,
      views: [...new Set(wants.map((want) => want.view))].sort(),
      deadline_unix_ms: Date.now() + COLLECT_MS, answer_bytes };
    const open = await context.seal(request, this.contract.encode('SealedRequest', {
      version: 1, section: part.disclosure, id_no: member.id_no, name: member.name, salt: grant.salt,
      operator_token: token, rid: randomBytes(16), iat: Math.floor(Date.now() / 1000), wants,
      share: runs.map((run) => run.message(index, wants)).find((message) => message) }));
    return { index, department: provider, wants, request, open };
  }

  /** Asks the departments as soon as the broker has a place. What it refused as BUSY nobody has read, and is sealed
   *  anew for its next try, since what is sealed is good for a short time only. */
  async *ask(members, grants, runs, { person, unit, patienceMs, tell }) {
    let outcomes;
    const first = await patiently(['BUSY'], Date.now() + patienceMs, async () => {
      const token = await operatorToken(person, unit, this.profile);
      outcomes = this.collect(await this.seal(members, grants, runs, token), token);
      return outcomes.next();
    }, { tell });
    if (first.done) return;
    yield first.value;
    yield* outcomes;
  }

  /** Sends the reads and yields { read, facts, receiptOk } as the departments answer. */
  async *collect(reads, token) {
    const waiting = new Map(reads.map((read) => [read.request.txn.toString('hex'), read]));
    const { form, version, sha256: hash } = this.form;
    const events = this.broker.stream('Broker', 'Collect', {
      form, form_version: version, form_sha256: hash, reads: reads.map((read) => read.request),
    }, { headers: { 'lianban-operator': token }, ms: COLLECT_MS + 5000 });
    for await (const event of events) {
      const read = waiting.get(event.txn.toString('hex'));
      need(waiting.delete(event.txn.toString('hex')), 'an outcome that nobody asked for');
      yield this.outcome(read, event);
    }
    for (const read of waiting.values()) yield { read, receiptOk: null, facts: none(read, 'UNAVAILABLE', 'DEADLINE') };
  }

  /** An answer counts only with both sides' evidence about it. */
  outcome(read, event) {
    if (!event.adapter_entry) return { read, receiptOk: null, facts: none(read, 'UNAVAILABLE', event.code) };
    try {
      checkReceipt(read.request, event, this.directory.node(read.request.audience).log,
        this.directory.node(this.profile.broker).log);
      if (event.code !== 'ANSWERED') return { read, receiptOk: true, facts: none(read, 'DENIED', event.code) };
      return { read, receiptOk: true, facts: this.answered(read, read.open(event.sealed)) };
    } catch (error) {
      if (!(error instanceof Untrue)) throw error;
      return { read, receiptOk: false, facts: none(read, 'UNAVAILABLE', 'RECEIPT_INVALID') };
    }
  }

  /** The facts of an answer by their names in the form: each one that was asked exactly once. */
  answered(read, bytes) {
    const answer = this.contract.decode('SealedAnswer', bytes);
    need(answer.version === 1, 'answer of another version');
    if (answer.code !== 'OK') return none(read, 'DENIED', answer.code);
    const key = (of) => JSON.stringify([of.view, of.field, of.operator, of.args]);
    const found = new Map(answer.facts.map((fact) => [key(fact), fact]));
    need(found.size === read.wants.length && answer.facts.length === read.wants.length, 'other facts than asked');
    return new Map(read.wants.map((want) => {
      need(found.has(key(want)), `${want.name} is missing from the answer`);
      return [want.name, { ...found.get(key(want)), set: answer.share_set }];
    }));
  }
}

/** Every fact of a read with the same bad outcome. */
function none(read, state, code) {
  return new Map(read.wants.map((want) => [want.name, { ...want, state, code }]));
}
