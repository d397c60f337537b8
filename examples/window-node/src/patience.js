// What passes by itself is asked again, and not before it is worth it.

import { setTimeout as sleep } from 'node:timers/promises';

import { Refused } from './contract.js';

const MOMENT_MS = 200;

/** Runs `call` until it is not refused with one of `codes`, or until `until` (ms of Date.now()) is over: then it
 *  throws what was said. In between it waits as long as was said, or a moment, and up to half as much again: not all
 *  windows at the same instant. `tell` hears of each wait whose length was said; `pause` and `now` are for tests. */
export async function patiently(codes, until, call, { tell = () => {}, pause = sleep, now = Date.now } = {}) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Refused) || !codes.includes(error.code) || now() > until) throw error;
      if (error.waitMs) tell(error);
      await pause((error.waitMs || MOMENT_MS) * (1 + Math.random() / 2));
    }
  }
}
