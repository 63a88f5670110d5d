import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';
import { LOG_FORMATS, importLog, importNebulaCsv } from '../../../hardware/logger/formats.ts';
import type { ImportedLog } from '../../../hardware/logger/log.ts';
import { nebulaCsvRows, parseSidecar, sidecarOf } from '../../../hardware/logger/nebula-csv.ts';
import { eachRow } from '../../../hardware/logger/rows.ts';

const rows = (...lines: readonly string[]): string[] => [lines.map((line) => `${line}\n`).join('')];

const valuesOf = ({ trace }: ImportedLog): [number, number][] =>
  [...trace.timeS].map((timeS, index) => [timeS, Number((trace.value[index] as number).toPrecision(9))]);

test('importLog(ppk2-csv) reads power, packed inputs, both levels in one bin, and rows left out', async () => {
  const log = await importLog(
    'ppk2-csv',
    rows(
      'Timestamp(ms),Current(uA),D0-D7',
      '0.00,1000,00000000',
      '0.01,2000,10000000',
      '0.02,2000,X0000000',
      '0.03,2000,00000000',
      '0.04,2000,0X00000-',
      '0.09,3000,00000001',
    ),
    { vddV: 5 },
  );
  assert.deepEqual(valuesOf(log)[0], [0, 0.005]);
  assert.equal(log.counts.gaps, 1);
  const d0 = log.lines.get('D0') ?? [];
  assert.deepEqual(
    d0.map(({ timeS, level }) => [Number(timeS.toFixed(8)), level]),
    [
      [0.000005, 1],
      [0.00002, 0],
    ],
  );
  assert.equal(log.counts.glitches, 1);
  const d7 = log.lines.get('D7') ?? [];
  assert.ok(Math.abs((d7[0]?.timeS ?? 0) - 0.00006) < 1e-12);
  assert.ok(Math.abs((d7[0]?.halfWidthS ?? 0) - 0.00003) < 1e-12);
});

test('importLog(ppk2-csv) takes any subset of columns, and refuses where voltage or time is not known', async () => {
  const single = rows('Current(uA),D0,D3', '1e6,0,1', '2e6,1,1');
  const log = await importLog('ppk2-csv', single, { vddV: 3, sampleS: 1e-5 });
  assert.deepEqual(valuesOf(log), [
    [0, 3],
    [1e-5, 6],
  ]);
  assert.deepEqual([...log.lines.keys()], ['D0', 'D3']);
  await assert.rejects(importLog('ppk2-csv', single, { vddV: 3 }), { key: 'LOG_FORMAT' });
  await assert.rejects(importLog('ppk2-csv', single, { sampleS: 1e-5 }), { key: 'LOG_VOLTAGE', remedy: /--vdd/ });
  await assert.rejects(importLog('ppk2-csv', rows('Timestamp(ms),D0', '1,0'), { vddV: 3 }), { key: 'LOG_FORMAT' });
});

test('importLog() counts rows cut short, words, duplicates and rows out of order, and goes on', async () => {
  const log = await importLog(
    'ppk2-csv',
    rows('Timestamp(ms),Current(uA)', '0,10', '1', '1,abc', '1,20', '1,30', '0.5,30', '2,20', '3,20,9', '3,', '4,20'),
    { vddV: 1 },
  );
  const { rows: count, malformed, duplicates, reordered, gaps, firstMalformed } = log.counts;
  assert.deepEqual([count, malformed, duplicates, reordered, gaps], [10, 4, 1, 1, 1]);
  assert.equal(firstMalformed, 'row 2: "1"');
  assert.deepEqual([...log.trace.timeS], [0, 0.001, 0.002, 0.004]);
});

