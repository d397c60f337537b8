#!/usr/bin/env node
// A window system in Node that does everything itself: it asks the consent office and the broker directly, with
// no agent beside it. Run it with --help.

import { appendFileSync, readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Untrue } from './src/bytes.js';
import { Refused } from './src/contract.js';
import { loadProfile } from './src/profile.js';
import { Requester } from './src/requester.js';

const USAGE = `usage: window.js --config node.yaml [--proto DIR] [--tickets FILE] [--wait SECONDS] HOUSEHOLD.json...

  --config    this window's keys and what it trusts, as the window agent's node.yaml has them
  --proto     the folder of the .proto files; default: ../../proto
  --tickets   append the desk's tickets there, one JSON a case
  --wait      how long to wait for the desk; default 120

A household file: {"members": [{"role": "applicant", "id_no": "...", "name": "..."}, ...]}, applicant first.
Exit status: 0 every case came to a suggestion (MANUAL is one), 1 something was refused, 2 wrong usage.`;
const HERE = path.dirname(fileURLToPath(import.meta.url));
const FORM = 'social-assistance';
const [BADGE, UNIT] = ['W-0017', 'street-office-01']; // a real window has them from the login
const MARKS = new Map([[true, 'TRUE'], [false, 'FALSE'], [null, 'UNKNOWN']]);

const say = (text) => process.stderr.write(`${text}\n`);

/** Every citizen gets a number; at the consent desk they show their document and decide. */
async function sendToDesk(requester, members, caseId, person, options, household) {
  const tickets = [];
  for (const [member, content] of members.entries()) {
    const { request_id, code } = await requester.requestGrant(content, members[0], caseId, person);
    tickets.push({ member, request_id, code });
    say(`  member ${member}: code ${code} (${request_id})`);
  }
  if (options.tickets) appendFileSync(options.tickets, `${JSON.stringify({ household, tickets })}\n`);
  return tickets;
}

/** The grants of each member: the citizen's consent, and what the law allows. */
async function gather(requester, members, tickets, caseId, person, patienceMs) {
  const grants = [];
  for (const [index, member] of members.entries()) {
    const consent = await requester.fetchGrant(tickets[index], member, patienceMs);
    const mandate = await requester.mandate(member, caseId, person);
    grants.push(mandate ? [consent, mandate] : [consent]);
  }
  return grants;
}

/** A fact with its source. What the form does not display is not shown. */
function showFacts(form, { read, facts }) {
  for (const [name, fact] of facts) {
    const { show } = form.facts.find((f) => f.fact === name);
    const value = { TRUTH: fact.truth, NUMBER: fact.number, TEXT: fact.text }[fact.kind] ?? 'unknown';
    const text = fact.state !== 'OK' ? `${fact.state} ${fact.code ?? ''}` : show ? value : '(used, not shown)';
    say(`  ${read.index} ${read.department.padEnd(20)} ${name.padEnd(18)} ${text}`);
  }
}

/** The suggestion with its reasons. MANUAL is no failure: a person decides, and sees what is missing. */
function showResult(form, { id, text, conditions }) {
  say(`suggested: ${id} ${text.zh} ${text.en}`);
  for (const { condition, text: words, source } of form.conditions) {
    say(`  ${MARKS.get(conditions.get(condition)).padEnd(8)} ${words.zh} (${source})`);
  }
}

/** One application, from the counter to the suggestion. */
async function serve(requester, household, options) {
  const { members } = JSON.parse(readFileSync(household, 'utf8'));
  const person = requester.profile.person(BADGE);
  const caseId = `c-${randomBytes(16).toString('hex')}`;
  say((await requester.notice('zh')).split('\n')[0]);
  const tickets = await sendToDesk(requester, members, caseId, person, options, household);
  const grants = await gather(requester, members, tickets, caseId, person, options.wait * 1000);
  const runs = requester.runs(members, grants);
  const known = members.map(({ role }) => ({ role, facts: new Map() }));
  const receipts = { checked: 0, failed: 0 };
  const manner = { person, unit: UNIT, patienceMs: options.wait * 1000, tell: (busy) => say(`  ${busy.message}`) };
  for await (const outcome of requester.ask(members, grants, runs, manner)) {
    for (const [name, fact] of outcome.facts) known[outcome.read.index].facts.set(name, fact);
    if (outcome.receiptOk !== null) receipts[outcome.receiptOk ? 'checked' : 'failed']++;
    showFacts(requester.form, outcome);
  }
  const judgement = requester.form.judge(known, runs.map((run) => [run.slot, run.total(known)]));
  showResult(requester.form, judgement);
  return { household, class: judgement.id, receipts_checked: receipts.checked, receipts_failed: receipts.failed };
}

function readOptions() {
  const text = { type: 'string' };
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: {
      config: text, tickets: text, proto: { ...text, default: path.join(HERE, '../../proto') },
      wait: { ...text, default: '120' }, help: { type: 'boolean' } } });
    if (values.config && positionals.length > 0 && values.wait >= 0) return { ...values, households: positionals };
  } catch (error) {
    say(error.message);
  }
  say(USAGE);
  return undefined;
}

async function main() {
  const options = readOptions();
  if (!options) return 2;
  let requester;
  try {
    requester = await Requester.connect(await loadProfile(options.config), options.proto, FORM);
    for (const household of options.households) {
      process.stdout.write(`${JSON.stringify(await serve(requester, household, options))}\n`);
    }
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Untrue || error.code)) throw error;
    say(`window: ${error.message}`);
    return 1;
  } finally {
    requester?.close();
  }
  return 0;
}

process.exitCode = await main();
