/** `nebula meter` as a person runs it, in a process of its own. */

import assert from 'node:assert/strict';
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { importNebulaCsv } from '../../../hardware/logger/formats.ts';
import { parseSidecar } from '../../../hardware/logger/nebula-csv.ts';
import type { ListedMarker } from '../../../hardware/marker/markers.ts';
import type { ListedSource } from '../../../hardware/meter/listing.ts';
import type { SourceCharacter } from '../../../hardware/meter/probe.ts';
import type { RecordingReport } from '../../../hardware/meter/recording-file.ts';

const DIST = join(import.meta.dirname, '../../..');
const METER = join(DIST, 'hardware/cli/main.js');
const NEBULA = join(DIST, 'lib/cli/main.js');

function meter(...given: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [METER, ...given], { encoding: 'utf8', timeout: 60_000 });
}

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-meter-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('meter list says what is there and why the rest is not, as text and as JSON', () => {
  const text = meter('list');
  assert.equal(text.status, 0, text.stderr);
  assert.match(text.stdout, /^Power sources\n/);
  assert.match(text.stdout, /\n\nMarkers\n/);
  const listed = JSON.parse(meter('list', '--json').stdout) as { sources: ListedSource[]; markers: ListedMarker[] };
  for (const { source, detail } of listed.sources)
    assert.ok(text.stdout.includes(source) && text.stdout.includes(detail));
  assert.ok(listed.markers.some(({ marker }) => marker === 'none'));
  assert.ok(listed.sources.every(({ state, properties }) => (state === 'present') === (properties !== undefined)));
});

test('meter probe finds the refresh, the steps and the noise that a source was made with', () => {
  const source = 'synthetic?idle=3&noise=0.05&rate=500&refresh=0.03&step=0.01';
  const run = meter('probe', source, '--seconds', '3', '--json');
  assert.equal(run.status, 0, run.stderr);
  const { character, effects } = JSON.parse(run.stdout) as {
    character: SourceCharacter;
    effects: { windowS: number; effectW: number }[];
  };
  assert.ok(Math.abs(character.refreshS - 0.03) < 0.003, `refresh ${character.refreshS}`);
  assert.ok(Math.abs(character.intervalS - 0.002) < 1e-4);
  assert.ok(Math.abs(character.stepW - 0.01) < 1e-6);
  assert.ok(character.noiseW > 0.035 && character.noiseW < 0.07, `noise ${character.noiseW}`);
  assert.ok(character.repeatedShare > 0.9);
  assert.ok(Math.abs(character.smallestWindowS - 0.3) < 0.03);
  assert.equal(character.synthetic, true);
  for (const [index, { windowS, effectW }] of effects.entries()) {
    assert.ok(windowS > (effects[index - 1]?.windowS ?? 0) && effectW < (effects[index - 1]?.effectW ?? 1));
  }
  const text = meter('probe', source, '--seconds', '1').stdout;
  assert.match(text, /refresh +a new value each 30 ms/);
  assert.match(text, /SYNTHETIC: nothing was measured/);
});

test('meter probe refuses a verdict on too few readings', () => {
  const run = meter('probe', 'synthetic?rate=5', '--seconds', '1', '--json');
  assert.equal(run.status, 3);
  const { error } = JSON.parse(run.stderr) as { error: { code: string; message: string } };
  assert.equal(error.code, 'ERR_NEBULA_HARDWARE_TRACE_INVALID');
  assert.match(error.message, /at least 30 readings/);
});

