// What the types promise an author: `tsc --noEmit` accepts this file, and each line marked below it must refuse.

import { activity, days, declaration, joined, type Activity, type Moments, type Selected } from '../index.js';
import { bench, decide } from '../testing.js';

interface Params {
  send_hour: number;
}

const brand = joined<{ key: string; wait: number }>('brands', 'key');

const years: Activity = activity({
  target: { tenureMonths: 'small', homeAdcode: 'category', stopped: 'boolean?', points: 'count?', brand },
  content: { tenureMonths: 'small' },
  tables: { brands: { key: 'category', wait: 'small' } },
  reasons: ['full-year'],
  templates: ['thanks'],
  slots: ['years'],
  select(who, run) {
    const tenure: number = who.tenureMonths;
    const home: string = who.homeAdcode;
    const stopped: boolean | undefined = who.stopped;
    const wait: number = who.brand.wait;
    // @ts-expect-error a customer may lack points
    const points: number = who.points;
    // @ts-expect-error no such field was declared
    if (who.tenureMonth > 1) return undefined;
    const first: string | undefined = run.tables.brands[0]?.key;
    if (stopped || home !== first || tenure + wait + points < 12) return undefined;
    return { reason: 'full-year', occasion: run.today, score: 0.5 };
  },
  schedule(who, reason, run): Moments {
    const why: 'full-year' = reason;
    const { send_hour: hour } = run.params as Params;
    return { notBefore: days.at(run.today, hour), notAfter: days.end(run.today + why.length) };
  },
  compose(who, reason, say) {
    say('thanks', { years: Math.floor(who.tenureMonths / 12) });
    // @ts-expect-error no such template was declared
    say('thank');
    // @ts-expect-error compose does not read points
    say('thanks', { years: who.points });
  },
  measure(outcome, tally) {
    tally.add(outcome, 'goal', outcome.reached ? 1 : 0);
    // @ts-expect-error an outcome may have no value
    tally.add(outcome, 'spend', outcome.value);
  },
});

activity({
  // @ts-expect-error there is no such type
  target: { tenureMonths: 'smal' },
  reasons: ['full-year'],
  templates: ['thanks'],
  // @ts-expect-error there is no such reason
  select: (): Selected<'full-year'> => ({ reason: 'ful-year', occasion: 1 }),
  schedule: () => ({ notBefore: 0, notAfter: 1 }),
  compose: () => undefined,
});

// @ts-expect-error a rule is missing
activity({ reasons: ['full-year'], templates: ['thanks'], select: () => undefined, schedule: () => ({ notBefore: 0, notAfter: 1 }) });

const declared: object = declaration(years);
const [decided] = decide(years, bench(years, { today: days.parse('2026-07-29'), customers: [{ tenureMonths: 24 }] }));
export const said: string | undefined = decided?.messages[0]?.template;
export { declared };
