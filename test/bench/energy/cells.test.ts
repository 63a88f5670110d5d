import assert from 'node:assert/strict';
import { test } from 'node:test';
import { energyBreakEven } from '../../../bench/energy/break-even.ts';
import { meanOverBlocks, summariseCell, unitOf } from '../../../bench/energy/cells.ts';
import type { MeasuredWindow } from '../../../bench/energy/joules.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom } from '../../../statistics/random.ts';

const CELL = { target: 'process', function: 'noop', input: 'small' } as const;

interface Given {
  readonly kind: 'call' | 'batch';
  readonly block: number;
  readonly calls?: number;
  readonly netJ: number;
  readonly uncertaintyJ?: number;
  readonly resolvable?: boolean;
  readonly failed?: number;
}

function window(given: Given): MeasuredWindow {
  const { kind, block, calls = 1, netJ, uncertaintyJ = 0.001, resolvable = true, failed = 0 } = given;
  const energy = (valueJ: number) => ({
    valueJ,
    uncertaintyJ,
    lowJ: valueJ - 2 * uncertaintyJ,
    highJ: valueJ + 2 * uncertaintyJ,
    sharedJ: 0,
  });
  const id = `b${block}`;
  return {
    kind,
    record: { kind, id, batch: id, block, ...CELL, calls, failed, startNs: '0', endNs: '1' },
    phase: undefined,
    state: 'matched',
    calls,
    window: { startS: 0, endS: calls },
    energy: {
      durationS: calls,
      samples: 100,
      uncoveredS: 0,
      gross: energy(netJ + calls),
      net: energy(netJ),
      idleW: 1,
      idleExtrapolated: false,
      resolvable,
      reasons: resolvable ? [] : [{ code: 'few-samples', text: 'too short' }],
      synthetic: true,
    },
    verdict: resolvable ? 'resolvable' : 'unresolvable',
  };
}

test('meanOverBlocks() holds the known mean in 95 % of its intervals', () => {
  let inside = 0;
  for (let seed = 1; seed <= 1000; seed++) {
    const random = seededRandom(seed * 101);
    const values = Array.from({ length: 8 }, (_, block) => {
      const shift = 0.05 * normalFrom(random);
      return [0, 1, 2].map(() => ({ block, value: 1 + shift + 0.1 * normalFrom(random), uncertainty: 0.02 }));
    }).flat();
    const { low, high } = meanOverBlocks(values) ?? {};
    if ((low ?? 2) <= 1 && (high ?? 0) >= 1) inside++;
  }
  assert.ok(inside >= 925 && inside <= 978, `${inside} of 1000`);
});

test('meanOverBlocks() is never surer than its windows are, and has no bounds of one block', () => {
  const same = [0, 1, 2, 3].map((block) => ({ block, value: 5, uncertainty: 0.2 }));
  const { low, high } = meanOverBlocks(same) ?? {};
  assert.ok(Math.abs((high ?? 0) - (low ?? 0) - (2 * 1.959964 * 0.2) / 2) < 1e-12);
  assert.deepEqual(meanOverBlocks(same.slice(0, 1)), { value: 5, low: null, high: null });
  assert.equal(meanOverBlocks([]), null);
});

test('unitOf() chooses for all windows of a cell alike, and none where neither calls nor batches can be told', () => {
  const calls = [true, true, false].map((resolvable, block) => window({ kind: 'call', block, netJ: 1, resolvable }));
  const batches = [true, true].map((resolvable, block) => window({ kind: 'batch', block, netJ: 1, resolvable }));
  assert.equal(unitOf([...calls, ...batches]), 'call');
  const unresolved = calls.map((each) =>
    window({ kind: 'call', block: each.record.block, netJ: 1, resolvable: false }),
  );
  assert.equal(unitOf([...unresolved, ...batches]), 'batch');
  assert.equal(unitOf(unresolved), 'none');
});

test('summariseCell() takes the slope of batches of several lengths, so that what a batch costs once is not in a call', () => {
  const windows = [100, 50, 150, 100, 50, 150].map((calls, block) =>
    window({ kind: 'batch', block, calls, netJ: 0.4 + 0.02 * calls }),
  );
  const cell = summariseCell(CELL, windows);
  assert.equal(cell.model, 'line');
  assert.ok(Math.abs((cell.netJ?.value ?? 0) - 0.02) < 1e-9);
  assert.ok(Math.abs((cell.batchJ ?? 0) - 0.4) < 1e-6);
  assert.deepEqual([cell.unit, cell.batches, cell.calls], ['batch', 6, 600]);
});

test('summariseCell() keeps negative energies, leaves out failed windows, and claims nothing that cannot be resolved', () => {
  const windows = [-0.01, 0.03, 0.02, 0.04].map((netJ, block) => window({ kind: 'call', block, netJ }));
  const cell = summariseCell(CELL, [...windows, window({ kind: 'call', block: 4, netJ: 100, failed: 1 })]);
  assert.equal(cell.negative, 1);
  assert.ok(Math.abs((cell.netJ?.value ?? 0) - 0.02) < 1e-12);
  const none = summariseCell(
    CELL,
    windows.map(({ record }) => window({ kind: 'call', block: record.block, netJ: 1, resolvable: false })),
  );
  assert.deepEqual([none.unit, none.netJ, none.grossJ, none.model], ['none', null, null, null]);
});

test('energyBreakEven() solves for the run time, or says that one side takes less at any', () => {
  assert.equal(energyBreakEven([0.01, 1.01], [3, 2]), 1);
  assert.equal(energyBreakEven([0.01, 1.01], [2, 3]), Number.POSITIVE_INFINITY);
  assert.equal(energyBreakEven([1, 0.5], [3, 2]), 0);
});
