// The blind household sum (docs/PROTOCOL.md section 9): every department adds a mask to its amount, the masks of a
// whole run cancel out, and so the requester learns the total and no addend.

import { randomBytes } from 'node:crypto';

import { need, unbase64 } from './bytes.js';

const MAX_TOTAL = 2n ** 53n;

export class Run {
  /** `share` as the form has it; `subs` are the commitments of those who take part, by member, in one order. */
  constructor({ slot, facts }, subs) {
    Object.assign(this, { slot, facts, members: [...subs.keys()] });
    this.common = { nonce: randomBytes(16), started: Math.floor(Date.now() / 1000), slot,
      persons: [...subs.values()].map((sub) => unbase64(sub)) };
  }

  /** The ShareRun of a request about a member that asks one of the run's facts; undefined for others. */
  message(member, wants) {
    const asked = wants.some((want) => this.facts.includes(want.name));
    need(!asked || this.members.includes(member), 'a share of somebody outside the run');
    return asked ? { ...this.common, index: this.members.indexOf(member) } : undefined;
  }

  /** The total over everybody's shares; null (UNKNOWN) unless all are there and were masked for one set. */
  total(members) {
    const shares = this.members.flatMap((member) => this.facts.map((name) => members[member].facts.get(name)));
    const whole = shares.every((share) => share?.state === 'OK' && share.kind === 'NUMBER'
      && share.set.length === 32 && share.set.equals(shares[0].set));
    if (!whole || shares.length === 0) return null;
    const total = BigInt.asUintN(64, shares.reduce((sum, share) => sum + BigInt(share.number), 0n));
    return total <= MAX_TOTAL ? total : null;
  }
}
