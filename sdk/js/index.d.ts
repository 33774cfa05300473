/** Money in whole fen, instants in Unix milliseconds, dates in days since 1970-01-01: all numbers, exact to 2^53. */
export type FieldType =
  | 'fen' | 'instant' | 'count' | 'small' | 'date' | 'ratio' | 'boolean' | 'category' | 'text';
/** A field's type; with `?` a customer may lack it. */
export type FieldSpec = FieldType | `${FieldType}?` | Joined;

type Cell<T extends string> = T extends 'boolean' ? boolean : T extends 'category' | 'text' ? string : number;
type Value<S> = S extends Joined<infer R> ? R : S extends `${infer T}?` ? Cell<T> | undefined : S extends string ? Cell<S> : never;

/** Which fields of a table are read: `{ tenureMonths: 'small', points: 'count?' }`. */
export type Fields = Record<string, FieldSpec>;
/** A row as the rules see it. */
export type RowOf<F extends Fields> = { readonly [K in keyof F]: Value<F[K]> };

/** The facts of a run; whatever `prepare` adds stands there too. */
export interface Run<P = any, T extends Record<string, Fields> = {}> {
  readonly today: number;
  readonly now: number;
  readonly params: P;
  readonly tables: { readonly [K in keyof T]: readonly RowOf<T[K]>[] };
  [added: string]: any;
}

/** Why and how urgently a customer is chosen; the same customer is contacted once for the same occasion. */
export interface Selected<R extends string> {
  reason: R;
  occasion: number;
  /** 0 to 1; 0.5 when absent. */
  score?: number;
}

/** Between which instants a contact is useful, both inclusive. */
export interface Moments {
  notBefore: number;
  notAfter: number;
}

/** Adds a message: a template and the values of its slots (money in fen, dates as days, numbers, keys). */
export type Say<T extends string> = (template: T, slots?: Record<string, number | string>) => void;

/** One customer's outcome, after the goal's window. */
export interface Outcome {
  readonly treated: boolean;
  readonly reached: boolean;
  readonly value: number | undefined;
  readonly homeAdcode: string | undefined;
}

/** Sums of a fold; whole numbers, so that any order gives the same. */
export interface Tally {
  add(outcome: Outcome, metric: string, amount: number): void;
}

export interface Written<
  A extends Fields, B extends Fields, C extends Fields, T extends Record<string, Fields>, R extends string, M extends string, P,
> {
  /** What is known when choosing; a customer who lacks a required value is never chosen. */
  target?: A;
  /** What is known when scheduling. */
  timing?: B;
  /** What is known when composing. */
  content?: C;
  /** Reference tables. */
  tables?: T;
  reasons: readonly R[];
  templates: readonly M[];
  slots?: readonly string[];
  /** Makes ready for one call. */
  prepare?(run: Run<P, T>): void;
  /** Whom. */
  select(who: RowOf<A>, run: Run<P, T>): Selected<R> | undefined | null | false;
  /** When. */
  schedule(who: RowOf<B>, reason: R, run: Run<P, T>): Moments;
  /** What. */
  compose(who: RowOf<C>, reason: R, say: Say<M>, run: Run<P, T>): void;
  /** What an outcome adds to the evaluation: by default the metric `goal`, 1 where the goal was reached. */
  measure?(outcome: Outcome, tally: Tally): void;
}

/** An activity as the component runs it. */
export interface Activity {
  readonly reasons: readonly string[];
  readonly templates: readonly string[];
  readonly slots: readonly string[];
}

/** Declares an activity; throws a TypeError that names what cannot hold. */
export function activity<
  const A extends Fields = {}, const B extends Fields = {}, const C extends Fields = {},
  const T extends Record<string, Fields> = {}, const R extends string = string, const M extends string = string, P = any,
>(written: Written<A, B, C, T, R, M, P>): Activity;

/** A field by which the host finds the row of a reference table. */
export interface Joined<R = any> {
  readonly table: string;
  readonly key: string;
  readonly type: FieldType;
  readonly field: string | undefined;
  readonly row?: R;
}

/** `tariff: joined('tariffs', 'key')`: the row of table `tariffs` whose `key` equals the customer's field `tariff`. */
export function joined<R = any>(table: string, key: string, type?: FieldType, field?: string): Joined<R>;

/** What the code of an activity declares, for its manifest. */
export function declaration(of: Activity): object;

/** Dates are days since 1970-01-01, instants Unix milliseconds; hours are meant in the province. */
export const days: {
  parse(text: string): number;
  format(date: number): string;
  civil(date: number): { year: number; month: number; day: number };
  at(date: number, hour: number): number;
  end(date: number): number;
};
