import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ConcludedAnalysis } from '../../../bench/energy/conclusion.ts';
import { Recorder } from '../../../bench/energy/recorder.ts';
import { openLog } from '../../../hardware/logger/open-log.ts';
import { markerLogRows } from '../../../hardware/marker/log-file.ts';
import { nebulaCsvRows, sidecarOf } from '../../../hardware/logger/nebula-csv.ts';
import { energyBetween, sampleCurve } from '../../hardware/analysis/known-power.ts';
import { makeSession } from '../../hardware/analysis/session.ts';

const CLI = join(import.meta.dirname, '..', '..', '..', 'lib', 'cli', 'main.js');
const SMALL = {
  functions: ['noop'],
  inputs: ['small'],
  targets: ['wasm-restored', 'wasm-in-thread'],
  blocks: 2,
  repeats: 1,
  warmUps: 1,
  guardS: 1,
  settleS: 0.1,
  pauseS: 0,
  batchS: 0.4,
};

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nebula-energy-'));
  await writeFile(join(folder, 'plan.json'), JSON.stringify(SMALL));
});
after(() => rm(folder, { recursive: true }));

const nebula = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [CLI, 'bench', ...args], { encoding: 'utf8' });

const energyOf = async (path: string): Promise<NonNullable<ConcludedAnalysis['energy']>> => {
  const { energy } = JSON.parse(await readFile(join(path, 'analysis.json'), 'utf8')) as ConcludedAnalysis;
  assert.ok(energy !== undefined);
  return energy;
};

test('nebula bench energy records a source beside the calls, on our clock, and stamps one that is made up', async () => {
  const run = join(folder, 'run');
  const given = [
    '--plan',
    join(folder, 'plan.json'),
    '--source',
    'synthetic?idle=3&noise=0.01',
    '--force',
    '--out',
    run,
  ];
  const { status, stdout, stderr } = nebula('energy', ...given);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^SYNTHETIC: No power was measured/m);
  const energy = await energyOf(run);
  assert.ok(energy.state === 'measured' && energy.synthetic && energy.clock === null);
  assert.deepEqual([energy.marker.label, energy.marker.cost], ['none', null]);
  assert.equal(energy.idle?.levels.length, 3);
  // Nothing is drawn above idle: the noise is all there is, and no energy is claimed.
  for (const level of energy.idle?.levels ?? []) assert.ok(Math.abs(level.meanW - 3) < 0.01, `${level.meanW}`);
  assert.ok(energy.cells.every(({ unit, netJ }) => unit === 'none' && netJ === null));
  assert.ok(energy.findings.some(({ code }) => code === 'unresolvable'));
  const environment = JSON.parse(await readFile(join(run, 'environment.json'), 'utf8')) as { command: string };
  assert.match(
    environment.command,
    /^nebula bench energy --plan .* --source synthetic\?idle=3&noise=0\.01 --marker none$/,
  );
});

test('nebula bench energy --replay holds a run against an earlier one, and tells CO2e of a grid that is given', async () => {
  const run = join(folder, 'run');
  const given = ['energy', '--replay', run, '--against', run, '--gate', 'gross J/call +5 %', '--grid', '400'];
  const { status, stdout, stderr } = nebula(...given);
  // Made up without a load: no cell can be told, and nothing passes.
  assert.equal(status, 1, stdout + stderr);
  assert.match(
    stdout,
    /^gate gross J\/call \+5 %: (passed|failed); of 2 cells 0 beyond it, 2 undecided, 0 not told any more$/m,
  );
  const gate = JSON.parse(await readFile(join(run, 'gate.json'), 'utf8')) as { passed: boolean; cells: unknown[] };
  assert.deepEqual([gate.passed, gate.cells.length], [false, 2]);
  const { carbon } = await energyOf(run);
  assert.deepEqual(carbon?.factors, { gridGPerKwh: 400, embodiedGPerHour: 0 });
  const nowhere = ['energy', '--marker', 'memory', '--gate', 'J/call +5 %', '--against'];
  const unmeasured = nebula(...nowhere, run);
  assert.equal(unmeasured.status, 2);
  assert.match(unmeasured.stderr, /--gate.*without a recording/);
  // Told before anything is measured.
  const unheld = nebula(...nowhere, join(folder, 'no such run'), '--source', 'synthetic');
  assert.equal(unheld.status, 3);
  assert.match(unheld.stderr, /expected plan\.json in it, found none/);
  const alone = nebula('energy', '--replay', run, '--gate', 'J/call +5 %');
  assert.equal(alone.status, 2);
  assert.match(alone.stderr, /--against/);
});

test('nebula bench energy has no source where there is none, and never 0', {
  skip: existsSync('/sys/class/powercap/intel-rapl:0') ? 'this machine has RAPL' : false,
}, () => {
  const { status, stderr } = nebula(
    'energy',
    '--plan',
    join(folder, 'plan.json'),
    '--source',
    'rapl',
    '--out',
    join(folder, 'rapl'),
  );
  assert.equal(status, 3);
  assert.match(stderr, /^bench: Cannot measure power: no RAPL zone at \/sys\/class\/powercap/);
});

