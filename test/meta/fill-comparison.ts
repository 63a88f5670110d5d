/** `node dist/test/meta/fill-comparison.js`: writes docs/results/comparison and docs/results/load into what quotes them. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quoteResults, QUOTING, readResults, ROOT } from './comparison.ts';

const results = readResults();
for (const name of QUOTING) {
  const path = join(ROOT, name);
  writeFileSync(path, quoteResults(readFileSync(path, 'utf8'), results));
}
// The results beside it are not formatted.
const formatted = ['figures.md', 'thesis.md'].map((name) => join(ROOT, 'docs', name));
spawnSync(join(ROOT, 'node_modules', '.bin', 'biome'), ['format', '--write', ...formatted], { stdio: 'inherit' });