test('importLog(joulescope-statistics) counts energy, in UTC or relative time, and breaks at a reset', async () => {
  const log = await importLog(
    'joulescope-statistics',
    rows(
      '#time,current,voltage,power,charge,energy',
      '20240102T030405.500000Z,0.1,5,0.5,0,0',
      '20240102T030406.000000Z,0.1,5,0.5,0.05,0.25',
      '20240102T030406.500000Z,0.1,5,0.5,0.1,0.5',
      '20240102T030407.000000Z,0.1,5,0.5,0,0.1',
      '20240102T030407.500000Z,0.1,5,0.5,0.05,0.35',
    ),
  );
  assert.equal(log.trace.rule, 'counter');
  assert.equal(log.trace.timeS[0], Date.UTC(2024, 0, 2, 3, 4, 5, 500) / 1e3);
  assert.equal(log.counts.resets, 1);
  const over = new PowerIntegral(log.trace).over(log.trace.timeS[0] ?? 0, log.trace.timeS[4] ?? 0);
  assert.ok(Math.abs(over.energyJ - 0.75) < 1e-9);
  assert.ok(Math.abs(over.uncoveredS - 0.5) < 1e-9);
  const bare = rows('#current,voltage,power,charge,energy', '0.1,5,0.5,0,0', '0.1,5,0.5,0.05,0.25');
  assert.deepEqual(valuesOf(await importLog('joulescope-statistics', bare, { sampleS: 0.5 }))[1], [0.5, 0.25]);
  await assert.rejects(importLog('joulescope-statistics', bare), { key: 'LOG_FORMAT' });
});

test('importLog(joulescope-waveform) multiplies where power is missing and puts inputs against one half', async () => {
  const log = await importLog(
    'joulescope-waveform',
    rows('# time,JS220-1.i,JS220-1.v,JS220-1.0', '0,0.1,5,0', '0.001,0.2,5,0.4', '0.002,0.2,5,0.6', '0.003,0.2,5,1'),
  );
  assert.deepEqual(valuesOf(log)[1], [0.001, 1]);
  assert.deepEqual(
    log.lines.get('GPI0')?.map(({ timeS, level }) => [timeS, level]),
    [[0.0015, 1]],
  );
  const power = rows('# time,JS220-1.p', '0,2', '1,3');
  assert.deepEqual(valuesOf(await importLog('joulescope-waveform', power))[1], [1, 3]);
  const current = rows('# time,JS220-1.i', '0,2', '1,3');
  await assert.rejects(importLog('joulescope-waveform', current), { key: 'LOG_FORMAT' });
  assert.deepEqual(valuesOf(await importLog('joulescope-waveform', current, { vddV: 2 }))[1], [1, 6]);
});

function answer(channel: string, values: unknown, type = 'analog', timestamp = 0): string {
  return JSON.stringify({ channel, data_type: type, timestamp, interval: 0.5, values });
}

test('importLog(otii) reads power, current beside voltage, and lists of edges', async () => {
  const log = await importLog(
    'otii',
    rows(answer('mp', [1, 2]), answer('i1', [{ timestamp: 0.1, value: true }], 'digital')),
  );
  assert.deepEqual(valuesOf(log), [
    [0, 1],
    [0.5, 2],
  ]);
  assert.deepEqual(log.lines.get('i1'), [{ timeS: 0.1, level: 1, halfWidthS: 0 }]);
  const product = await importLog(
    'otii',
    rows(answer('mc', [1, 2]), answer('mv', [3, 3]), '{"channel":', answer('mc', [1]), answer('mv', [3], 'analog', 9)),
  );
  assert.deepEqual(valuesOf(product), [
    [0, 3],
    [0.5, 6],
  ]);
  assert.equal(product.counts.malformed, 2);
});

test('importLog(monsoon-csv) multiplies the main channel and wants a voltage', async () => {
  const log = await importLog('monsoon-csv', rows('Time(ms),Main(mA),Main Voltage(V)', '0,100,5', '0.2,200,5'));
  assert.deepEqual(valuesOf(log), [
    [0, 0.5],
    [0.0002, 1],
  ]);
  const current = rows('Time(ms),Main(mA)', '0,100', '0.2,200');
  await assert.rejects(importLog('monsoon-csv', current), { key: 'LOG_VOLTAGE' });
  assert.deepEqual(valuesOf(await importLog('monsoon-csv', current, { vddV: 4 }))[1], [0.0002, 0.8]);
});

