// Runs inside the ARM64 machine: `node guest.mjs RESULTS` moves the machine's pins through both markers, then runs the tests of
// tests.txt, and leaves in RESULTS what the markers remember and one line for each test.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const results = process.argv[2];
const CHIP = '/sys/class/gpio/gpiochip512';
/** Share of what tests repeat at random: the emulator takes some twenty times as long. */
const REPETITIONS = '0.1';
/** Each session has an output of its own, so that the trace outside tells them apart; output 3 is the power button. */
const { markers, plan } = JSON.parse(readFileSync('pins.json', 'utf8'));
const failed = [];

function run(name, args, options = {}) {
  const startedMs = performance.now();
  const { status, stdout } = spawnSync(process.execPath, args, { stdio: 'inherit', ...options });
  process.stdout.write(`${name}: status ${status} after ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`);
  if (status !== 0) failed.push(name);
  return stdout;
}

function movePins() {
  writeFileSync('plan.json', JSON.stringify(plan));
  for (const [name, { session, energy }] of Object.entries(markers)) {
    const printed = run(`session ${name}`, ['dist/test/hardware/marker/gpio-session.js', session], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    writeFileSync(join(results, `session-${name}.json`), printed);
    if (energy === undefined) continue;
    const out = join(results, `run-${name}`);
    const given = ['--plan', 'plan.json', '--marker', energy, '--force', '--out', out];
    const told = run(`nebula bench energy --marker ${energy}`, ['dist/lib/cli/main.js', 'bench', 'energy', ...given], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    process.stdout.write(told);
  }
}

/** What there is so far goes out at once, for a machine that is ended before its time; one archive follows the other. */
function handOut() {
  const { status } = spawnSync('tar', ['c', '-f', '/dev/vport0p1', '-C', results, '.'], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`Cannot hand out the results: tar ended with ${status}`);
}

/** Test files by the pattern of the tests that are run of them. */
function groupsOf(lines) {
  const files = readdirSync('dist/test', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .sort();
  const groups = new Map();
  for (const line of lines) {
    const [, part, pattern = ''] = /^(\S+)(?: +(.*))?$/.exec(line);
    const found = files.filter((file) => file.includes(part));
    if (found.length === 0) throw new Error(`Expected a test file for each line of tests.txt, got none for ${part}`);
    groups.set(pattern, [...(groups.get(pattern) ?? []), ...found.map((file) => join('dist/test', file))]);
  }
  return groups;
}

function runTests() {
  const lines = readFileSync('tests.txt', 'utf8').split('\n');
  const groups = groupsOf(lines.filter((line) => line !== '' && !line.startsWith('#')));
  for (const [index, [pattern, files]] of [...groups].entries()) {
    const reporters = [
      ['--test-reporter=spec', '--test-reporter-destination=stdout'],
      ['--test-reporter=./events.mjs', `--test-reporter-destination=${join(results, `tests-${index}.ndjson`)}`],
    ];
    const named = pattern === '' ? [] : [`--test-name-pattern=${pattern}`];
    const given = [
      '--expose-gc',
      '--test',
      '--test-concurrency=2',
      '--test-timeout=300000',
      ...named,
      ...reporters.flat(),
      ...files,
    ];
    const env = { ...process.env, NEBULA_REPETITIONS: REPETITIONS };
    run(`tests ${pattern || 'of whole files'}`, given, { env });
  }
}

process.stdout.write(`${CHIP}: ${readFileSync(join(CHIP, 'label'), 'utf8')}`);
movePins();
handOut();
runTests();
writeFileSync(join(results, 'failed.json'), JSON.stringify(failed));
handOut();
process.exitCode = failed.length === 0 ? 0 : 1;
