// A form and its rule set: whom to ask what, and which class follows from the answers.

import { parse } from 'yaml';

import { need, sha256 } from './bytes.js';
import { compile } from './expression.js';

/** A truth value or number of a fact as the rules see it; what did not come back well is UNKNOWN, a share is noise. */
export function factValue(fact) {
  if (fact?.state !== 'OK' || fact.operator === 'SHARE') return null;
  return { TRUTH: fact.truth, NUMBER: BigInt(fact.number), TEXT: fact.text }[fact.kind] ?? null;
}

/** "CMP(<,area.mean)" as { operator: 'CMP', args: ['<', 'area.mean'] }. */
export function splitOperator(text) {
  const [, operator, , args] = /^([A-Z_]+)(\((.*)\))?$/.exec(text) ?? need(false, `no operator: ${text}`);
  return { operator, args: args ? args.split(',') : [] };
}

/** One decisive member settles it whatever the others are; else one UNKNOWN leaves it open. */
const settle = (decisive) => (values) =>
  values.includes(decisive) ? decisive : values.includes(null) ? null : !decisive;
const total = (values) => (values.includes(null) ? null : values.reduce((a, b) => a + b, 0n));
const FOLDS = {
  sum: total,
  count: (values) => total(values.map((v) => (v === null ? null : BigInt(v)))),
  any: settle(true),
  all: settle(false),
  applicant: (values) => values[0], // the applicant is first
};

/** What holds for a role that is not asked. */
const constant = (value) =>
  typeof value === 'number' ? BigInt(value) : typeof value === 'boolean' ? value : null;

export class Form {
  /** `content` and `rules` are the files' bytes as the directory lists them by hash. */
  constructor(content, rules, directory) {
    this.sha256 = sha256(content);
    Object.assign(this, parse(content.toString()));
    const { rules: rulesId, version, thresholds } = parse(rules.toString());
    need(directory.lists('forms', this.form, this.version, this.sha256), 'the directory lists another form');
    need(rulesId === this.rules && directory.lists('rules', rulesId, version, sha256(rules)),
      'the directory lists another rule set');
    this.shares ??= [];
    this.thresholds = Object.entries(thresholds).map(([name, { value }]) =>
      [name.replaceAll('.', '_'), BigInt(value)]);
    this.compiled = new Map([...this.household.map((h) => h.each), ...this.conditions.map((c) => c.test),
      ...this.classes.map((c) => c.when)].map((text) => [text, compile(text)]));
  }

  /** The facts a department is asked for a role. */
  asked(department, role) {
    return this.facts.filter((fact) => fact.department === department && fact.roles.includes(role));
  }

  /** The departments that are asked about a role under one of these bases. */
  departments(role, bases) {
    return Object.keys(this.sections).filter((name) =>
      bases.includes(this.sections[name].basis) && this.asked(name, role).length > 0);
  }

  /** A grant section's `views` for what the form asks. */
  grantedViews(department, role, directory) {
    const views = new Map();
    for (const { view, field, operator } of this.asked(department, role)) {
      const fields = views.get(view) ?? [];
      if (!fields.some((f) => f.field === field && f.op === operator)) fields.push({ field, op: operator });
      views.set(view, fields);
    }
    return [...views].map(([view, fields]) => ({ view, version: directory.viewVersion(view), fields }));
  }

  /**
   * The class that follows. `members` are { role, facts: Map of a fact's name to its Fact }, applicant first;
   * `totals` has the blind sums by slot. The first TRUE class wins only if no earlier one is UNKNOWN; otherwise a
   * person decides.
   */
  judge(members, totals) {
    const common = [...this.thresholds, ...totals, ['n', BigInt(members.length)]];
    const rows = members.map((member) => new Map([...common, ...this.facts.map((fact) => [fact.fact,
      fact.roles.includes(member.role) ? factValue(member.facts.get(fact.fact)) : constant(fact.otherwise)])]));
    const household = new Map(common);
    for (const { name, each, fold } of this.household) {
      const value = FOLDS[fold](rows.map((row) => this.compiled.get(each)(row)));
      for (const names of [household, ...rows]) names.set(name, value);
    }
    const conditions = new Map(this.conditions.map((c) => [c.condition, this.compiled.get(c.test)(household)]));
    for (const { class: id, when, text } of this.classes) {
      const truth = this.compiled.get(when)(conditions);
      if (truth === true) return { id, text, conditions };
      if (truth === null) return { id: 'MANUAL', text: { zh: '转人工审核', en: 'for a person to decide' }, conditions };
    }
    return { id: this.otherwise.class, text: this.otherwise.text, conditions };
  }
}
