// The exports of a component, for `care plugin build`: what an activity throws becomes an error that names its line.

import * as tables from 'care:activity/tables@1.1.0';
import * as run from 'care:activity/run@1.1.0';
import * as batch from './batch.js';

const host = { ...(tables.default ?? tables), ...(run.default ?? run) };

/** Words for what was thrown: the error, and where in the author's files. */
export function words(error) {
  if (!(error instanceof Error)) return String(error);
  const place = /([^\s(/]+\.m?js):(\d+)/;
  const lines = (error.stack ?? '').split('\n').filter((line) => !/care-sdk|entry\.js/.test(line));
  const found = lines.map((line) => place.exec(line)).find(Boolean);
  return found ? `${error} (${found[1]}:${found[2]})` : String(error);
}

function told(call) {
  try {
    return call();
  } catch (error) {
    throw words(error);
  }
}

/** The functions of the world `activity`. */
export function component(activity) {
  return {
    targeting: { select: () => told(() => batch.select(activity, host)) },
    timing: { schedule: (reasons) => told(() => batch.schedule(activity, host, reasons)) },
    content: { compose: (reasons) => told(() => batch.compose(activity, host, reasons)) },
    evaluation: {
      observe: (state) => told(() => batch.observe(activity, host, state)),
      merge: (left, right) => told(() => batch.merge(left, right)),
      report: (state) => told(() => batch.report(state)),
    },
  };
}
