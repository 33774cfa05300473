// Writes customer-care activities in JavaScript. Nothing here knows a host: `component.js` does.

import { fieldsOf, kebab, joined } from './columns.js';
import { OUTCOME } from './tally.js';

export { joined };

const KEYS = ['target', 'timing', 'content', 'tables', 'reasons', 'templates', 'slots', 'prepare', 'select', 'schedule',
  'compose', 'measure'];

/**
 * An activity. Throws where the declaration cannot hold: an unknown key or field type, a rule that is missing, a value
 * that a later stage requires and `target` does not.
 */
export function activity(written) {
  for (const key of Object.keys(written)) {
    if (!KEYS.includes(key)) throw new TypeError(`activity has no ${JSON.stringify(key)}; it has ${KEYS.join(', ')}`);
  }
  for (const rule of ['select', 'schedule', 'compose']) {
    if (typeof written[rule] !== 'function') throw new TypeError(`activity.${rule} is missing; write it as a function`);
  }
  const fields = {};
  for (const stage of ['target', 'timing', 'content']) fields[stage] = fieldsOf(written[stage], `activity.${stage}`);
  const required = new Set(fields.target.filter((field) => !field.optional).map((field) => field.name));
  for (const stage of ['timing', 'content']) {
    const lacking = fields[stage].find((field) => !field.optional && !required.has(field.name));
    if (lacking) {
      throw new TypeError(`activity.${stage} requires ${lacking.name}, which activity.target does not require: a customer ` +
        'could be chosen for whom it is not known');
    }
  }
  const tables = Object.entries(written.tables ?? {}).map(([name, of]) => [kebab(name), fieldsOf(of, `activity.tables.${name}`)]);
  const measure = written.measure ?? ((outcome, tally) => tally.add(outcome, 'goal', outcome.reached ? 1 : 0));
  return Object.freeze({
    ...fields,
    tables: Object.fromEntries(tables),
    outcome: fieldsOf(OUTCOME, 'outcome'),
    reasons: [...(written.reasons ?? [])],
    templates: [...(written.templates ?? [])],
    slots: [...(written.slots ?? [])],
    places: placesOf(written.slots ?? []),
    prepare: written.prepare,
    select: written.select,
    schedule: written.schedule,
    compose: written.compose,
    measure,
  });
}

/** Where each slot stands, by its name and by the name that JavaScript may give it: `daysLeft` is `days-left`. */
function placesOf(slots) {
  const camel = (name) => name.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());
  return new Map(slots.flatMap((name, at) => [[name, at], [camel(name), at]]));
}

/** What the code of an activity declares, for its manifest. */
export function declaration(of) {
  const use = ({ name, type, optional }) => ({ name, type, optional });
  const tables = Object.entries(of.tables).map(([name, fields]) => [name, fields.map(use)]);
  return {
    fields: {
      select: of.target.map(use), schedule: of.timing.map(use), compose: of.content.map(use), observe: of.outcome.map(use),
    },
    tables: Object.fromEntries(tables),
    reasons: of.reasons,
    templates: of.templates,
    slots: of.slots,
  };
}

const DAY_MS = 86_400_000;
// China has had one zone without summer time since 1992; the province's business dates are meant in it.
const PROVINCE_OFFSET_MS = 8 * 3_600_000;

/** Dates are days since 1970-01-01, instants Unix milliseconds. */
export const days = Object.freeze({
  /** Reads `2026-07-29`; throws for a day that no calendar has. */
  parse(text) {
    const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
    const date = found && Date.UTC(Number(found[1]), Number(found[2]) - 1, Number(found[3])) / DAY_MS;
    if (date === null || days.format(date) !== text) throw new RangeError(`${JSON.stringify(text)} is no date such as 2026-07-29`);
    return date;
  },
  /** Writes a date as `2026-07-29`. */
  format: (date) => new Date(date * DAY_MS).toISOString().slice(0, 10),
  /** Year, month 1–12 and day 1–31 of a date. */
  civil(date) {
    const at = new Date(date * DAY_MS);
    return { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() };
  },
  /** The instant of an hour (0–24) of a date in the province. */
  at: (date, hour) => date * DAY_MS + hour * 3_600_000 - PROVINCE_OFFSET_MS,
  /** The last millisecond of a date in the province. */
  end: (date) => days.at(date, 24) - 1,
});
