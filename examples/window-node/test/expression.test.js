import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compile } from '../src/expression.js';
import { factValue, splitOperator } from '../src/form.js';

const NAMES = new Map([['t', true], ['f', false], ['u', null], ['n', 7n], ['s', "it's"], ['m', 2n ** 63n - 1n]]);
const value = (text) => compile(text)(NAMES);

test('three-valued logic is the one of SQL', () => {
  const table = {
    't AND u': null, 'f AND u': false, 'u AND f': false, 't OR u': true, 'u OR t': true, 'f OR u': null,
    'NOT u': null, 'NOT NOT t': true, 'NOT t OR t': true, 't OR f AND f': true, '(t OR f) AND f': false,
    'u = 1': null, 'n = u': null, 'n <> 7': false, 'n != 8': true, 'n < 7': false, 'n <= 7': true,
    'n BETWEEN 1 AND 7': true, 'n NOT BETWEEN 1 AND 7': false, 'n BETWEEN 8 AND u': false, 'n BETWEEN u AND 9': null,
    'n IN (1, 7)': true, 'n IN (1, u)': null, 'n NOT IN (1, 2)': true, "s = 'it''s'": true, "s IN ('a')": false,
    'TRUE': true, 'false': false, 'UNKNOWN': null, 't OR UNKNOWN': true, 'f OR unknown': null, 'UNKNOWN + 1': null,
  };
  for (const [text, wanted] of Object.entries(table)) assert.equal(value(text), wanted, text);
});

test('numbers are exact, and UNKNOWN past 64 bits', () => {
  const table = {
    '1 + 2 * 3 - 4': 3n, '-n * 2': -14n, '10 - 2 - 3': 5n, 'm': 2n ** 63n - 1n, 'm + 1': null, 'm * 2': null,
    '-m - 1': -(2n ** 63n), '-m - 2': null, 'm + 1 > 0': null, 'min(3, n, 5)': 3n, 'max(3, n)': 7n,
    'min(3, u)': null, 'abs(0 - n)': 7n, 'ceil(n)': 7n, '9007199254740993 - 9007199254740992': 1n, 'u * 0': null,
  };
  for (const [text, wanted] of Object.entries(table)) assert.equal(value(text), wanted, text);
});

test('what is no rule is refused', () => {
  const texts = ['', 'n +', '(n', 'n)', 'n = = 1', 'n = 1 = 1', 'n / 2', 'n % 2', 'CASE n', 'n NOT 1', 'sqrt(n)', '1.5',
    'n IN ()', '"n"', 'n; n', 'n -- x', 'constructor(1)', "'a", 't BETWEEN 1', 'NOT'];
  for (const text of texts) assert.throws(() => value(text), undefined, text);
});

test('a value of another kind is never guessed at', () => {
  for (const text of ['t + 1', 'n AND t', 'NOT n', 's < 1', 'n = t', "n = 'a'", 'min(t, 1)', 'missing = 1']) {
    assert.throws(() => value(text), undefined, text);
  }
});

test('a fact that did not come back well is UNKNOWN', () => {
  assert.equal(factValue({ state: 'OK', kind: 'TRUTH', truth: false, number: '0' }), false);
  assert.equal(factValue({ state: 'OK', kind: 'NUMBER', number: '-9223372036854775808' }), -(2n ** 63n));
  assert.equal(factValue({ state: 'OK', kind: 'KIND_UNKNOWN', number: '0' }), null);
  assert.equal(factValue({ state: 'NOT_FOUND', kind: 'TRUTH', truth: true, number: '0' }), null);
  assert.equal(factValue(undefined), null);
});

test('an operator and its arguments', () => {
  assert.deepEqual(splitOperator('CMP(<,area.mean)'), { operator: 'CMP', args: ['<', 'area.mean'] });
  assert.deepEqual(splitOperator('EXISTS'), { operator: 'EXISTS', args: [] });
  assert.throws(() => splitOperator('x('));
});
