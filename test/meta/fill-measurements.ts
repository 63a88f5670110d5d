/** `node dist/test/meta/fill-measurements.js`: writes docs/results/phases.json into the tables of docs/measurements.md. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../../bench/measurement/result.ts';
import { fillMeasurements } from './measurements.ts';

// Compiled to dist/test/meta.
const root = join(import.meta.dirname, '..', '..', '..');
const path = join(root, 'docs', 'measurements.md');
const result = JSON.parse(readFileSync(join(root, 'docs', 'results', 'phases.json'), 'utf8')) as Result;
writeFileSync(path, fillMeasurements(readFileSync(path, 'utf8'), result));
spawnSync(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', path], { stdio: 'inherit' });
