// Runs activities in node, for their authors' tests: an in-memory bench in the host's place.

import * as batch from './batch.js';
import { TYPES, kebab, toUtf8, utf8 } from './columns.js';

/**
 * A host over customers written as objects: `bench(activity, { today, params, customers: [{ tenureMonths: 24 }] })`. Like the
 * real one it ends a call that asks for a field that nobody declared.
 */
export function bench(activity, { today, now = today * 86_400_000, params = {}, customers = [], tables = {}, outcomes = [] }) {
  const rows = { customers, outcomes, ...Object.fromEntries(Object.entries(tables).map(([k, v]) => [kebab(k), v])) };
  const declared = {
    customers: [...activity.target, ...activity.timing, ...activity.content], outcomes: activity.outcome, ...activity.tables,
  };
  const cells = (table, field, type) => {
    const of = (declared[table] ?? []).find((one) => one.name === field && TYPES[one.type] === type);
    if (!of) throw new Error(`field ${field} of table ${table} is not declared`);
    return rows[table].map((row) => row[of.key]);
  };
  const filled = (empty) => (value) => value ?? empty;
  return {
    today: () => today,
    now: () => now,
    params: () => JSON.stringify(params),
    rows: (table) => rows[table].length,
    s64s: (table, field) => cells(table, field, 's64s').map(filled(0)),
    s32s: (table, field) => cells(table, field, 's32s').map(filled(0)),
    f64s: (table, field) => cells(table, field, 'f64s').map(filled(0)),
    booleans: (table, field) => Uint8Array.from(cells(table, field, 'booleans').map((yes) => (yes ? 1 : 0))),
    categories: (table, field) => [...new Set(cells(table, field, 'codes').filter((c) => c !== undefined))],
    codes(table, field) {
      const known = this.categories(table, field);
      return cells(table, field, 'codes').map((cell) => Math.max(0, known.indexOf(cell)));
    },
    textsOf(table, field) {
      const bytes = [];
      const offsets = [0];
      for (const cell of cells(table, field, 'textsOf')) offsets.push(bytes.push(...toUtf8(cell ?? '')));
      return { offsets, bytes: Uint8Array.from(bytes) };
    },
    present(table, field) {
      const of = (declared[table] ?? []).find((one) => one.name === field);
      const bits = new Uint8Array(Math.ceil(rows[table].length / 8));
      rows[table].forEach((row, at) => { if (row[of.key] !== undefined) bits[at >> 3] |= 1 << (at & 7); });
      return bits;
    },
    rowsOf(field, table, key) {
      const of = declared.customers.find((one) => one.name === field);
      const to = declared[table].find((one) => one.name === key);
      return customers.map((who) => {
        const row = rows[table].findIndex((entry) => who[of.key] !== undefined && entry[to.key] === who[of.key]);
        return row < 0 ? 0xffffffff : row;
      });
    },
  };
}

/** What an activity decides about the customers of a bench: for each row chosen, reason, moments and messages. */
export function decide(activity, host) {
  const chosen = batch.select(activity, host);
  const only = { ...host, rows: (table) => (table === 'customers' ? chosen.rows.length : host.rows(table)) };
  for (const [read, pick] of Object.entries(PICKS)) {
    only[read] = (table, field) => (table === 'customers' ? pick(host[read](table, field), chosen.rows) : host[read](table, field));
  }
  only.rowsOf = (field, table, key) => chosen.rows.map((row) => host.rowsOf(field, table, key)[row]);
  const moments = batch.schedule(activity, only, chosen.reasons);
  const said = batch.compose(activity, only, chosen.reasons);
  return chosen.rows.map((row, at) => ({
    row,
    reason: activity.reasons[chosen.reasons[at]],
    occasion: chosen.occasions[at],
    score: chosen.scores[at],
    notBefore: moments.notBefore[at],
    notAfter: moments.notAfter[at],
    messages: said.rows.flatMap((of, message) => (of === at ? [spoken(activity, said, message)] : [])),
  }));
}

const gathered = (cells, rows) => rows.map((row) => cells[row]);
const PICKS = {
  s64s: gathered,
  s32s: gathered,
  f64s: gathered,
  codes: gathered,
  booleans: gathered,
  present(bits, rows) {
    const picked = new Uint8Array(Math.ceil(rows.length / 8));
    rows.forEach((row, at) => { picked[at >> 3] |= (bits[row >> 3] >> (row & 7) & 1) << (at & 7); });
    return picked;
  },
  textsOf({ offsets, bytes }, rows) {
    const picked = { offsets: [0], bytes: [] };
    for (const row of rows) {
      picked.bytes.push(...bytes.slice(offsets[row], offsets[row + 1]));
      picked.offsets.push(picked.bytes.length);
    }
    return picked;
  },
};

function spoken(activity, said, message) {
  const slots = activity.slots.map((slot, at) => {
    const { offsets, bytes } = said.slots[at];
    return [slot, utf8(bytes, offsets[message], offsets[message + 1])];
  });
  return { template: activity.templates[said.templates[message]], ...Object.fromEntries(slots.filter(([, value]) => value)) };
}
