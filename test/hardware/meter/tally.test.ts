import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { importNebulaCsv } from '../../../hardware/logger/formats.ts';
import { parseSidecar } from '../../../hardware/logger/nebula-csv.ts';
import type { PowerSource, Reading, SourceProperties } from '../../../hardware/meter/power-source.ts';
import { recordToFile } from '../../../hardware/meter/recording-file.ts';
import { ReadingTally } from '../../../hardware/meter/tally.ts';

const value = (timeS: number, power: number, inputs?: number): Reading => ({
  kind: 'value',
  timeS,
  value: power,
  ...(inputs === undefined ? {} : { inputs }),
});

test('ReadingTally counts what is repeated, late, lost, broken and far apart, and keeps the rest', () => {
  const tally = new ReadingTally('instant');
  const verdicts = [
    value(1, 1),
    value(1.1, 1),
    value(1.1, 2),
    value(1.05, 2),
    value(1.2, 1),
    { kind: 'lost', detail: 'status 500' },
    value(1.5, 1),
    { kind: 'malformed', detail: '{' },
    { kind: 'disconnected', detail: 'closed' },
    { kind: 'stale', detail: 't' },
    { kind: 'duplicate', detail: 'd' },
    { kind: 'reordered', detail: 'r' },
    value(1.6, 1),
    value(1.7, 1),
  ].map((reading) => tally.take(reading as Reading));
  assert.equal(verdicts.filter((verdict) => verdict === 'keep').length, 6);
  assert.equal(verdicts.filter((verdict) => verdict === 'lost').length, 2);
  assert.deepEqual(tally.counts(), {
    values: 6,
    malformed: 1,
    duplicates: 2,
    reordered: 2,
    stale: 1,
    lost: 2,
    disconnected: 1,
    resets: 0,
    gaps: 1,
    firstProblem: 'lost: status 500',
  });
});

test('ReadingTally counts falls of a counter as resets, and none of a power', () => {
  for (const [rule, resets] of [
    ['counter', 2],
    ['average', 0],
  ] as const) {
    const tally = new ReadingTally(rule);
    for (const [index, each] of [5, 6, 2, 3, 1].entries()) tally.take(value(index, each));
    assert.equal(tally.counts().resets, resets);
    assert.equal(tally.counts().gaps, 0);
  }
  assert.equal(new ReadingTally('counter').counts().gaps, 0);
});

test('recordToFile() writes inputs and breaks that importNebulaCsv() finds again', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-recording-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const properties: SourceProperties = {
    name: 'made',
    rule: 'instant',
    clock: 'own',
    refreshS: 0.1,
    resolution: undefined,
    estimate: true,
    synthetic: true,
    inputs: 8,
  };
  const readings: Reading[] = [
    { kind: 'lost', detail: 'before the first value' },
    value(0, 1, 0b0000_0000),
    value(0.1, 2, 0b0000_0001),
    value(0.2, 3, 0b1000_0001),
    { kind: 'lost', detail: 'two' },
    value(0.5, 4, 0),
  ];
  const source: PowerSource = {
    properties,
    async *readings() {
      yield* readings;
    },
    close: () => Promise.resolve(),
  };
  const file = join(folder, 'a.csv');
  const report = await recordToFile(source, file, new AbortController().signal);
  assert.deepEqual([report.counts.values, report.counts.lost, report.durationS], [4, 2, 0.5]);
  const { trace, lines } = await importNebulaCsv(
    [readFileSync(file)],
    parseSidecar(readFileSync(`${file}.json`, 'utf8')),
  );
  assert.deepEqual([...trace.value], [1, 2, 3, 4]);
  assert.deepEqual(trace.breaks, [2]);
  assert.deepEqual(
    [trace.source, trace.clock, trace.synthetic, trace.refreshS],
    ['made (estimate)', 'logger', true, 0.1],
  );
  const levels = (name: string) => lines.get(name)?.map(({ level }) => level);
  assert.deepEqual([levels('d0'), levels('d7'), levels('d1')], [[1, 0], [1, 0], []]);
  await assert.rejects(recordToFile(source, file, new AbortController().signal), { key: 'RECORDING_FAILED' });
});
