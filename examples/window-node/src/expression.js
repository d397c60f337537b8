// A form's rules: SQL expressions with SQL's three-valued logic, exact integers, and nothing else.
// UNKNOWN is null. What is no number, truth or text of the expected kind ends the evaluation: no guesses.

import { Untrue } from './bytes.js';

const TOKEN = /\s*(?:([A-Za-z_]\w*)|(\d+)|'((?:[^']|'')*)'|(<>|!=|<=|>=|[=<>+\-*(),]))/y;
const KEYWORDS = ['AND', 'OR', 'NOT', 'IN', 'BETWEEN', 'TRUE', 'FALSE', 'UNKNOWN'];
const CONSTANTS = { TRUE: true, FALSE: false, UNKNOWN: null };
const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

function scan(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new Untrue(`rule: unexpected character at ${at + 1}: ${text}`);
    const [, name, number, string, sign] = match;
    if (name && KEYWORDS.includes(name.toUpperCase())) tokens.push({ sign: name.toUpperCase() });
    else if (name) tokens.push({ name });
    else if (number) tokens.push({ value: BigInt(number) });
    else if (string !== undefined) tokens.push({ value: string.replaceAll("''", "'") });
    else tokens.push({ sign });
  }
  return tokens;
}

// --- three-valued operations ---

const typed = (kind) => (value) => {
  if (value !== null && typeof value !== kind) throw new Untrue(`rule: a ${typeof value} instead of a ${kind}`);
  return value;
};
const truth = typed('boolean');
const number = typed('bigint');
const fits = (value) => (value < MIN || value > MAX ? null : value);

/** What a strict function gives: UNKNOWN as soon as one argument is. */
const strict = (kind, f) => (...values) => {
  const known = values.map(kind);
  return known.includes(null) ? null : f(...known);
};
const not = strict(truth, (a) => !a);
const or = (a, b) => (truth(a) === true || truth(b) === true ? true : a === null || b === null ? null : false);
const and = (a, b) => not(or(not(a), not(b)));
const equal = (a, b) => {
  if (a === null || b === null) return null;
  if (typeof a !== typeof b) throw new Untrue('rule: values of two kinds compared');
  return a === b;
};
const least = (values) => values.reduce((a, b) => (b < a ? b : a));
const most = (values) => values.reduce((a, b) => (b > a ? b : a));
const OPERATIONS = {
  '=': equal,
  '<>': (a, b) => not(equal(a, b)),
  '!=': (a, b) => not(equal(a, b)),
  '<': strict(number, (a, b) => a < b),
  '<=': strict(number, (a, b) => a <= b),
  '>': strict(number, (a, b) => a > b),
  '>=': strict(number, (a, b) => a >= b),
  '+': strict(number, (a, b) => fits(a + b)),
  '-': strict(number, (a, b) => fits(a - b)),
  '*': strict(number, (a, b) => fits(a * b)),
};
const FUNCTIONS = {
  abs: strict(number, (a) => fits(a < 0n ? -a : a)),
  ceil: strict(number, (a) => a),
  min: strict(number, (...values) => least(values)),
  max: strict(number, (...values) => most(values)),
};

// --- the grammar; each function returns (names) => value ---

class Parser {
  constructor(text) {
    this.tokens = scan(text);
    this.text = text;
  }

  whole() {
    const rule = this.or();
    if (this.tokens.length > 0) this.refuse();
    return rule;
  }

  refuse() {
    throw new Untrue(`rule: cannot be read: ${this.text}`);
  }

  /** Takes one of these signs if it comes next. */
  take(...signs) {
    return signs.includes(this.tokens[0]?.sign) ? this.tokens.shift().sign : undefined;
  }

  expect(sign) {
    if (!this.take(sign)) this.refuse();
  }

  /** `operand (sign operand)*`, from left to right. */
  chain(signs, operand, apply) {
    let left = operand();
    for (let sign = this.take(...signs); sign; sign = this.take(...signs)) {
      const [first, then, second] = [left, apply(sign), operand()];
      left = (names) => then(first(names), second(names));
    }
    return left;
  }

  or() {
    return this.chain(['OR'], () => this.and(), () => or);
  }

  and() {
    return this.chain(['AND'], () => this.not(), () => and);
  }

  not() {
    if (!this.take('NOT')) return this.compare();
    const operand = this.not();
    return (names) => not(operand(names));
  }

  compare() {
    const left = this.sum();
    const negated = this.take('NOT');
    const found = this.in(left) ?? this.between(left) ?? (negated ? this.refuse() : this.comparison(left));
    return negated ? (names) => not(found(names)) : found;
  }

  comparison(left) {
    const sign = this.take('=', '<>', '!=', '<', '<=', '>', '>=');
    if (!sign) return left;
    const right = this.sum();
    return (names) => OPERATIONS[sign](left(names), right(names));
  }

  between(left) {
    if (!this.take('BETWEEN')) return undefined;
    const low = this.sum();
    this.expect('AND');
    const high = this.sum();
    return (names) => and(OPERATIONS['>='](left(names), low(names)), OPERATIONS['<='](left(names), high(names)));
  }

  in(left) {
    if (!this.take('IN')) return undefined;
    const list = this.list();
    return (names) => list.map((item) => equal(left(names), item(names))).reduce(or);
  }

  /** `(a, b, ...)` */
  list() {
    const items = [];
    this.expect('(');
    do items.push(this.sum()); while (this.take(','));
    this.expect(')');
    return items;
  }

  sum() {
    return this.chain(['+', '-'], () => this.product(), (sign) => OPERATIONS[sign]);
  }

  product() {
    return this.chain(['*'], () => this.value(), (sign) => OPERATIONS[sign]);
  }

  value() {
    if (this.take('-')) {
      const operand = this.value();
      return (names) => OPERATIONS['-'](0n, operand(names));
    }
    if (this.take('(')) {
      const inner = this.or();
      this.expect(')');
      return inner;
    }
    const constant = this.take('TRUE', 'FALSE', 'UNKNOWN');
    if (constant) return () => CONSTANTS[constant];
    const token = this.tokens.shift() ?? this.refuse();
    if (token.value !== undefined) return () => token.value;
    if (!token.name) this.refuse();
    return this.tokens[0]?.sign === '(' ? this.call(token.name.toLowerCase()) : this.named(token.name);
  }

  call(name) {
    if (!Object.hasOwn(FUNCTIONS, name)) this.refuse();
    const list = this.list();
    return (names) => FUNCTIONS[name](...list.map((item) => item(names)));
  }

  named(name) {
    return (names) => {
      if (!names.has(name)) throw new Untrue(`rule: nothing is called ${name}`);
      return names.get(name);
    };
  }
}

/** Compiles a rule; the result takes a Map of names to null, boolean, bigint or string. */
export const compile = (text) => new Parser(text).whole();
