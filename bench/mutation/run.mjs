// Tests the tests: changes the code of some folders in one place at a time and tells which changes no test notices.
//   npm run mutation -- hardware/analysis host/module --share 0.2 --seed 7 --json FILE
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, setPriority, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { NOT_SAMPLED } from './sample.mjs';
import { wilson95 } from './wilson.mjs';

/** Tests that are not beside the code. */
const ALSO = {
  'host/module': ['test/host/preparation/module'],
  'pools/worker': ['test/pools/deadline', 'test/pools/abort-watch', 'test/pools/stopped'],
  'host/snapshot': ['test/host/micro-vm'],
};
/** Each takes longer than a mutant is worth: what they alone would notice counts as not noticed. */
const TOO_SLOW = [
  'test/hardware/analysis/edges-to-joules',
  'test/host/module/linear',
  'test/host/module/malformed',
  'test/host/snapshot/exactness',
  'test/host/snapshot/isolation',
  'test/pools/deadline',
  'test/pools/worker/governor',
  'test/pools/worker/growth',
  'test/pools/worker/thread-memory',
];
/** The quick ones have their say first. */
const LAST = ['test/hardware/analysis/carry-over', 'test/host/module/instrument', 'test/pools/worker/pool'];
const LEAST_PRIORITY = 19;
const SANDBOX = join('bench', 'mutation', '.sandbox');
const REAP_MS = 5000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    share: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
if (positionals.length === 0) {
  process.stderr.write('Name the folders to change, such as hardware/analysis\n');
  process.exit(2);
}
setPriority(LEAST_PRIORITY);
const root = join(import.meta.dirname, '..', '..');
process.chdir(root);

const reaper = setInterval(reap, REAP_MS);
const tests = testsOf(positionals);
const startedMs = performance.now();
const mutants = await new Stryker({
  mutate: positionals.map((area) => (area.endsWith('.ts') ? area : `${area}/**/*.ts`)),
  plugins: ['@stryker-mutator/tap-runner', join(import.meta.dirname, 'sample.mjs')],
  checkers: ['sample'],
  sample: { share: Number(values.share), seed: values.seed },
  testRunner: 'tap',
  tap: {
    testFiles: tests,
    nodeArgs: [
      '-r',
      '{{hookFile}}',
      '-r',
      join(import.meta.dirname, 'threads.cjs'),
      '--expose-gc',
      '--test-reporter=tap',
      '{{testFile}}',
    ],
  },
  buildCommand: `${join(root, 'node_modules', '.bin', 'tsc')} -p tsconfig.json --noCheck --declaration false --declarationMap false --isolatedDeclarations false --sourceMap false`,
  coverageAnalysis: 'perTest',
  concurrency: 1,
  ignorePatterns: ['dist', 'docs/results', 'bench/mutation', 'bench/peers', 'functions/target', 'coverage'],
  tempDirName: SANDBOX,
  // Loops without an end are found by counting; on a busy machine a short time would call slow what is right.
  timeoutMS: 120_000,
  timeoutFactor: 2,
  dryRunTimeoutMinutes: 20,
  disableTypeChecks: true,
  // Stryker cannot read the file by TypeScript 7, and would only move paths in it that lead out of the tree.
  tsconfigFile: 'none',
  reporters: ['progress-append-only'],
  allowEmpty: true,
}).runMutationTest();

clearInterval(reaper);
reap();
const sampled = mutants.filter((mutant) => mutant.statusReason !== NOT_SAMPLED && mutant.status !== 'CompileError');
const result = {
  command: `npm run mutation -- ${process.argv.slice(2).join(' ')}`,
  commit: execFileSync('git', ['rev-parse', '--short=10', 'HEAD'], { encoding: 'utf8' }).trim(),
  machine: `${cpus()[0]?.model}, ${availableParallelism()} processors, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
  minutes: Math.round((performance.now() - startedMs) / 60_000),
  seed: values.seed,
  mutants: mutants.length,
  tests,
  all: scoreOf(sampled),
  files: Object.fromEntries(
    [...grouped(sampled)].map(([file, of]) => [file, scoreOf(of)]).sort(([left], [right]) => (left < right ? -1 : 1)),
  ),
  undetected: sampled.filter(isUndetected).map(describe).sort(),
};
const { all } = result;
process.stdout.write(
  `${positionals.join(' ')}: ${all.detected} of ${all.valid} noticed, ${all.percent} % ` +
    `(95 % interval ${all.interval95.join(' to ')}), ${all.valid + all.errors} of ${mutants.length} mutants, seed ${values.seed}\n`,
);
for (const line of result.undetected) process.stdout.write(`${line}\n`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, undefined, 1)}\n`);

/** Compiled test files whose path says that they test one of the folders. */
function testsOf(areas) {
  const wanted = areas.flatMap((area) => [`test/${area.replace(/\.ts$/, '')}`, ...(ALSO[area] ?? [])]);
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((file) => `test/${file}`)
    .filter((file) => file.endsWith('.test.ts') && wanted.some((part) => file.startsWith(part)))
    .filter((file) => !TOO_SLOW.some((slow) => file.startsWith(slow)))
    .sort((left, right) => Number(isLast(left)) - Number(isLast(right)) || left.localeCompare(right))
    .map((file) => `dist/${file.replace(/\.ts$/, '.js')}`);
}

function isLast(file) {
  return LAST.some((part) => file.startsWith(part));
}

/** Ends what a test left that was given up: Stryker ends its own process, whose children then belong to nobody. */
function reap() {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const places = [readlinkSync(`/proc/${pid}/cwd`), readFileSync(`/proc/${pid}/cmdline`, 'latin1')];
      if (!places.some((place) => place.includes(join(root, SANDBOX)))) continue;
      const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      if (parent === '1') process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended, or is another user's.
    }
  }
}

function grouped(of) {
  const groups = new Map();
  for (const mutant of of) groups.set(fileOf(mutant), [...(groups.get(fileOf(mutant)) ?? []), mutant]);
  return groups;
}

function fileOf({ fileName }) {
  return fileName.startsWith(root) ? fileName.slice(root.length + 1) : fileName;
}

function isUndetected({ status }) {
  return status === 'Survived' || status === 'NoCoverage';
}

/** A mutant with which no test could run tells nothing, and is left out as Stryker does. */
function scoreOf(of) {
  const count = (status) => of.filter((mutant) => mutant.status === status).length;
  const [killed, timedOut, survived, uncovered] = ['Killed', 'Timeout', 'Survived', 'NoCoverage'].map(count);
  const detected = killed + timedOut;
  const valid = detected + survived + uncovered;
  return {
    detected,
    valid,
    percent: valid === 0 ? null : percent(detected / valid),
    interval95: wilson95(detected, valid).map(percent),
    killed,
    timedOut,
    survived,
    uncovered,
    errors: of.length - valid,
  };
}

function percent(share) {
  return Math.round(share * 1000) / 10;
}

function describe(mutant) {
  const { status, mutatorName, replacement, location } = mutant;
  const { line, column } = location.start;
  const place = `${fileOf(mutant)}:${line}:${column}`;
  return `${place} ${status} ${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ').slice(0, 100)}`;
}
