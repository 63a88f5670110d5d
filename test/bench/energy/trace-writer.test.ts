import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TraceWriter } from '../../../bench/energy/trace-writer.ts';
import { importNebulaCsv } from '../../../hardware/logger/formats.ts';
import type { ImportedLog } from '../../../hardware/logger/log.ts';
import type { Reading, SourceProperties } from '../../../hardware/meter/power-source.ts';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';

const SLOW: SourceProperties = {
  name: 'slow',
  rule: 'instant',
  clock: 'ours',
  refreshS: 0.01,
  resolution: 0.001,
  estimate: false,
  synthetic: true,
};
const FAST: SourceProperties = { ...SLOW, name: 'fast', clock: 'own', refreshS: 1e-5, synthetic: false };

async function written(
  properties: SourceProperties,
  readings: readonly Reading[],
): Promise<ImportedLog & { writer: TraceWriter; text: string }> {
  const writer = new TraceWriter(properties);
  const text = readings.map((reading) => writer.rowsOf(reading)).join('') + writer.end();
  return { ...(await importNebulaCsv([text], writer.sidecar)), writer, text };
}

const value = (timeS: number, power: number, inputs?: number): Reading =>
  inputs === undefined ? { kind: 'value', timeS, value: power } : { kind: 'value', timeS, value: power, inputs };

test('TraceWriter writes what importNebulaCsv() reads: values, lost stretches, what the source is', async () => {
  const { trace, counts, writer } = await written(SLOW, [
    { kind: 'stale', detail: 'retained' },
    value(1, 2),
    value(1.01, 3),
    { kind: 'lost', detail: 'timed out' },
    { kind: 'malformed', detail: 'words' },
    value(1.05, 4),
    value(1.05, 5),
    value(1.04, 6),
    value(1.06, 7),
  ]);
  assert.deepEqual([...trace.timeS], [1, 1.01, 1.05, 1.06]);
  assert.deepEqual([...trace.value], [2, 3, 4, 7]);
  assert.deepEqual(trace.breaks, [1]);
  assert.deepEqual(
    [trace.synthetic, trace.clock, trace.refreshS, trace.source],
    [true, 'host-monotonic', 0.01, 'slow'],
  );
  assert.equal(counts.malformed, 0);
  const { values, lost, malformed, duplicates, reordered, stale, firstProblem } = writer.counts;
  assert.deepEqual([values, lost, malformed, duplicates, reordered, stale], [4, 1, 1, 1, 1, 1]);
  assert.equal(firstProblem, 'stale: retained');
});

test('TraceWriter thins a fast source to means that keep the energy, and edges that keep their sample', async () => {
  const readings = Array.from({ length: 5000 }, (_, index) => {
    const high = index >= 1234 && index < 3777;
    return value(index * 1e-5, high ? 4 : 1, high ? 1 : 0);
  });
  const { trace, lines, text } = await written(FAST, readings);
  assert.equal(trace.rule, 'average');
  assert.ok(trace.timeS.length < 70, `${trace.timeS.length} rows of 5000`);
  const edges = lines.get('d0') ?? [];
  assert.deepEqual(
    edges.map(({ timeS, level }) => [Number(timeS.toFixed(7)), level]),
    [
      [0.012335, 1],
      [0.037765, 0],
    ],
  );
  for (const { halfWidthS } of edges) assert.ok(Math.abs(halfWidthS - 5e-6) < 1e-12, `${halfWidthS}`);
  const known = (1233 * 1 + 2543 * 4 + 1223 * 1) * 1e-5;
  const { energyJ } = new PowerIntegral(trace, { gapS: 1 }).over(0, 4999e-5);
  assert.ok(Math.abs(energyJ - known) < 1e-9, `${energyJ} J, known ${known} J`);
  assert.match(text, /^t_s,power_w,d0,d1,d2,d3,d4,d5,d6,d7\n/);
});

test('TraceWriter puts no mean across samples that were lost', async () => {
  const { trace } = await written(FAST, [
    ...Array.from({ length: 30 }, (_, index) => value(index * 1e-5, 1, 0)),
    { kind: 'lost', detail: '70 samples' },
    ...Array.from({ length: 200 }, (_, index) => value(1e-3 + index * 1e-5, 3, 0)),
  ]);
  assert.equal(trace.breaks.length, 1);
  const after = trace.breaks[0] as number;
  assert.equal(trace.value[after], 1);
  assert.equal(trace.value[after + 1], 3);
});
