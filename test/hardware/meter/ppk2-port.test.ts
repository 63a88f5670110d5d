/** The real serialport package on a pseudo terminal behind which a program speaks as the kit does: no kit, no USB. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { importNebulaCsv } from '../../../hardware/logger/formats.ts';
import { parseSidecar } from '../../../hardware/logger/nebula-csv.ts';
import type { RecordingReport } from '../../../hardware/meter/recording-file.ts';
import { requirePart } from '../../require.ts';

const DEVICE = join(import.meta.dirname, '../../../../test/hardware/meter/ppk2-device.py');
const METER = join(import.meta.dirname, '../../../hardware/cli/main.js');
const SAMPLES = 150_000;

const present = spawnSync('python3', ['-c', 'import pty']).status === 0;
const skip = requirePart('python3', present, 'python3 is not installed');

test('meter record takes every sample of a PPK2 at 100,000 a second, its inputs and a loss (a program on a pseudo terminal: no kit, no USB)', {
  skip,
}, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-ppk2-'));
  const device = spawn('python3', [DEVICE, String(SAMPLES)], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(() => {
    device.kill();
    rmSync(folder, { recursive: true });
  });
  const said = createInterface({ input: device.stdout });
  const [path] = (await once(said, 'line')) as [string];
  const ending = once(said, 'line');
  const file = join(folder, 'ppk2.csv');
  const source = `ppk2:${path}?vdd=5`;
  const meter = spawn(process.execPath, [METER, 'record', source, '--out', file, '--seconds', '6', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let problem = '';
  meter.stdout.on('data', (piece) => (output += String(piece)));
  meter.stderr.on('data', (piece) => (problem += String(piece)));
  const [status] = (await once(meter, 'close')) as [number];
  assert.equal(status, 0, problem);
  const [commands] = (await ending) as [string];
  // Calibration, ampere mode, current on, start, stop.
  assert.equal(commands, `commands 19 11 01 0c 01 06 07 sent ${SAMPLES}`);

  const { counts } = JSON.parse(output) as RecordingReport;
  assert.deepEqual([counts.values, counts.lost, counts.malformed], [SAMPLES, 1, 0]);
  const { trace, lines } = await importNebulaCsv(
    [readFileSync(file)],
    parseSidecar(readFileSync(`${file}.json`, 'utf8')),
  );
  assert.equal(trace.timeS.length, SAMPLES);
  assert.deepEqual(trace.breaks, [99_999]);
  assert.ok(Math.abs((trace.timeS[100_000] as number) - (99_999 + 64) / 100_000) < 1e-9);
  assert.deepEqual([trace.clock, trace.synthetic, trace.refreshS], ['logger', false, 1e-5]);
  // Shunt 100 ohm: 4 x 2000 and 4 x 4000 steps of 1.8 V / 163,840; the quadratic gain is the nominal 1.
  const powers = [2000, 4000].map((adc) => {
    const plain = (4 * adc * 1.8) / 163_840 / 100;
    return 5 * plain * (plain + 1);
  });
  for (const index of [0, 1500, 120_500]) {
    const power = powers[Math.floor(index / 1000) % 2] as number;
    assert.ok(Math.abs((trace.value[index] as number) - power) < 1e-9 * power + 1e-12, `sample ${index}`);
  }
  assert.equal(lines.get('d0')?.length, SAMPLES / 1000 - 1);
  assert.equal(lines.get('d1')?.length, 0);
});
