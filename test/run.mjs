// Runs every compiled test file: node --test of Node 20 neither expands globs nor leaves out what is no test.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..', 'dist', 'test');
const wanted = process.argv.slice(2);
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort()
  .map((file) => join(root, file));
if (files.length === 0) {
  process.stderr.write(`No test file matches ${wanted.join(' ')}\n`);
  process.exit(1);
}
const reporters = [
  ['--test-reporter=spec', '--test-reporter-destination=stdout'],
  [`--test-reporter=${pathToFileURL(join(import.meta.dirname, 'slowest.mjs'))}`, '--test-reporter-destination=stdout'],
];
const startedMs = performance.now();
const run = spawnSync(
  process.execPath,
  ['--expose-gc', '--test', '--test-concurrency=2', ...reporters.flat(), ...files],
  { stdio: 'inherit' },
);
const tookS = Math.round((performance.now() - startedMs) / 1000);
process.stdout.write(`${files.length} test files took ${Math.floor(tookS / 60)} min ${tookS % 60} s\n`);
process.exit(run.status ?? 1);
