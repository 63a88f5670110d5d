/** `node dist/test/meta/fill-figures.js`: writes the comparisons of docs/results/figures into the README's table. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../../bench/result.ts';
import { fillFigures, FIGURES } from './figures.ts';

// Compiled to dist/test/meta.
const root = join(import.meta.dirname, '..', '..', '..');
const path = join(root, 'README.md');
const figures = FIGURES.flatMap((name) => {
  const file = join(root, 'docs', 'results', 'figures', `${name}.json`);
  return existsSync(file) ? [{ name, result: JSON.parse(readFileSync(file, 'utf8')) as Result }] : [];
});
writeFileSync(path, fillFigures(readFileSync(path, 'utf8'), figures));
spawnSync(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', path], { stdio: 'inherit' });
