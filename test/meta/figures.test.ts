import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readResults, ROOT } from './comparison.ts';
import { fillFigures, fillFive, readFigures } from './figures.ts';
import { rowsOf } from './markdown.ts';

// A table's line of dashes is as wide as its columns.
const filledRowsOf = (text: string): unknown => rowsOf(text).filter(([first = '']) => !/^-+$/.test(first));

test('docs/figures.md quotes every comparison of docs/results/figures as it is there', () => {
  const page = readFileSync(join(ROOT, 'docs', 'figures.md'), 'utf8');
  const figures = readFigures();
  assert.ok(figures.length > 0);
  assert.deepEqual(
    filledRowsOf(page),
    filledRowsOf(fillFigures(page, figures)),
    'run node dist/test/meta/fill-figures.js',
  );
});

test('README.md quotes five figures, and no other', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const filled = fillFive(readme, readFigures(), readResults().analysis);
  assert.deepEqual(filledRowsOf(readme), filledRowsOf(filled), 'run node dist/test/meta/fill-figures.js');
  assert.equal(readme.match(/\d \[\d/g)?.length, 5);
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
  assert.throws(
    () => fillFive('<!-- five figures -->\n<!-- /five figures -->', [], readResults().analysis),
    /No comparison of nebula/,
  );
});
