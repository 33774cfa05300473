import assert from 'node:assert/strict';
import test from 'node:test';
import { activity, days, declaration, joined } from '../index.js';
import * as batch from '../batch.js';
import { kebab, toUtf8, utf8 } from '../columns.js';
import { Tally } from '../tally.js';
import { bench, decide } from '../testing.js';

const TODAY = days.parse('2026-07-29');

const full = {
  target: { tenureMonths: 'small', points: 'count?' },
  content: { tenureMonths: 'small' },
  reasons: ['full-year'],
  templates: ['thanks'],
  slots: ['years'],
  select: (who) => who.tenureMonths % 12 === 0 && { reason: 'full-year', occasion: who.tenureMonths, score: 0.5 },
  schedule: (who, reason, run) => ({ notBefore: days.at(run.today, run.params.send_hour), notAfter: days.end(run.today) }),
  compose: (who, reason, say) => say('thanks', { years: who.tenureMonths / 12 }),
};
const written = (change = {}) => activity({ ...full, ...change });
const on = (of, customers, more = {}) => bench(of, { today: TODAY, params: { send_hour: 9 }, customers, ...more });

test('an activity declares the fields it reads, by their names in the dictionary', () => {
  const said = declaration(written());
  assert.deepEqual(said.fields.select, [
    { name: 'tenure-months', type: 'small', optional: false }, { name: 'points', type: 'count', optional: true },
  ]);
  assert.deepEqual(said.fields.observe.map((field) => field.name), ['treated', 'reached', 'value', 'home-adcode']);
  assert.deepEqual([kebab('spendD1'), kebab('homeAdcode')], ['spend-d1', 'home-adcode']);
});

test('a customer is chosen, timed and spoken to, and one without a required value is not', () => {
  const of = written();
  const said = decide(of, on(of, [{ tenureMonths: 13 }, { tenureMonths: 24, points: 7 }, {}, { tenureMonths: 36 }]));
  assert.deepEqual(said.map((one) => [one.row, one.reason, one.occasion, one.messages]), [
    [1, 'full-year', 24, [{ template: 'thanks', years: '2' }]], [3, 'full-year', 36, [{ template: 'thanks', years: '3' }]],
  ]);
  assert.equal(said[0].notBefore, 1_785_286_800_000);
});

test('a mistake in the declaration is told before anything runs', () => {
  assert.throws(() => written({ target: { tenureMonths: 'smal' } }), /activity\.target\.tenureMonths is "smal".*one of fen/);
  assert.throws(() => written({ selct: () => 1 }), /activity has no "selct"/);
  assert.throws(() => written({ compose: undefined }), /activity\.compose is missing/);
  assert.throws(() => written({ content: { arpu: 'fen' } }), /requires arpu, which activity\.target does not/);
});

test('a wrong answer is told with its row and the nearest name', () => {
  const run = (change, pattern) => {
    const of = written(change);
    assert.throws(() => decide(of, on(of, [{ tenureMonths: 13 }, { tenureMonths: 24 }])), pattern);
  };
  run({ select: (who) => who.tenureMonths === 24 && { reason: 'ful-year', occasion: 1 } }, /row 1: .*"ful-year".*nearest: full-year/);
  run({ select: () => ({ reason: 'full-year', occasion: 0.5 }) }, /row 0: the occasion is 0\.5, which is no whole number/);
  run({ select: () => ({ reason: 'full-year', occasion: 1, score: 2 }) }, /row 0: the score is 2/);
  run({ compose: (who, reason, say) => say('thank') }, /row 0: .*template "thank".*nearest: thanks/);
  run({ compose: (who, reason, say) => say('thanks', { year: 1 }) }, /slot "year".*nearest: years/);
  run({ select: (who) => who.tenureMonth > 1 }, /row 0: field tenure-month of customers is not declared.*nearest: tenureMonths/);
  run({ schedule: () => undefined }, /row 0: schedule returned nothing/);
});

test('a whole number beyond 2^53 is never rounded, in or out', () => {
  const of = written({ select: (who) => who.points > 0 && { reason: 'full-year', occasion: 1 } });
  const large = [{ tenureMonths: 12, points: 1 }, { tenureMonths: 12, points: 2 ** 53 + 2 }];
  assert.throws(() => batch.select(of, on(of, large)), /row 1: field points holds about 9007199254740994, beyond 2\^53/);
  const out = written({ select: () => ({ reason: 'full-year', occasion: 2 ** 60 }) });
  assert.throws(() => batch.select(out, on(out, [{ tenureMonths: 12 }])), /the occasion is 1152921504606847000, beyond 2\^53/);
});

test('a slot may hold a key in any script, between messages with other ones', () => {
  const keyed = written({ slots: ['years', 'best-way'], compose: (who, reason, say) => {
    say('thanks', { years: 1, bestWay: '厦门é😀' });
    say('thanks', { years: 22, 'best-way': 'b' });
  } });
  const [said] = decide(keyed, on(keyed, [{ tenureMonths: 12 }]));
  assert.deepEqual(said.messages, [
    { template: 'thanks', years: '1', 'best-way': '厦门é😀' }, { template: 'thanks', years: '22', 'best-way': 'b' },
  ]);
});

test('a joined field is the row of its table', () => {
  const of = written({
    target: { tenureMonths: 'small', brand: joined('brands', 'key') },
    tables: { brands: { key: 'category', wait: 'small' } },
    select: (who) => ({ reason: 'full-year', occasion: who.brand.wait }),
  });
  const tables = { brands: [{ key: 'gotone', wait: 3 }, { key: 'm-zone', wait: 5 }] };
  const customers = [{ tenureMonths: 12, brand: 'm-zone' }, { tenureMonths: 12, brand: 'easyown' }];
  const chosen = batch.select(of, on(of, customers, { tables }));
  assert.deepEqual([chosen.rows, chosen.occasions], [[0], [5]]);
});

test('states merge in any order to the same bytes, exactly', () => {
  const of = written();
  const outcomes = (amounts) => amounts.map((value) => ({ treated: value % 2 === 0, reached: value > 2, value, homeAdcode: '350200' }));
  const measured = written({ measure: (outcome, tally) => tally.add(outcome, 'spend', outcome.value * 1e12) });
  const state = (amounts) => batch.observe(measured, on(of, [], { outcomes: outcomes(amounts) }), new Uint8Array());
  const [left, right] = [state([1, 2, 3]), state([4, 5])];
  assert.deepEqual(batch.merge(left, right), batch.merge(right, left));
  assert.deepEqual(batch.merge(left, right), state([5, 4, 3, 2, 1]));
  const treated = batch.report(batch.merge(left, right)).find((one) => one.treated && one.slice === 'region=350200');
  assert.deepEqual([treated.count, treated.sum], [2, 6e12]);
  assert.throws(() => Tally.fromState([1, 2]), /no state of this fold/);
});

test('dates are days, and texts are UTF-8', () => {
  assert.deepEqual([TODAY, days.format(TODAY), days.civil(TODAY)], [20_663, '2026-07-29', { year: 2026, month: 7, day: 29 }]);
  assert.throws(() => days.parse('2026-02-30'), /no date/);
  const text = '厦门 é 😀 a';
  assert.equal(utf8(toUtf8(text)), text);
  assert.deepEqual(Buffer.from(toUtf8(text)), Buffer.from(text));
});
