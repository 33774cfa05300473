// The functions of the contract over any host: a batch of columns in, an activity's answers out. A component exports
// them; tests call them with the bench of `care-sdk/testing`.

import { exact, isAscii, kebab, nearest, reader, shown, toUtf8 } from './columns.js';
import { noted } from './profile.js';
import { Tally } from './tally.js';

const CUSTOMERS = 'customers';

/** What an activity knows of a run (dates in days, the instant in Unix milliseconds), and its rules. */
function prepared(activity, host) {
  const [params, rules] = noted(activity, host, JSON.parse(host.params()));
  const run = { today: host.today(), now: host.now(), params, tables: {} };
  for (const [name, fields] of Object.entries(activity.tables)) {
    const read = reader(host, name, fields);
    run.tables[name] = Array.from({ length: host.rows(name) }, (_, row) => read(row) ??
      stop(`row ${row} of reference table ${JSON.stringify(name)} lacks a value; fill it and import the table again`));
  }
  activity.prepare?.(run);
  return [run, rules];
}

function stop(message) {
  throw new TypeError(message);
}

/** Runs `rule` for each of so many rows; what it throws comes with the row. */
function eachRow(count, rule) {
  let row = 0;
  try {
    for (; row < count; row += 1) rule(row);
  } catch (error) {
    if (error instanceof Error && !/^row \d/.test(error.message)) error.message = `row ${row}: ${error.message}`;
    throw error;
  }
}

/** `targeting.select` */
export function select(activity, host) {
  const [run, rules] = prepared(activity, host);
  const read = reader(host, CUSTOMERS, activity.target, run.tables);
  const chosen = { rows: [], reasons: [], occasions: [], scores: [] };
  eachRow(host.rows(CUSTOMERS), (row) => {
    const who = read(row);
    const selected = who && rules.select(who, run);
    if (selected) choose(activity, chosen, row, selected);
  });
  return chosen;
}

/** Adds a choice in the contract's terms. */
function choose(activity, chosen, row, selected) {
  const reason = activity.reasons.indexOf(selected.reason);
  if (reason < 0) {
    stop(`select chose for reason ${shown(selected.reason)}, which the activity does not declare` +
      nearest(selected.reason, activity.reasons));
  }
  const { score = 0.5 } = selected;
  if (typeof score !== 'number' || !(score >= 0 && score <= 1)) stop(`the score is ${shown(score)}, which is not within 0 to 1`);
  chosen.rows.push(row);
  chosen.reasons.push(reason);
  chosen.occasions.push(exact('the occasion', selected.occasion));
  chosen.scores.push(score);
}

/** `timing.schedule` */
export function schedule(activity, host, reasons) {
  const [run, rules] = prepared(activity, host);
  const read = reader(host, CUSTOMERS, activity.timing, run.tables);
  const moments = { notBefore: [], notAfter: [] };
  eachRow(reasons.length, (row) => {
    const useful = rules.schedule(read(row) ?? lacking(), reasonOf(activity, reasons[row]), run);
    if (!useful) stop('schedule returned nothing; return { notBefore, notAfter }');
    const notAfter = exact('notAfter', useful.notAfter);
    // A plan made after the last useful instant is too late, which is for the host to say; it is no fault.
    moments.notBefore.push(Math.min(exact('notBefore', useful.notBefore), notAfter));
    moments.notAfter.push(notAfter);
  });
  return moments;
}

function lacking() {
  return stop('it was chosen but lacks a value that a later stage requires');
}

function reasonOf(activity, index) {
  return activity.reasons[index] ?? stop(`it comes with reason ${index}, which the code does not have`);
}

/** `content.compose` */
export function compose(activity, host, reasons) {
  const [run, rules] = prepared(activity, host);
  const read = reader(host, CUSTOMERS, activity.content, run.tables);
  const said = { rows: [], templates: [], slots: activity.slots.map(() => []) };
  let about = 0;
  const say = (template, values) => message(activity, said, about, template, values);
  eachRow(reasons.length, (row) => {
    about = row;
    rules.compose(read(row) ?? lacking(), reasonOf(activity, reasons[row]), say, run);
  });
  return finished(said);
}

function message(activity, said, row, template, values) {
  const index = activity.templates.indexOf(template);
  if (index < 0) {
    stop(`it says template ${shown(template)}, which the activity does not declare${nearest(template, activity.templates)}`);
  }
  said.rows.push(row);
  said.templates.push(index);
  const { slots } = said;
  // A column gets one entry a message: the value, or nothing.
  for (let at = 0; at < slots.length; at += 1) slots[at].push('');
  for (const key in values) {
    const value = values[key];
    const column = slots[slotOf(activity, key)];
    column[column.length - 1] = typeof value === 'string' ? value : String(exact(key, value));
  }
}

function slotOf(activity, key) {
  const at = activity.places.get(key);
  return at ?? stop(`it fills slot ${shown(key)}, which the activity does not declare${nearest(kebab(key), activity.slots)}`);
}

/** What was said in the contract's terms: texts as bytes, their places counted in bytes too. */
function finished({ rows, templates, slots }) {
  return { rows, templates, slots: slots.map((column) => {
    const text = column.join('');
    const ascii = isAscii(text);
    const offsets = [0];
    let end = 0;
    for (let at = 0; at < column.length; at += 1) {
      end += ascii ? column[at].length : toUtf8(column[at]).length;
      offsets.push(end);
    }
    return { offsets, bytes: toUtf8(text) };
  }) };
}

/** `evaluation.observe` */
export function observe(activity, host, state) {
  const tally = Tally.fromState(state);
  const read = reader(host, 'outcomes', activity.outcome);
  eachRow(host.rows('outcomes'), (row) => {
    const outcome = read(row);
    if (outcome) activity.measure(outcome, tally);
  });
  return tally.toState();
}

/** `evaluation.merge` */
export function merge(left, right) {
  return Tally.fromState(left).merge(Tally.fromState(right)).toState();
}

/** `evaluation.report` */
export function report(state) {
  return Tally.fromState(state).report();
}
