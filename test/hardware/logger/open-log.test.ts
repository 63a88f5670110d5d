import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { formatOf, openLog } from '../../../hardware/logger/open-log.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nebula-logs-'));
});
after(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

for (const [format, header] of [
  ['ppk2-csv', 'Timestamp(ms),Current(uA),D0-D7'],
  ['ppk2-csv', 'Current(uA),D0'],
  ['joulescope-statistics', '#time,current,voltage,power,charge,energy'],
  ['joulescope-waveform', '# time,JS220-001122.i,JS220-001122.v,JS220-001122.0'],
  ['monsoon-csv', 'Time(ms),Main(mA),Main Voltage(V)'],
  ['fnb58', 'timestamp sample_in_packet voltage_V current_A dp_V dn_V temp_C_ema energy_Ws capacity_As'],
  ['fnb58-ble', 'epoch,utc_time,device,voltage_V,current_A,power_W'],
  ['ptdaemon', 'Time,28-12-2020 15:21:14.682,Watts,22.950000,Volts,228.570000'],
] as const) {
  test(`formatOf() tells ${format} by "${header}"`, async () => {
    assert.equal(await formatOf(await write('log', `${header}\r\n1,2\r\n`)), format);
  });
}

test('formatOf() takes a sidecar and an ending for what they are, and guesses nothing', async () => {
  const path = await write('ours.csv', 't_s,power_w\n0,1\n1,2\n');
  await assert.rejects(formatOf(path), { key: 'LOG_FORMAT', message: /the format to be named \(nebula-csv, ppk2, / });
  await write('ours.csv.json', '{"source":"s","rule":"instant","clock":"logger","synthetic":true}');
  assert.equal(await formatOf(path), 'nebula-csv');
  assert.equal(await formatOf('session.ppk2'), 'ppk2');
  await assert.rejects(formatOf(join(folder, 'none')), { key: 'LOG_FORMAT', message: /a file/ });
});

test('openLog() reads a log with what the user knows of it, and tells a file that is not there', async () => {
  const log = await openLog({
    path: await write('ppk2.csv', 'Current(uA)\n1e6\n2e6\n'),
    format: 'ppk2-csv',
    vddV: 5,
    sampleS: 0.5,
  });
  assert.deepEqual([...log.trace.value], [5, 10]);
  const ours = await openLog({ path: join(folder, 'ours.csv'), format: 'nebula-csv' });
  assert.equal(ours.trace.synthetic, true);
  await assert.rejects(openLog({ path: join(folder, 'none'), format: 'otii' }), { key: 'LOG_FORMAT' });
  await assert.rejects(openLog({ path: join(folder, 'none'), format: 'nebula-csv' }), { key: 'LOG_FORMAT' });
});
