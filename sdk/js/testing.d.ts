import type { Activity } from './index.js';

export interface World {
  /** Days since 1970-01-01. */
  today: number;
  /** Unix milliseconds. */
  now?: number;
  params?: object;
  customers?: object[];
  tables?: Record<string, object[]>;
  outcomes?: object[];
}

export interface Decided {
  row: number;
  reason: string;
  occasion: number;
  score: number;
  notBefore: number;
  notAfter: number;
  messages: Record<string, string>[];
}

/** A host over customers written as objects. */
export function bench(activity: Activity, world: World): object;
/** What an activity decides about the customers of a bench. */
export function decide(activity: Activity, host: object): Decided[];
