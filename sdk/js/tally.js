// Evaluation as a fold over outcomes. Sums are whole numbers of any size, so that any order gives the same bytes.

import { exact, toUtf8, utf8 } from './columns.js';

/** The fields of an outcome, which every activity reads in `observe`. */
export const OUTCOME = { treated: 'boolean', reached: 'boolean', value: 'count?', homeAdcode: 'category?' };

/** Sums by metric, region (empty for the whole) and arm. */
export class Tally {
  #sums = new Map();

  /** Adds an amount for a customer: to the whole and to the customer's region. */
  add(outcome, metric, amount) {
    const whole = BigInt(exact(`the amount of metric ${metric}`, amount));
    for (const region of outcome.homeAdcode === undefined ? [''] : ['', outcome.homeAdcode]) {
      this.#addSums(JSON.stringify([metric, region, outcome.treated]), [1n, whole, whole * whole]);
    }
  }

  merge(other) {
    for (const [key, sums] of other.#sums) this.#addSums(key, sums);
    return this;
  }

  #addSums(key, sums) {
    const known = this.#sums.get(key) ?? [0n, 0n, 0n];
    this.#sums.set(key, known.map((sum, at) => sum + sums[at]));
  }

  #sorted() {
    return [...this.#sums].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The state of a fold; an empty one has seen nothing. */
  static fromState(state) {
    const tally = new Tally();
    if (state.length === 0) return tally;
    let entries;
    try {
      entries = JSON.parse(utf8(state));
      for (const [key, sums] of entries) tally.#sums.set(key, sums.map(BigInt));
    } catch {
      throw new TypeError('this is no state of this fold');
    }
    return tally;
  }

  toState() {
    const entries = this.#sorted().map(([key, sums]) => [key, sums.map(String)]);
    return toUtf8(JSON.stringify(entries));
  }

  report() {
    return this.#sorted().map(([key, [count, sum, squares]]) => {
      const [name, region, treated] = JSON.parse(key);
      const slice = region === '' ? '' : `region=${region}`;
      return { name, slice, treated, count: Number(count), sum: Number(sum), sumOfSquares: Number(squares) };
    });
  }
}
