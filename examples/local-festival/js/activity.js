// 本地节庆问候 local festival: a greeting for customers of the city in the days before its festival.
//
// - Whom: customers of the city whose service is not stopped; those with enough points are told that the market takes
//   them, others are greeted after a year.
// - When: from the hour of the parameters until the festival is over.
// - The occasion is the day of the festival, so that each is greeted once.

import { activity, days } from 'care-sdk';

/** The city that holds the festival, by administrative code. */
const CITY = '350200';

export default activity({
  // What is read of a customer: `tenureMonths` is the field `tenure-months` of the dictionary. A type with `?` is what a
  // customer may lack; nobody is chosen who lacks one of the others.
  target: { homeAdcode: 'category', tenureMonths: 'small', points: 'count?', stopped: 'boolean?' },
  content: { tenureMonths: 'small', points: 'count?' },
  reasons: ['market', 'greeting'],
  templates: ['market', 'greeting'],
  slots: ['day', 'points', 'years'],

  prepare(run) {
    run.festival = days.parse(run.params.festival);
  },

  select(who, run) {
    const left = run.festival - run.today;
    if (left < 0 || left > run.params.days_ahead || who.homeAdcode !== CITY) return undefined;
    if (who.stopped) return undefined;
    if (who.points !== undefined && who.points >= run.params.market_points) return { reason: 'market', occasion: run.festival, score: 0.6 };
    if (who.tenureMonths < 12) return undefined;
    return { reason: 'greeting', occasion: run.festival, score: Math.min(who.tenureMonths, 120) / 240 };
  },

  schedule(who, reason, run) {
    return { notBefore: days.at(run.today, run.params.send_hour), notAfter: days.end(run.festival) };
  },

  compose(who, reason, say, run) {
    if (reason === 'market') say('market', { day: run.festival, points: who.points ?? 0 });
    else say('greeting', { day: run.festival, years: Math.floor(who.tenureMonths / 12) });
  },
});
