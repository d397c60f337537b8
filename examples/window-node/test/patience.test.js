import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Contract, Refused } from '../src/contract.js';
import { patiently } from '../src/patience.js';
import { Requester } from '../src/requester.js';

const PROTO = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../proto');
const busy = (waitMs) => new Refused('BUSY', 'come again', waitMs);

/** Something that fails with each of `errors`, one after the other, then works. */
function failing(...errors) {
  const rest = [...errors];
  return async () => {
    if (rest.length > 0) throw rest.shift();
    return 'done';
  };
}

async function pauses(until, call, codes = ['BUSY']) {
  const lengths = [];
  let time = 0;
  const answer = await patiently(codes, until, call, {
    now: () => time, pause: async (ms) => { lengths.push(ms); time += ms; } });
  return { answer, lengths };
}

test('who is told when to come again comes no earlier, and not much later', async () => {
  for (let round = 0; round < 50; round++) {
    const { answer, lengths } = await pauses(1e6, failing(busy(3000), busy(0), busy(40)));
    assert.equal(answer, 'done');
    for (const [at, least] of [3000, 200, 40].entries()) {
      assert.ok(lengths[at] >= least && lengths[at] <= least * 1.5, `${lengths[at]} for ${least}`);
    }
  }
});

test('not everybody comes at the same instant', async () => {
  const all = new Set();
  for (let round = 0; round < 20; round++) all.add((await pauses(1e6, failing(busy(1000)))).lengths[0]);
  assert.ok(all.size > 10);
});

test('patience ends, and nothing else is asked again', async () => {
  await assert.rejects(pauses(5000, failing(...Array(9).fill(busy(1000)))), { code: 'BUSY' });
  await assert.rejects(pauses(1e6, failing(new Refused('REPLAY', 'no', 10))), { code: 'REPLAY' });
  await assert.rejects(pauses(1e6, failing(new TypeError('a mistake'))), TypeError);
});

test('the wait is read from what the broker says', () => {
  const contract = new Contract(PROTO);
  const told = (detail) => {
    const value = contract.encode('ErrorDetail', detail);
    const details = [{ type_url: 'type.googleapis.com/lianban.v1.ErrorDetail', value }];
    return contract.refused({ code: 8, metadata: { get: () => [contract.encode('google.rpc.Status',
      { code: 8, details })] } });
  };
  assert.equal(told({ code: 'BUSY', retry_after_ms: 1234 }).waitMs, 1234);
  assert.equal(told({ code: 'BUSY' }).waitMs, 0);
  assert.equal(contract.refused({ code: 14, details: 'gone', metadata: undefined }).waitMs, 0);
});

/** A requester whose broker refuses the first `refused` collects. */
function requester(refused, seals, collects) {
  const own = new Requester();
  own.profile = { organization: 'o', spiffe: 's', issuer: {
    kid: 'k', key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey } };
  own.seal = async () => [seals.push('sealed')];
  own.collect = async function* collect(reads) {
    collects.push(reads[0]);
    if (collects.length <= refused) throw busy(1);
    yield 'first';
    if (refused < 0) throw busy(1);
    yield 'second';
  };
  return own;
}

async function asked(own) {
  const told = [], outcomes = [];
  const manner = { person: 'p', unit: 'u', patienceMs: 5000, tell: (error) => told.push(error.code) };
  for await (const outcome of own.ask([], [], [], manner)) outcomes.push(outcome);
  return { told, outcomes };
}

test('what was refused is sealed anew, and what was begun is not asked again', async () => {
  const seals = [], collects = [];
  assert.deepEqual(await asked(requester(2, seals, collects)),
    { told: ['BUSY', 'BUSY'], outcomes: ['first', 'second'] });
  assert.deepEqual(collects, [1, 2, 3]);
  const begun = [];
  await assert.rejects(asked(requester(-1, [], begun)), { code: 'BUSY' });
  assert.equal(begun.length, 1);
});
