import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Strategy } from '../../../host/definition/strategies.ts';
import { chooseStrategy, exactStrategies, onlyFresh, type StrategyQuestion } from '../../../host/snapshot/strategy.ts';

const MAPPED = { memfd: 5, memfdMissing: '', snapshot: { memoryBytes: 65_536 } };
const UNMAPPED = { ...MAPPED, memfd: -1, memfdMissing: 'a kernel without memfd' };

/** Times by strategy, in nanoseconds; what is left out is not worth trying. */
function timed(times: Partial<Record<Strategy, number>>): StrategyQuestion['time'] {
  return (strategy) => {
    const quartileNs = times[strategy];
    return quartileNs === undefined ? undefined : { quartileNs, medianNs: quartileNs + 1 };
  };
}

const ask = (given: Partial<StrategyQuestion>): StrategyQuestion => ({
  wanted: 'auto',
  notRestorable: '',
  image: MAPPED,
  time: () => assert.fail('nothing need be timed'),
  ...given,
});

test('exactStrategies() names fresh alone for what cannot be put back, and cow last where it can be mapped', () => {
  assert.deepEqual(exactStrategies({ restorable: true }, true), ['fresh', 'copy', 'cow']);
  assert.deepEqual(exactStrategies({ restorable: true }, false), ['fresh', 'copy']);
  assert.deepEqual(exactStrategies({ restorable: false }, true), ['fresh']);
});

test('chooseStrategy() takes the one that the manifest names, untimed, where it is exact', () => {
  for (const wanted of ['fresh', 'copy', 'cow'] as const)
    assert.deepEqual(chooseStrategy(ask({ wanted })), {
      strategy: wanted,
      reason: 'named by the manifest',
      medianNs: {},
    });
  assert.equal(
    chooseStrategy(ask({ wanted: 'fresh', notRestorable: 'its tables change' })).reason,
    'named by the manifest',
  );
});

test('chooseStrategy() says why the one that the manifest names cannot be had, and takes the nearest', () => {
  const unmapped = chooseStrategy(ask({ wanted: 'cow', image: UNMAPPED }));
  assert.equal(unmapped.strategy, 'copy');
  assert.equal(unmapped.reason, 'the manifest names cow, which cannot be had: a kernel without memfd');
  const unrestorable = chooseStrategy(ask({ wanted: 'cow', notRestorable: 'its tables change' }));
  assert.equal(unrestorable.strategy, 'fresh');
  assert.equal(unrestorable.reason, 'the manifest names cow, which cannot be had: its tables change');
});

test('chooseStrategy() needs no times where there is one way only, or no memory', () => {
  const only = chooseStrategy(ask({ notRestorable: 'its tables change' }));
  assert.deepEqual(only, onlyFresh('its tables change'));
  assert.deepEqual(only, { strategy: 'fresh', reason: 'only fresh is exact: its tables change', medianNs: {} });
  const image = { ...UNMAPPED, snapshot: { memoryBytes: 0 } };
  assert.deepEqual(chooseStrategy(ask({ image })), {
    strategy: 'copy',
    reason: 'there is no memory to put back',
    medianNs: {},
  });
});

test('chooseStrategy() takes the fastest by the lower quartile, and tells the medians of all that were timed', () => {
  for (const [times, strategy] of [
    [{ fresh: 30, copy: 20, cow: 10 }, 'cow'],
    [{ fresh: 30, copy: 10, cow: 20 }, 'copy'],
    [{ fresh: 10, copy: 30, cow: 20 }, 'fresh'],
    [{ fresh: 30, copy: 10, cow: 10 }, 'copy'],
  ] as const) {
    const chosen = chooseStrategy(ask({ time: timed(times) }));
    assert.equal(chosen.strategy, strategy);
    assert.equal(chosen.reason, 'the fastest in calibration');
    assert.deepEqual(chosen.medianNs, { fresh: times.fresh + 1, copy: times.copy + 1, cow: times.cow + 1 });
  }
});

test('chooseStrategy() leaves out what is not worth trying, and says that there is no copy-on-write', () => {
  const component = chooseStrategy(ask({ time: timed({ copy: 20, cow: 10 }) }));
  assert.deepEqual([component.strategy, component.medianNs], ['cow', { copy: 21, cow: 11 }]);
  const unmapped = chooseStrategy(ask({ image: UNMAPPED, time: timed({ copy: 20 }) }));
  assert.deepEqual([unmapped.strategy, unmapped.medianNs], ['copy', { copy: 21 }]);
  assert.equal(unmapped.reason, 'the fastest in calibration; no copy-on-write here: a kernel without memfd');
});
