/** `node dist/test/meta/fill-figures.js`: writes the comparisons of docs/results into docs/figures.md and the README. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readResults, ROOT } from './comparison.ts';
import { fillFigures, fillFive, readFigures } from './figures.ts';

const figures = readFigures();
const [page, readme] = [join(ROOT, 'docs', 'figures.md'), join(ROOT, 'README.md')];
writeFileSync(page, fillFigures(readFileSync(page, 'utf8'), figures));
writeFileSync(readme, fillFive(readFileSync(readme, 'utf8'), figures, readResults().analysis));
spawnSync(join(ROOT, 'node_modules', '.bin', 'biome'), ['format', '--write', page, readme], { stdio: 'inherit' });
