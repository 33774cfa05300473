import type { Activity } from './index.js';

/** The exports of the world `activity`, for `care plugin build`. */
export function component(activity: Activity): {
  targeting: object;
  timing: object;
  content: object;
  evaluation: object;
};

/** Words for what was thrown: the error, and where in the author's files. */
export function words(error: unknown): string;