test('nebula bench energy without a recording has no energies, and says so in place of them', async () => {
  const run = join(folder, 'marked');
  const given = ['--plan', join(folder, 'plan.json'), '--blocks', '1', '--marker', 'memory', '--out', run];
  const { status, stdout } = nebula('energy', ...given);
  assert.equal(status, 0);
  assert.match(stdout, /warning: no source: no power was recorded; there is no energy, and none is 0/);
  const energy = await energyOf(run);
  assert.equal(energy.state, 'no source');
  assert.equal(energy.synthetic, true);
  assert.equal(await readFile(join(run, 'energy.ndjson'), 'utf8'), '');
  assert.match(await readFile(join(run, 'report.html'), 'utf8'), /no source: no power was recorded/);
  // What is no recording of this session is refused, and the folder stays as it was.
  const other = join(folder, 'other.csv');
  await writeFile(
    other,
    `t_s,power_w,d0\n${Array.from({ length: 200 }, (_, at) => `${at / 1000},2,${(at >> 4) & 1}`).join('\n')}\n`,
  );
  await writeFile(`${other}.json`, '{"source":"other","rule":"instant","clock":"logger","synthetic":true}');
  const before = await readdir(run, { recursive: true });
  const analysis = await readFile(join(run, 'analysis.json'), 'utf8');
  const refused = nebula('import', other, '--edges', run);
  assert.equal(refused.status, 1, refused.stderr);
  assert.match(refused.stdout, /REFUSED: Cannot tie the logger to the host.*The run is as it was/);
  assert.deepEqual(await readdir(run, { recursive: true }), before);
  assert.equal(await readFile(join(run, 'analysis.json'), 'utf8'), analysis);
});

for (const [what, args, message] of [
  ['neither source nor marker', [], /Cannot set `--source` to undefined .*--marker for a logger/],
  ['a source that is none', ['--source', 'battery'], /source "battery"/],
  ['a marker that is none', ['--marker', 'gpio:x'], /marker "gpio:x"/],
  ['a plan that does not fit', ['--source', 'synthetic', '--guard-s', '0.1'], /`guardS` to 0\.1/],
] as const) {
  test(`nebula bench energy refuses ${what}`, () => {
    const { status, stderr } = nebula('energy', ...args, '--out', join(folder, 'none'));
    assert.ok(status === 2 || status === 3, `${status}`);
    assert.match(stderr, message);
  });
}

test('nebula bench import gives the energy of marks without a run around them', async () => {
  const session = makeSession({
    seed: 5,
    windows: 20,
    durationS: 0.2,
    gapS: 0.1,
    driftPpm: 60,
    offsetS: 2,
    sampleS: 1e-3,
    jitterS: 1e-5,
    lostShare: 0,
    spurious: 0,
  });
  const curve = [{ fromS: 0, powerW: 2 }];
  for (const { startS, endS } of session.truth.values())
    curve.push({ fromS: startS, powerW: 5 }, { fromS: endS, powerW: 2 });
  const untilS = session.toLoggerS(session.endS) + 1;
  const trace = sampleCurve(curve, { rule: 'instant', intervalS: 1e-3, untilS });
  const level = (timeS: number): number => session.logger.filter((edge) => edge.timeS <= timeS).at(-1)?.level ?? 0;
  const [, ...rows] = [...nebulaCsvRows(trace)];
  const csv = join(folder, 'service.csv');
  await writeFile(
    csv,
    `t_s,power_w,d2\n${rows.map((row, at) => `${row.trimEnd()},${level(trace.timeS[at] as number)}\n`).join('')}`,
  );
  await writeFile(`${csv}.json`, JSON.stringify(sidecarOf(trace)));
  const edges = join(folder, 'service.ndjson');
  await writeFile(edges, [...markerLogRows(session.log, 'memory')].join(''));
  const json = join(folder, 'energies.ndjson');
  const { status, stdout, stderr } = nebula('import', csv, '--edges', edges, '--json', json);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^SYNTHETIC: [\s\S]*^20 windows, known, d2: drift -?\d+\.\d ppm/m);
  const found = (await readFile(json, 'utf8'))
    .trimEnd()
    .split('\n')
    .map(
      (row) =>
        JSON.parse(row) as { id: string; gross: { valueJ: number; lowJ: number; highJ: number }; synthetic: boolean },
    );
  assert.equal(found.length, 20);
  for (const { id, gross, synthetic } of found) {
    const { startS, endS } = session.truth.get(id) as { startS: number; endS: number };
    const known = energyBetween(curve, startS, endS);
    assert.ok(Math.abs(gross.valueJ / known - 1) < 0.03, `${id}: ${gross.valueJ} J, known ${known} J`);
    assert.equal(synthetic, true);
  }
  for (const volts of ['', '-5', '5000', 'abc', 'Infinity']) {
    const refused = nebula('import', csv, '--edges', edges, '--vdd', volts);
    assert.equal(refused.status, 1, volts);
    assert.match(refused.stderr, /--vdd.*expected volts above 0, to 60/);
  }
  const named = nebula('import', csv, '--edges', edges, '--line', 'D5');
  assert.equal(named.status, 3);
  assert.match(named.stderr, /expected a digital line D5, got d2/);
});

test('Recorder writes a recording that openLog() reads, on the clock that all processes share', async () => {
  const path = join(folder, 'recorded.csv');
  const beforeS = Number(process.hrtime.bigint()) / 1e9;
  const recorder = await Recorder.start('synthetic?rate=200', path);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { error, counts, properties } = await recorder.stop();
  const afterS = Number(process.hrtime.bigint()) / 1e9;
  assert.equal(error, undefined);
  assert.equal(properties.synthetic, true);
  const { trace } = await openLog({ path, format: 'nebula-csv' });
  assert.equal(trace.timeS.length, counts?.values);
  assert.ok(trace.timeS.length > 20);
  assert.ok((trace.timeS[0] as number) >= beforeS && (trace.timeS.at(-1) as number) <= afterS);
});

test("Recorder.start() rejects with the source's own error", async () => {
  await assert.rejects(Recorder.start('hwmon:no such sensor', join(folder, 'never.csv')), {
    code: 'ERR_NEBULA_HARDWARE_NO_SOURCE',
  });
});
