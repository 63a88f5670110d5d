import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Result } from '../../bench/result.ts';
import { fillFigures, FIGURES } from './figures.ts';
import { rowsOf } from './markdown.ts';

// Compiled to dist/test/meta.
const root = join(import.meta.dirname, '..', '..', '..');

// A table's line of dashes is as wide as its columns.
const filledRowsOf = (text: string): unknown => rowsOf(text).filter(([first = '']) => !/^-+$/.test(first));

test('README.md quotes every comparison of docs/results/figures as it is there', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const figures = FIGURES.flatMap((name) => {
    const file = join(root, 'docs', 'results', 'figures', `${name}.json`);
    return existsSync(file) ? [{ name, result: JSON.parse(readFileSync(file, 'utf8')) as Result }] : [];
  });
  assert.ok(figures.length > 0);
  assert.deepEqual(
    filledRowsOf(readme),
    filledRowsOf(fillFigures(readme, figures)),
    'run node dist/test/meta/fill-figures.js',
  );
});

test('fillFigures() tells ratio, interval and bar, and when no difference was shown', () => {
  const names = { bench: 'start', function: 'noop', subject: 'nebula', against: 'new-instance', metric: 'p50Us' };
  const met = { ...names, ratio: 0.06561, low: 0.05, high: 0.1, bar: 0.125, sense: 'atMost', met: true } as const;
  const equal = { ...names, ratio: 1.5, low: 0.9, high: 2, met: null, different: false };
  const result = { comparisons: [{ ...met, different: true }, equal] };
  const filled = fillFigures('<!-- figures -->\n<!-- /figures -->', [{ name: 'start', result }]);
  assert.deepEqual(rowsOf(filled).slice(2), [
    [
      'nebula / new-instance, noop p50Us',
      '0.0656 [0.0500, 0.10], at most 0.125: met',
      'figures/start.json',
      'npm run bench -- start',
    ],
    [
      'nebula / new-instance, noop p50Us',
      '1.50 [0.90, 2.00], no difference shown',
      'figures/start.json',
      'npm run bench -- start',
    ],
  ]);
  assert.throws(() => fillFigures('no marks', []), /no place for the figures/);
});