async function recordUntil(
  signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL',
  file: string,
  command: readonly string[] = [METER],
  toGroup = false,
): Promise<{ readonly status: number | null; readonly stdout: string }> {
  const child = spawn(process.execPath, [...command, 'record', 'synthetic', '--out', file, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: toGroup,
  });
  let stdout = '';
  child.stdout.on('data', (piece) => (stdout += String(piece)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  for (let waited = 0; waited < 400 && !(existsSync(file) && statSync(file).size > 20_000); waited++) await sleep(50);
  if (toGroup) process.kill(-(child.pid as number), signal);
  else child.kill(signal);
  return { status: await ended, stdout };
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`meter record ends on ${signal} with every row, and a sidecar that counts them`, async (context) => {
    const file = join(folderOf(context), 'power.csv');
    const { status, stdout } = await recordUntil(signal, file);
    assert.equal(status, 0);
    const report = JSON.parse(stdout) as RecordingReport;
    const text = readFileSync(file, 'utf8');
    assert.ok(text.endsWith('\n'));
    assert.equal(text.trimEnd().split('\n').length - 1, report.counts.values);
    const sidecar = readFileSync(`${file}.json`, 'utf8');
    assert.deepEqual((JSON.parse(sidecar) as { recording: unknown }).recording, report);
    assert.equal(report.complete && report.synthetic, true);
    const { trace, counts } = await importNebulaCsv([text], parseSidecar(sidecar));
    assert.equal(trace.timeS.length, report.counts.values);
    assert.equal(counts.malformed, 0);
    assert.deepEqual([trace.synthetic, trace.clock, trace.rule], [true, 'host-monotonic', 'instant']);
  });
}

test('meter record that was killed leaves the rows up to then and a sidecar that says it is not complete', async (context) => {
  const file = join(folderOf(context), 'power.csv');
  await recordUntil('SIGKILL', file);
  const sidecar = readFileSync(`${file}.json`, 'utf8');
  assert.equal((JSON.parse(sidecar) as { recording: RecordingReport }).recording.complete, false);
  const { trace } = await importNebulaCsv([readFileSync(file)], parseSidecar(sidecar));
  assert.ok(trace.timeS.length > 300);
});

test('nebula meter hands on: SIGTERM, Ctrl-C, exit codes and help', async (context) => {
  const file = join(folderOf(context), 'power.csv');
  const { status, stdout } = await recordUntil('SIGTERM', file, [NEBULA, 'meter']);
  assert.equal(status, 0);
  assert.equal((JSON.parse(stdout) as RecordingReport).complete, true);
  // Ctrl-C of a terminal goes to the whole group.
  const second = await recordUntil('SIGINT', `${file}2`, [NEBULA, 'meter'], true);
  assert.equal(second.status, 0);
  assert.equal((JSON.parse(second.stdout) as RecordingReport).complete, true);
  const run = (...given: string[]) => spawnSync(process.execPath, [NEBULA, 'meter', ...given], { encoding: 'utf8' });
  assert.equal(run('record', 'synthetic').status, 2);
  assert.equal(run('probe', 'hwmon:none such').status, 3);
  const help = run('--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /Usage: nebula meter/);
});

test('meter record writes over nothing', (context) => {
  const file = join(folderOf(context), 'power.csv');
  writeFileSync(file, 'precious');
  const run = meter('record', 'synthetic', '--out', file, '--seconds', '1');
  assert.equal(run.status, 3);
  assert.match(run.stderr, /Cannot write the recording .*EEXIST.*Name a new file/);
  assert.equal(readFileSync(file, 'utf8'), 'precious');
  assert.equal(meter('record', 'synthetic', '--out', join(file, 'x'), '--seconds', '1').status, 3);
});

test('meter says what is wrong with its arguments, with exit code 2', () => {
  const wrong: readonly (readonly [string[], RegExp])[] = [
    [[], /Usage: nebula meter/],
    [['measure'], /Expected list, probe or record, got "measure"/],
    [['toString'], /got "toString"/],
    [['list', 'more'], /Expected 0 operands, got 1/],
    [['probe'], /Expected 1 operands, got 0/],
    [['probe', 'watts'], /source "watts": expected one of hwmon/],
    [['probe', 'synthetic', '--seconds', 'long'], /Expected --seconds above 0/],
    [['record', 'synthetic', '--out'], /--out/],
    [['record', 'synthetic', '--other'], /--other/],
  ];
  for (const [given, message] of wrong) {
    const run = meter(...given);
    assert.equal(run.status, 2, given.join(' '));
    assert.match(run.stderr, message, given.join(' '));
    assert.equal(run.stdout, '');
  }
});

test('meter runs from hardware and statistics alone, and names the packages it would need', (context) => {
  const folder = folderOf(context);
  for (const part of ['hardware', 'statistics']) cpSync(join(DIST, part), join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const alone = (...given: string[]) =>
    spawnSync(process.execPath, [join(folder, 'hardware/cli/main.js'), ...given], { encoding: 'utf8', cwd: folder });
  const listed = alone('list');
  assert.equal(listed.status, 0, listed.stderr);
  for (const name of ['mqtt', 'modbus-serial', 'net-snmp', 'serialport']) {
    assert.match(listed.stdout, new RegExp(`absent .*needs the package ${name}: npm install ${name}`));
  }
  const mqtt = alone('probe', 'mqtt://127.0.0.1:1/a?format=shelly');
  assert.equal(mqtt.status, 3);
  assert.match(mqtt.stderr, /Cannot load the optional package mqtt/);
  assert.equal(alone('record', 'synthetic', '--out', join(folder, 'a.csv'), '--seconds', '0.3').status, 0);
});