test('importLog(fnb58) and importLog(fnb58-ble) read both loggers of the meter', async () => {
  const usb = rows(
    'timestamp sample_in_packet voltage_V current_A dp_V dn_V temp_C_ema energy_Ws capacity_As',
    '1700000000.00 0 5.1 0.5 0 0 30 0 0',
    '1700000000.01 1 5.0 0.5 0 0 30 0.025 0.005',
  );
  const log = await importLog('fnb58', usb);
  assert.deepEqual(valuesOf(log)[0], [1_700_000_000, 2.55]);
  assert.equal(log.trace.clock, 'host-realtime');
  const header =
    'epoch,utc_time,device,voltage_V,current_A,power_W,dplus_V,dminus_V,temp_C,resistance_ohm,energy_Wh,capacity_Ah';
  const ble = rows(
    header,
    '1700000000.1,x,FNB58,5,0.5,2.5,0,0,30,10,0,0',
    '1700000000.2,x,FNB58,5,0.6,3,0,0,30,10,0,0',
  );
  assert.deepEqual(valuesOf(await importLog('fnb58-ble', ble))[1], [1_700_000_000.2, 3]);
});

function ptRow(second: string, watts: string, mark: string): string {
  return `Time,28-12-2020 15:21:${second},Watts,${watts},Volts,228.570000,Amps,0.206430,PF,0.486400,Mark,${mark}`;
}

test('importLog(ptdaemon) reads averages and the windows that the log marks itself', async () => {
  const log = await importLog(
    'ptdaemon',
    rows(
      ptRow('14.682', '22.95', ''),
      ptRow('15.682', '23.95', 'run 1'),
      ptRow('16.682', '24', 'run 1'),
      ptRow('17.682', '-1', ''),
      ptRow('18.682', '20', 'run 2'),
    ),
  );
  assert.equal(log.trace.rule, 'average');
  assert.equal(log.trace.timeS[0], Date.UTC(2020, 11, 28, 15, 21, 14, 682) / 1e3);
  assert.equal(log.counts.malformed, 1);
  assert.deepEqual(
    log.marks.map(({ label, startS, endS }) => [label, Math.round(endS - startS)]),
    [
      ['run 1', 1],
      ['run 2', 0],
    ],
  );
});

test('importNebulaCsv() gives back what nebulaCsvRows() wrote, for any trace, in chunks of any size', async () => {
  const arbitrary = fc.record({
    rule: fc.constantFrom('instant' as const, 'average' as const, 'counter' as const),
    steps: fc.array(
      fc.tuple(fc.double({ min: 1e-6, max: 5, noNaN: true }), fc.double({ min: 0, max: 1e3, noNaN: true })),
      {
        minLength: 2,
        maxLength: 20,
      },
    ),
    chunk: fc.integer({ min: 1, max: 50 }),
    broken: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(arbitrary, async ({ rule, steps, chunk, broken }) => {
      let nowS = 0;
      let sum = 0;
      const timeS = Float64Array.from(steps, ([stepS]) => (nowS += stepS));
      const value = Float64Array.from(steps, ([, amount]) => (rule === 'counter' ? (sum += amount) : amount));
      const breaks = broken ? [0] : [];
      const trace = {
        source: 's',
        rule,
        clock: 'logger',
        synthetic: true,
        timeS,
        value,
        refreshS: 1,
        resolution: 0,
        breaks,
      } as const;
      const bytes = Buffer.from([...nebulaCsvRows(trace)].join('').replaceAll('\n', '\r\n'));
      const pieces = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, index) =>
        bytes.subarray(index * chunk, (index + 1) * chunk),
      );
      const sidecar = parseSidecar(JSON.stringify(sidecarOf(trace)));
      assert.deepEqual((await importNebulaCsv(pieces, sidecar)).trace, trace);
    }),
    { numRuns: 60 },
  );
});

