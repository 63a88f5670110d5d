/**
 * Whether what ran before a batch shows in its energy: a slow meter, heat, or work left to do would carry one target's power
 * into its neighbour's window. A permutation test, so that it needs no model of the noise (Good 2005, chapter 3).
 */

import { HardwareError } from '../instrument/errors.ts';
import { mean } from '../../statistics/moments.ts';
import { seededRandom, shuffle } from '../../statistics/random.ts';

/** One batch: what it was, what ran right before it, and what a call in it came to. */
export interface FollowedBatch {
  /** Batches of the same cell are alike but for what ran before them. */
  readonly cell: string;
  readonly before: string;
  readonly value: number;
}

/** What the test came to. */
export interface CarryOver {
  /** Batches that took part: those of cells with at least two of them and two different neighbours. */
  readonly batches: number;
  /** How much more than its cell's mean a batch took after each neighbour, as a share of that mean. */
  readonly effects: readonly { readonly before: string; readonly batches: number; readonly share: number }[];
  /** Chance of effects at least as great when nothing is carried over; NaN when there is nothing to test. */
  readonly probability: number;
}

const SHUFFLES = 2000;

interface Group {
  readonly labels: string[];
  /** Deviations from the cell's mean, as a share of it. */
  readonly shares: number[];
}

function groupsOf(batches: readonly FollowedBatch[]): Group[] {
  const cells = new Map<string, FollowedBatch[]>();
  for (const batch of batches) cells.set(batch.cell, [...(cells.get(batch.cell) ?? []), batch]);
  return [...cells.values()].flatMap((cell) => {
    const centre = mean(cell.map(({ value }) => value));
    if (new Set(cell.map(({ before }) => before)).size < 2 || !(centre > 0)) return [];
    return [{ labels: cell.map(({ before }) => before), shares: cell.map(({ value }) => value / centre - 1) }];
  });
}

interface Sum {
  count: number;
  share: number;
}

function sumsOf(groups: readonly Group[]): Map<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const { labels, shares } of groups) {
    for (const [index, label] of labels.entries()) {
      const sum = sums.get(label) ?? { count: 0, share: 0 };
      sum.count++;
      sum.share += shares[index] as number;
      sums.set(label, sum);
    }
  }
  return sums;
}

/** Between-group sum of squares: the statistic of a one-way analysis of variance, up to what shuffling does not change. */
function spreadOf(groups: readonly Group[]): number {
  let spread = 0;
  for (const { count, share } of sumsOf(groups).values()) spread += (share * share) / count;
  return spread;
}

/**
 * Tests for carry-over by shuffling, within each cell, what ran before.
 * @throws HardwareError ARGUMENT for values that are no numbers
 */
export function testCarryOver(batches: readonly FollowedBatch[], seed = 1): CarryOver {
  const bad = batches.find(({ value }) => !Number.isFinite(value));
  if (bad !== undefined) {
    throw new HardwareError('ARGUMENT', { what: `a batch of ${bad.cell}`, expected: 'a number', got: bad.value });
  }
  const groups = groupsOf(batches);
  const effects = [...sumsOf(groups)]
    .map(([before, { count, share }]) => ({ before, batches: count, share: share / count }))
    .sort((left, right) => (left.before < right.before ? -1 : 1));
  const tested = groups.reduce((sum, { labels }) => sum + labels.length, 0);
  if (groups.length === 0) return { batches: 0, effects, probability: Number.NaN };
  const random = seededRandom(seed);
  const found = spreadOf(groups);
  let asGreat = 0;
  for (let round = 0; round < SHUFFLES; round++) {
    for (const { labels } of groups) shuffle(labels, random);
    if (spreadOf(groups) >= found * (1 - 1e-12)) asGreat++;
  }
  return { batches: tested, effects, probability: (asGreat + 1) / (SHUFFLES + 1) };
}
