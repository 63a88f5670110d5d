import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Result } from '../../bench/measurement/result.ts';
import { rowsOf } from './markdown.ts';
import { fillMeasurements } from './measurements.ts';

// Compiled to dist/test/meta.
const docs = join(import.meta.dirname, '..', '..', '..', 'docs');

test('docs/measurements.md shows what docs/results/phases.json holds', () => {
  const page = readFileSync(join(docs, 'measurements.md'), 'utf8');
  const result = JSON.parse(readFileSync(join(docs, 'results', 'phases.json'), 'utf8')) as Result;
  assert.deepEqual(
    rowsOf(page),
    rowsOf(fillMeasurements(page, result)),
    'run node dist/test/meta/fill-measurements.js',
  );
  assert.equal(typeof result.environment.loadBefore, 'number');
});

test('fillMeasurements() fills times and tiers, and refuses a row that the result does not have', () => {
  const row = { bench: 'phases', function: 'noop', n: 2000, p50Us: 1.234, p99Us: 12_345.6 };
  const rows = [
    { ...row, subject: 'make' },
    { ...row, subject: 'call-1', tiers: { uncompiled: 3, liftoff: 2.25, turbofan: 0 } },
  ];
  const head = '| part | function | what | n | p50 | p99 |\n';
  const filled = fillMeasurements(`${head}| \`make\` | \`noop\` | a micro-VM | | | |\n`, { rows });
  assert.deepEqual(rowsOf(filled)[1], ['make', 'noop', 'a micro-VM', '2,000', '1.2', '12,346']);
  const tiers = fillMeasurements('| `call-1` | `noop` | | | | | |\n', { rows });
  assert.deepEqual(rowsOf(tiers)[0], ['call-1', 'noop', '3.0', '2.3', '0.0', '1.2', '12,346']);
  assert.throws(() => fillMeasurements('| `make` | `echo` | | | |\n', { rows }), /No row of make and echo/);
});
