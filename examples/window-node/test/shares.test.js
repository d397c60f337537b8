import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Run } from '../src/shares.js';

const SET = Buffer.alloc(32, 1);
const sub = Buffer.alloc(32, 9).toString('base64url');
const run = () => new Run({ slot: 'income', facts: ['wage', 'pension'] }, new Map([[0, sub], [2, sub]]));
const share = (number, more = {}) => ({ state: 'OK', kind: 'NUMBER', number: String(number), set: SET, ...more });
const member = (wage, pension) => ({ facts: new Map([['wage', wage], ['pension', pension]]) });
const household = (...shares) => [member(shares[0], shares[1]), { facts: new Map() }, member(shares[2], shares[3])];

test('all shares of one set make the total', () => {
  const mask = 0x7fff_ffff_ffff_fff0n;
  const shares = [mask, -mask, BigInt.asIntN(64, mask * 2n), BigInt.asIntN(64, 100n - mask * 2n)].map((n) => share(n));
  assert.equal(run().total(household(...shares)), 100n);
  assert.equal(run().total(household(share(2n ** 53n), share(0), share(0), share(0))), 2n ** 53n);
});

test('anything else is UNKNOWN', () => {
  const good = [share(1), share(2), share(3), share(4)];
  for (const bad of [undefined, share(1, { state: 'UNAVAILABLE' }), share(1, { kind: 'KIND_UNKNOWN' }), share(-11n),
    share(2n ** 53n), share(1, { set: Buffer.alloc(32, 2) }), share(1, { set: Buffer.alloc(0) })]) {
    assert.equal(run().total(household(...good.slice(0, 3), bad)), null);
  }
});

test('a run is stated to who is asked for a share, alike but for the person', () => {
  const one = run();
  const wants = [{ name: 'wage' }, { name: 'deposits' }];
  assert.equal(one.message(0, [{ name: 'deposits' }]), undefined);
  assert.deepEqual({ ...one.message(2, wants), index: 0 }, one.message(0, wants));
  assert.equal(one.message(2, wants).index, 1);
  assert.equal(one.message(0, wants).persons.length, 2);
  assert.throws(() => one.message(1, wants));
  assert.ok(!run().common.nonce.equals(one.common.nonce));
});
