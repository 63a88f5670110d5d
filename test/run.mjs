// Runs every compiled test file: node --test of Node 20 neither expands globs nor leaves out what is no test. A file that runs for
// longer than FILE_LIMIT_S is killed and fails: a test that hangs must not take the others, and what they found, with it.
// (`--test-timeout` does not do that: from Node 24 on it waits for the file's process, which a hanging test keeps alive.)
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { childrenOf, commandOf, identityOf, killThose, treeOf } from './process-tree.mjs';

/** The slowest file takes a tenth of it on an idle machine. */
const FILE_LIMIT_S = Number(process.env.NEBULA_TEST_FILE_LIMIT_S ?? 600);
/** What a file started may end by itself for so long after the file. */
const LEFTOVERS_S = 20;
const LOOK_MS = 1000;

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
const run = spawn(process.execPath, ['--expose-gc', '--test', '--test-concurrency=2', ...reporters.flat(), ...files], {
  stdio: 'inherit',
});

/** Of each file's process, by its identity: when it was first seen, when it was last, and all that came of it. */
const seen = new Map();

/** Ends files that run for too long, and what files left running: it may hold the pipe whose end the runner waits for. */
const watch = setInterval(() => {
  const nowMs = performance.now();
  for (const pid of childrenOf(run.pid)) {
    const identity = identityOf(pid);
    const file = seen.get(identity) ?? { command: commandOf(pid), sinceMs: nowMs, lastMs: nowMs, tree: new Set() };
    file.lastMs = nowMs;
    for (const each of treeOf(pid)) file.tree.add(identityOf(each));
    seen.set(identity, file);
  }
  for (const [identity, { command, sinceMs, lastMs, tree }] of seen) {
    const name = command.split(' ').at(-1);
    const isTooLong = lastMs - sinceMs > FILE_LIMIT_S * 1000;
    const isGone = nowMs - lastMs > LEFTOVERS_S * 1000;
    if (!isTooLong && !isGone) continue;
    seen.delete(identity);
    const killed = killThose(tree);
    if (isTooLong) process.stderr.write(`\nKilled, since it ran for more than ${FILE_LIMIT_S} s: ${name}\n`);
    else for (const left of killed) process.stderr.write(`\nKilled, since ${name} left it running: ${left}\n`);
  }
}, LOOK_MS);

run.on('exit', (code) => {
  clearInterval(watch);
  const tookS = Math.round((performance.now() - startedMs) / 1000);
  process.stdout.write(`${files.length} test files took ${Math.floor(tookS / 60)} min ${tookS % 60} s\n`);
  process.exitCode = code ?? 1;
});