test('importNebulaCsv() reads inputs, and a counter that wraps at the range of its sidecar', async () => {
  const sidecar = parseSidecar(
    '{"source":"own","rule":"counter","clock":"host-monotonic","synthetic":false,"range_j":10}',
  );
  const log = await importNebulaCsv(
    rows('t_s,energy_j,d0', '0,8,0', '1,9,1', '2,1,1', '3,2,q', '4,2,toString'),
    sidecar,
  );
  assert.deepEqual([...log.trace.value], [8, 9, 11]);
  assert.equal(log.counts.malformed, 2);
  assert.equal(log.lines.get('d0')?.length, 1);
});

test('parseSidecar() names the field that is missing or wrong', () => {
  const good = { source: 'a', rule: 'instant', clock: 'logger', synthetic: false };
  assert.deepEqual(parseSidecar(JSON.stringify(good)), good);
  for (const [field, value] of [
    ['source', ''],
    ['rule', 'mean'],
    ['clock', undefined],
    ['synthetic', 'no'],
    ['refresh_s', -1],
    ['gap_s', 5401],
    ['source', { toString: 1 }],
  ] as const) {
    const message = new RegExp(field);
    assert.throws(() => parseSidecar(JSON.stringify({ ...good, [field]: value })), { key: 'LOG_FORMAT', message });
  }
  for (const field of ['refresh_s', 'resolution', 'lag_s', 'gap_s', 'range_j']) {
    const text = JSON.stringify({ ...good, [field]: 0 }).replace(/0}$/, '1e999}');
    assert.throws(() => parseSidecar(text), { key: 'LOG_FORMAT', message: new RegExp(field) });
  }
  assert.throws(() => parseSidecar('{'), { key: 'LOG_FORMAT' });
  assert.throws(() => parseSidecar('null'), { key: 'LOG_FORMAT' });
});

test('importLog() refuses unknown formats, empty logs, foreign headers and logs without a readable row', async () => {
  await assert.rejects(importLog('toString', rows('a')), { key: 'ARGUMENT' });
  for (const format of LOG_FORMATS) {
    await assert.rejects(importLog(format, [], { vddV: 1 }), (error: { key?: string }) =>
      ['LOG_FORMAT', 'TRACE_INVALID'].includes(error.key ?? ''),
    );
    await assert.rejects(importLog(format, rows('a,b', '1,2'), { vddV: 1 }), (error: { key?: string }) =>
      ['LOG_FORMAT', 'TRACE_INVALID'].includes(error.key ?? ''),
    );
  }
});

test('importLog() ends every log of noise with a typed error or a trace, never with anything else', async () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'Timestamp(ms),Current(uA)',
      '1,2',
      '3,4',
      'Time,28-12-2020 15:21:14.682,Watts,2',
      '# time,a.p',
      '{}',
      '5,5',
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...LOG_FORMATS), fc.array(line, { maxLength: 8 }), async (format, lines) => {
      const outcome = await importLog(format, rows(...lines), { vddV: 5, sampleS: 1 }).then(
        (log) => log.trace.timeS.length >= 2,
        (error: { code?: string }) => error.code?.startsWith('ERR_NEBULA_HARDWARE_') === true,
      );
      assert.ok(outcome);
    }),
    { numRuns: 150 },
  );
});

test('eachRow() joins a character that two chunks share and cuts a line without end', async () => {
  const seen: string[] = [];
  const bytes = Buffer.from('é1\r\n\r\nzwei');
  await eachRow([bytes.subarray(0, 1), bytes.subarray(1)], (line) => seen.push(line));
  assert.deepEqual(seen, ['é1', 'zwei']);
  let longest = 0;
  await eachRow(
    Array.from({ length: 30 }, () => 'x'.repeat(100_000)),
    (line) => {
      longest = Math.max(longest, line.length);
    },
  );
  assert.equal(longest, 1 << 20);
});

test('eachRow() gives lines as they are, wherever the pieces of a log are cut', async () => {
  const text = '\uFEFFa\r\n\r\n \nb\rc\n\rd\r\r\né, ∑\n\nlast\r';
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    const seen: string[] = [];
    await eachRow(pieces, (line) => seen.push(line));
    assert.deepEqual(seen, ['a', 'b\rc', '\rd\r', 'é, ∑', 'last'], `pieces of ${size}`);
  }
});
