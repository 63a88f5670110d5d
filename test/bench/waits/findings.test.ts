import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Contender, type Load } from '../../../bench/waits/contender.ts';
import { findingsOf, type Plan } from '../../../bench/waits/findings.ts';
import type { LoadResult } from '../../../bench/waits/generator.ts';

const load = (name: string, connections: number, seconds?: number): Load => ({
  function: name,
  connections,
  method: 'GET',
  path: () => '/',
  ...(seconds === undefined ? {} : { seconds }),
});

const LOADS = {
  burst: load('burst', 4),
  callers: load('callers', 2, 1),
  sleepers: load('sleepers', 4),
  alone: load('alone', 2, 1),
  beside: load('beside', 2, 1),
  memory: load('memory', 4),
} as const;

const contender = (name: string): Contender => new Contender({ name, start: async () => undefined }, 'http://upstream');

const result = (count: number, latencyUs: number, elapsedUs: number): LoadResult => ({
  latenciesUs: Array.from({ length: count }, () => latencyUs),
  failures: {},
  elapsedUs,
});

/** As a run would leave it: `bare` answers five times as many callers as `nebula`. */
function planOf(given: Partial<Plan> = {}): Plan {
  const [nebula, counted, bare] = [contender('nebula'), contender('nebula-1'), contender('bare-proxy')];
  for (const each of [nebula, counted]) {
    each.results(LOADS.burst).push(result(4, 100_000, 400_000), result(4, 100_000, 600_000));
    each.results(LOADS.sleepers).push(result(4, 100_000, 1_200_000), result(4, 100_000, 1_200_000));
    each.results(LOADS.callers).push(result(100, 50_000, 1e6), result(100, 50_000, 1e6));
    each.results(LOADS.alone).push(result(100, 100_000, 1e6), result(100, 100_000, 1e6));
    each.results(LOADS.beside).push(result(100, 109_000, 1e6), result(100, 109_000, 1e6));
  }
  bare.results(LOADS.callers).push(result(500, 50_000, 1e6), result(500, 50_000, 1e6));
  return {
    loads: LOADS,
    ours: [nebula, counted],
    peers: [bare],
    canSuspend: true,
    memory: [51_200],
    missing: [],
    ...given,
  };
}

const verdicts = (plan: Plan): Record<string, boolean | null> =>
  Object.fromEntries(
    findingsOf(plan).comparisons.map((item) => [
      `${item.subject} ${item.function} ${item.metric} ${item.against}`,
      item.met,
    ]),
  );

test('findingsOf() holds each load against its bar', () => {
  const met = verdicts(planOf());
  assert.equal(met['nebula burst allUs 1 s'], true);
  assert.equal(met['nebula burst answered asked'], true);
  assert.equal(met['nebula sleepers allUs 1 s'], false);
  assert.equal(met['nebula callers perSecond bare-proxy'], false);
  // What is asked of it is asked with threads as by default.
  assert.equal(met['nebula-1 callers perSecond bare-proxy'], null);
  assert.equal(met['nebula beside p99Us alone and two slices'], true);
  assert.equal(met['nebula-1 memory rssBytes 100 KiB'], true);
});

test('findingsOf() tells the rate, and the time until all of a burst were answered', () => {
  const { rows, series } = findingsOf(planOf());
  const burst = rows.find((row) => row.subject === 'nebula' && row.function === 'burst');
  assert.deepEqual([burst?.asked, burst?.n, burst?.connections, burst?.suspendsGuests], [8, 8, 4, true]);
  assert.ok(burst?.allUs === 400_000 || burst?.allUs === 500_000 || burst?.allUs === 600_000);
  const callers = rows.find((row) => row.subject === 'bare-proxy' && row.function === 'callers');
  assert.deepEqual([callers?.perSecond, callers?.p50Us, callers?.asked], [500, 50_000, undefined]);
  assert.equal(
    series.find(({ subject, function: name }) => subject === 'bare-proxy' && name === 'callers, 2')?.blocks.length,
    2,
  );
});

test('findingsOf() has no time of a burst that was not answered whole, and the bar is missed', () => {
  const plan = planOf();
  plan.ours[0]?.results(LOADS.burst).push({ ...result(3, 100_000, 400_000), failures: { 503: 1 } });
  const row = findingsOf(plan).rows.find(({ subject, function: name }) => subject === 'nebula' && name === 'burst');
  assert.deepEqual([row?.asked, row?.n, row?.allUs, row?.failures], [12, 11, undefined, { 503: 1 }]);
  assert.equal(verdicts(plan)['nebula burst answered asked'], false);
});

test('findingsOf() sets other bars where guests are not suspended, and rows say so', () => {
  const met = verdicts(planOf({ canSuspend: false, memory: [] }));
  assert.equal(met['nebula burst allUs 1 s'], null);
  assert.equal(met['nebula callers perSecond bare-proxy'], null);
  assert.equal(met['nebula-1 callers perSecond 600 a second'], false);
  assert.equal(
    Object.keys(met).some((name) => name.includes('memory')),
    false,
  );
  assert.ok(findingsOf(planOf({ canSuspend: false })).rows.every(({ suspendsGuests }) => suspendsGuests === false));
});
