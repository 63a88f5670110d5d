/** Logs as the tools of their makers write them, with the energies that they hold. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';
import { importLog, importNebulaCsv } from '../../../hardware/logger/formats.ts';
import type { ImportOptions, ImportedLog } from '../../../hardware/logger/log.ts';
import { parseSidecar } from '../../../hardware/logger/nebula-csv.ts';
import { formatOf, openLog } from '../../../hardware/logger/open-log.ts';
import { seededRandom } from '../../../statistics/random.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nebula-real-files-'));
});
after(() => rm(folder, { recursive: true }));

const read = (format: string, lines: readonly string[], options: ImportOptions = {}): Promise<ImportedLog> =>
  importLog(format, [lines.map((line) => `${line}\n`).join('')], options);

/** Energy from the first to the last sample in J, and the time in it that has no samples. */
function whole({ trace }: ImportedLog): { energyJ: number; uncoveredS: number; durationS: number } {
  const [firstS, lastS] = [trace.timeS[0] as number, trace.timeS.at(-1) as number];
  const { energyJ, uncoveredS } = new PowerIntegral(trace).over(firstS, lastS);
  return { energyJ, uncoveredS, durationS: lastS - firstS };
}

/** PyMonsoon: 5 kHz, three samples a USB packet, one time for each, in seconds, and a comma at the end of each row. */
function pyMonsoon(
  seconds: number,
  milliamperes: (timeS: number) => number,
  repr: (value: number) => string = String,
): string[] {
  const random = seededRandom(7);
  const rows = ['Time(ms),Main(mA),Main Voltage(V),'];
  let arrivedS = 0;
  for (let sample = 0; sample < seconds * 5000; sample++) {
    // A packet is taken from the bus when the program comes to it: up to 4 ms late, never before another.
    if (sample % 3 === 0) arrivedS = Math.max(arrivedS, (sample + 3) / 5000 + 0.004 * random());
    rows.push(`${repr(arrivedS)},${repr(milliamperes(sample / 5000))},${repr(5)},`);
  }
  return rows;
}

for (const [name, repr] of [
  ['numbers', String],
  ['NumPy 2', (value: number) => `np.float64(${value})`],
] as const) {
  test(`importLog(monsoon-csv) reads PyMonsoon's seconds under Time(ms), one time a packet (${name})`, async () => {
    const log = await read(
      'monsoon-csv',
      pyMonsoon(4, () => 1000, repr),
    );
    const { energyJ, uncoveredS, durationS } = whole(log);
    assert.ok(Math.abs(durationS - 4) < 0.01, `${durationS} s`);
    assert.ok(Math.abs(energyJ - 20) < 0.05, `${energyJ} J`);
    assert.ok(uncoveredS < 0.004, `${uncoveredS} s have no samples`);
    assert.deepEqual([log.counts.malformed, log.counts.duplicates, log.counts.reordered], [0, 0, 0]);
  });
}

test('importLog(monsoon-csv) puts a load where it was, and nothing over a pause of the recording', async () => {
  const rows = pyMonsoon(4, (timeS) => (timeS >= 1 && timeS < 3 ? 2000 : 500));
  const log = await read('monsoon-csv', rows);
  const busy = new PowerIntegral(log.trace).over(1, 3);
  // The packets came 2 ms late on average.
  assert.ok(Math.abs(busy.energyJ - 20) < 0.05, `${busy.energyJ} J`);
  const later = pyMonsoon(1, () => 500)
    .slice(1)
    .map((row) => row.replace(/^[^,]+/, (timeS) => `${Number(timeS) + 60}`));
  const paused = await read('monsoon-csv', [...rows, ...later]);
  assert.equal(paused.trace.breaks.length, 1);
  assert.ok(new PowerIntegral(paused.trace).over(0, 61).uncoveredS > 55);
});

test('importLog(monsoon-csv) refuses a rate that no Monsoon has', async () => {
  const rows = ['Time(ms),Main(mA),Main Voltage(V),'];
  for (let sample = 0; sample < 5000; sample++) rows.push(`${sample * 2e-7},1000,5,`);
  await assert.rejects(read('monsoon-csv', rows), { key: 'LOG_FORMAT', message: /samples a second/ });
});

test('importLog(monsoon-csv) reads whole milliseconds with five samples each as milliseconds', async () => {
  const rows = ['Time(ms),Main(mA),Main Voltage(V)'];
  for (let sample = 0; sample < 5000; sample++) rows.push(`${Math.floor(sample / 5)},800,5`);
  const { energyJ, durationS, uncoveredS } = whole(await read('monsoon-csv', rows));
  assert.ok(Math.abs(durationS - 1) < 0.001 && uncoveredS < 0.001, `${durationS} s, without samples ${uncoveredS} s`);
  assert.ok(Math.abs(energyJ - 4) < 0.01, `${energyJ} J`);
});

const milliseconds = (samples: number): string[] =>
  Array.from({ length: samples }, (_, sample) => `${(sample * 0.2).toFixed(1)},800,5`);

test('importLog(monsoon-csv) refuses two recordings in one file', async () => {
  const first = pyMonsoon(2, () => 500);
  const message = /recorded once/;
  await assert.rejects(read('monsoon-csv', [...first, ...first.slice(1)]), { key: 'LOG_FORMAT', message });
  const rows = ['Time(ms),Main(mA),Main Voltage(V)', ...milliseconds(5000), ...milliseconds(500)];
  await assert.rejects(read('monsoon-csv', rows), { key: 'LOG_FORMAT', message });
});

/** The logger of the FNB58 over USB: an empty line, a header, packets of four stamped with the host's time less 40 ms. */
function fnb58(seconds: number, fromS: number, power: (timeS: number) => number): string[] {
  const random = seededRandom(3);
  const rows = ['', 'timestamp sample_in_packet voltage_V current_A dp_V dn_V temp_C_ema energy_Ws capacity_As'];
  let energyJ = 0;
  for (let packet = 0; packet < seconds * 25; packet++) {
    const stampS = fromS + packet * 0.04 + 0.02 * random();
    for (let sample = 0; sample < 4; sample++) {
      const amperes = power(packet * 0.04 + sample * 0.01) / 5;
      energyJ += amperes * 5 * 0.01;
      rows.push(
        `${(stampS + sample * 0.01).toFixed(3)} ${sample} 5.00000 ${amperes.toFixed(5)} 0.000 0.000 30.000 ${energyJ.toFixed(6)} 0.000000`,
      );
    }
  }
  return rows;
}

test('importLog(fnb58) reads times that overlap, and its format is told in spite of an empty first line', async () => {
  const rows = fnb58(10, 1_700_000_000, (timeS) => (timeS % 2 < 1 ? 2 : 4));
  const log = await read('fnb58', rows);
  const { energyJ, uncoveredS } = whole(log);
  assert.equal(log.trace.timeS.length, 1000);
  assert.ok(Math.abs(energyJ - 30) < 0.15, `${energyJ} J`);
  assert.ok(uncoveredS < 0.01, `${uncoveredS} s have no samples`);
  const path = join(folder, 'fnb58.txt');
  await writeFile(path, rows.join('\n'));
  assert.equal(await formatOf(path), 'fnb58');
});

test('importLog(fnb58) reads a log that another one follows, and refuses two that were recorded at once', async () => {
  const first = fnb58(2, 1_700_000_000, () => 2);
  const log = await read('fnb58', [...first, ...fnb58(2, 1_700_000_100, () => 4)]);
  assert.equal(log.counts.malformed, 0);
  assert.equal(log.trace.breaks.length, 1);
  assert.ok(Math.abs(whole(log).energyJ - 12) < 0.2);
  await assert.rejects(read('fnb58', [...first, ...fnb58(2, 1_700_000_001, () => 4)]), {
    key: 'LOG_FORMAT',
    message: /one meter/,
  });
});

const BLUETOOTH =
  'epoch,utc_time,device,voltage_V,current_A,power_W,dplus_V,dminus_V,temp_C,resistance_ohm,energy_Wh,capacity_Ah';

function bluetooth(devices: Readonly<Record<string, number>>): string[] {
  const rows = [BLUETOOTH];
  for (let row = 0; row < 100; row++) {
    for (const [index, [device, powerW]] of Object.entries(devices).entries()) {
      const epoch = (1_781_742_331 + row / 10 + index * 0.016).toFixed(3);
      rows.push(`${epoch},2026-06-13T12:25:31+00:00,${device},5.00000,${powerW / 5},${powerW},0,0,28.3,10,0,0`);
    }
  }
  return rows;
}

test('importLog(fnb58-ble) refuses two meters in one file, and reads the one that is named', async () => {
  const rows = bluetooth({ 'FNB58-051772': 2, 'FNB58-0517A0': 9 });
  await assert.rejects(read('fnb58-ble', rows), { key: 'LOG_FORMAT', message: /FNB58-051772.*FNB58-0517A0/ });
  const log = await read('fnb58-ble', rows, { channel: 'FNB58-0517A0' });
  assert.deepEqual([new Set(log.trace.value), log.trace.timeS.length], [new Set([9]), 100]);
  await assert.rejects(read('fnb58-ble', rows, { channel: 'FNB58-1' }), { key: 'LOG_FORMAT' });
  assert.equal((await read('fnb58-ble', bluetooth({ 'FNB58-051772': 2 }))).trace.value[0], 2);
});

test('importLog(fnb58-ble) refuses a log that has the same seconds twice', async () => {
  const rows = bluetooth({ 'FNB58-051772': 2 });
  await assert.rejects(read('fnb58-ble', [...rows, ...rows.slice(1)]), { key: 'LOG_FORMAT', message: /recorded once/ });
});

test('importLog(joulescope-waveform) refuses two instruments in one file, and reads the one that is named', async () => {
  const rows = [
    '# time,JS220-001122.i,JS220-001122.v,JS220-003344.i,JS220-003344.v,JS220-003344.0',
    '0,1,5,2,5,0',
    '0.001,1,5,2,5,1',
  ];
  await assert.rejects(read('joulescope-waveform', rows), {
    key: 'LOG_FORMAT',
    message: /js220-001122.*js220-003344/i,
  });
  const log = await read('joulescope-waveform', rows, { channel: 'JS220-003344' });
  assert.deepEqual([[...log.trace.value], [...log.lines.keys()]], [[10, 10], ['GPI0']]);
  const first = await read('joulescope-waveform', rows, { channel: 'JS220-001122' });
  assert.deepEqual([[...first.trace.value], [...first.lines.keys()]], [[5, 5], []]);
  await assert.rejects(read('joulescope-waveform', rows, { channel: 'JS110' }), { key: 'LOG_FORMAT' });
});

test('importLog(otii) reads an answer above 1 MiB, and pieces of one', async () => {
  const values = Array.from({ length: 200_000 }, (_, sample) => 1 + (sample % 7) / 1000);
  const meanW = values.reduce((sum, value) => sum + value, 0) / values.length;
  const answer = (from: number, to: number): string =>
    JSON.stringify({
      channel: 'mp',
      data_type: 'analog',
      timestamp: from * 0.00025,
      interval: 0.00025,
      values: values.slice(from, to),
    });
  const one = answer(0, values.length);
  assert.ok(one.length > 1 << 20);
  for (const rows of [[one], [answer(0, 50_000), answer(50_000, 120_000), answer(120_000, 200_000)]]) {
    const log = await read('otii', rows);
    const { energyJ, uncoveredS } = whole(log);
    assert.equal(log.trace.timeS.length, values.length);
    assert.deepEqual([log.counts.malformed, uncoveredS], [0, 0]);
    assert.ok(Math.abs(energyJ - meanW * 50) < 1e-3, `${energyJ} J`);
  }
});

/** Share of a stretch that lies between 3.0042 s and 5.0078 s. */
const share = (fromS: number, toS: number): number =>
  Math.max(0, Math.min(toS, 5.0078) - Math.max(fromS, 3.0042)) / (toS - fromS);

test('importLog(joulescope-waveform) reads what the UI exports of a plot: a mean for each point, inputs anywhere between their levels', async () => {
  // 10 s in 1000 points, as numpy.savetxt writes them; 6.7 W and a high input from 3.0042 s to 5.0078 s, else 2 W.
  const rows = ['# time,JS220-001122.i,JS220-001122.v,JS220-001122.p,JS220-001122.0'];
  for (let point = 0; point < 1000; point++) {
    const high = share(point / 100 - 0.005, point / 100 + 0.005);
    const powerW = 2 + 4.7 * high;
    rows.push([point / 100, powerW / 5, 5, powerW, high].map((value) => value.toExponential(18)).join(','));
  }
  const log = await read('joulescope-waveform', rows);
  const edges = log.lines.get('GPI0') ?? [];
  assert.deepEqual(
    edges.map(({ level }) => level),
    [1, 0],
  );
  for (const [index, timeS] of [3.0042, 5.0078].entries()) {
    const { timeS: foundS = 0, halfWidthS = 0 } = edges[index] ?? {};
    assert.ok(Math.abs(foundS - timeS) <= halfWidthS + 1e-9, `${foundS} s of ${timeS} s`);
  }
  assert.ok(Math.abs(new PowerIntegral(log.trace).over(2, 6).energyJ - (8 + 4.7 * 2.0036)) < 1e-6);
});

const piece = (channel: string, timestamp: number, value: number): string =>
  JSON.stringify({ channel, data_type: 'analog', timestamp, interval: 0.5, values: [value, value] });

test('importLog(otii) multiplies pieces of current and voltage, in whichever order they were asked for', async () => {
  const log = await read('otii', [piece('mc', 0, 1), piece('mc', 1, 2), piece('mv', 0, 5), piece('mv', 1, 5)]);
  assert.deepEqual([[...log.trace.value], log.counts.malformed], [[5, 5, 10, 10], 0]);
});

test('importLog(otii) takes power as itself where current and voltage stand beside it', async () => {
  for (const channels of [
    ['mp', 'mc', 'mv'],
    ['mc', 'mv', 'mp'],
  ]) {
    const rows = channels.map((channel) =>
      JSON.stringify({ channel, data_type: 'analog', timestamp: 0, interval: 0.5, values: [2, 2, 2] }),
    );
    const log = await read('otii', rows);
    assert.deepEqual([[...log.trace.value], log.counts.reordered, log.counts.duplicates], [[2, 2, 2], 0, 0]);
  }
});

const CHANNELS = [
  'Time,11-13-2020 22:38:59.240,Watts,272.930000,Volts,-1.000000,Amps,-1.000000,PF,-1.000000,Mark,notset,Ch1,Watts,91.060000,Volts,120.950000,Amps,0.832100,PF,0.938900,Ch2,Watts,90.970000,Volts,120.830000,Amps,0.802000,PF,0.938800,Ch3,Watts,90.900000,Volts,120.750000,Amps,0.802000,PF,0.938700',
  'Time,11-13-2020 22:39:00.239,Watts,275.630000,Volts,-1.000000,Amps,-1.000000,PF,-1.000000,Mark,notset,Ch1,Watts,91.960000,Volts,120.910000,Amps,0.810300,PF,0.938600,Ch2,Watts,91.870000,Volts,120.850000,Amps,0.810200,PF,0.938500,Ch3,Watts,91.800000,Volts,120.740000,Amps,0.810300,PF,0.938400',
];

test('importLog(ptdaemon) reads the total of several channels or the one that is named, and no mark where none was set', async () => {
  const log = await read('ptdaemon', CHANNELS);
  assert.deepEqual([...log.trace.value], [272.93, 275.63]);
  assert.deepEqual(log.marks, []);
  assert.equal(log.trace.timeS[0], Date.UTC(2020, 10, 13, 22, 38, 59, 240) / 1e3);
  assert.deepEqual([...(await read('ptdaemon', CHANNELS, { channel: 'Ch2' })).trace.value], [90.97, 91.87]);
  await assert.rejects(read('ptdaemon', CHANNELS, { channel: 'Ch4' }), { key: 'LOG_FORMAT', message: /Ch1, Ch2, Ch3/ });
});

function ptRows(...times: readonly string[]): string[] {
  return times.map((time) => `Time,${time},Watts,20.000000,Volts,230.000000,Amps,0.173913,PF,0.500000,Mark,run`);
}

test('importLog(ptdaemon) passes midnight, the end of a month and of a year, whichever of day and month comes first', async () => {
  for (const [times, steps] of [
    [
      ['01-31-2021 23:59:58.500', '01-31-2021 23:59:59.500', '02-01-2021 00:00:00.500'],
      [1, 1],
    ],
    [
      ['12-31-2020 23:59:59.000', '01-01-2021 00:00:00.000', '01-01-2021 00:00:01.000'],
      [1, 1],
    ],
    [
      ['31-12-2020 23:59:59.000', '01-01-2021 00:00:00.000', '01-01-2021 00:00:01.000'],
      [1, 1],
    ],
    [['28-12-2020 23:59:59.000', '29-12-2020 00:00:00.000'], [1]],
    [['03-04-2021 23:59:59.000', '03-05-2021 00:00:00.000'], [1]],
    [['03-04-2021 23:59:59.000', '04-04-2021 00:00:00.000'], [1]],
  ] as const) {
    const { trace, counts } = await read('ptdaemon', ptRows(...times));
    assert.deepEqual(
      [...trace.timeS].slice(1).map((timeS, index) => timeS - (trace.timeS[index] as number)),
      steps,
      times[0],
    );
    assert.equal(counts.malformed, 0);
  }
  const day = (await read('ptdaemon', ptRows('03-04-2021 10:00:00', '03-04-2021 10:00:01'))).trace.timeS[0];
  assert.equal(day, Date.UTC(2021, 2, 4, 10) / 1e3);
  assert.equal(
    (await read('ptdaemon', ptRows('99-99-2021 10:00:00', '03-04-2021 10:00:00', '03-04-2021 10:00:01'))).counts
      .malformed,
    1,
  );
});

test('importLog() and openLog() refuse what a log has no use for', async () => {
  const unused: readonly (readonly [string, readonly string[], ImportOptions])[] = [
    ['fnb58', fnb58(1, 5, () => 1), { vddV: 5 }],
    ['monsoon-csv', ['Time(ms),Main(mA),Main Voltage(V)', '0,100,5', '0.2,100,5'], { vddV: 5 }],
    ['ptdaemon', CHANNELS, { sampleS: 1 }],
    ['ppk2-csv', ['Timestamp(ms),Current(uA)', '0,1', '1,1'], { vddV: 5, sampleS: 1e-3 }],
    ['ppk2-csv', ['Timestamp(ms),Current(uA)', '0,1', '1,1'], { vddV: 5, channel: 'D0' }],
    ['joulescope-waveform', ['# time,a.p', '0,1', '1,1'], { vddV: 5 }],
    [
      'joulescope-statistics',
      ['#time,current,voltage,power,charge,energy', '0,1,1,1,0,0', '1,1,1,1,1,1'],
      { sampleS: 1 },
    ],
  ];
  for (const [format, rows, options] of unused) {
    await assert.rejects(read(format, rows, options), { key: 'ARGUMENT', message: /has no use for/ }, format);
  }
  const path = join(folder, 'own.csv');
  await writeFile(path, 't_s,power_w\n0,1\n1,1\n');
  await writeFile(`${path}.json`, '{"source":"s","rule":"instant","clock":"logger","synthetic":false}');
  await assert.rejects(openLog({ path, format: 'nebula-csv', vddV: 5 }), { key: 'ARGUMENT' });
});

test('importLog() holds columns against each other: power is volts times amperes, energy is power in time', async () => {
  await assert.rejects(
    read(
      'fnb58-ble',
      bluetooth({ a: 2 }).map((row) => row.replace(',2,0,0,', ',2000,0,0,')),
    ),
    {
      key: 'LOG_FORMAT',
      message: /volts times amperes/,
    },
  );
  const statistics = ['#time,current,voltage,power,charge,energy', '0,1,5,5,0,0', '1,1,5,5,1,5', '2,1,5,5,2,10'];
  assert.equal((await read('joulescope-statistics', statistics)).trace.value[2], 10);
  await assert.rejects(
    read(
      'joulescope-statistics',
      statistics.map((row) => row.replace(/,(\d+)$/, ',$1000')),
    ),
    {
      key: 'LOG_FORMAT',
      message: /energy/,
    },
  );
  const waveform = ['# time,a.i,a.v,a.p', '0,1,5,5', '1,1,5,0.005', '2,1,5,0.005'];
  await assert.rejects(read('joulescope-waveform', waveform), { key: 'LOG_FORMAT' });
  await assert.rejects(
    read(
      'ptdaemon',
      ptRows('03-04-2021 10:00:00', '03-04-2021 10:00:01').map((row) => row.replace('Watts,20', 'Watts,40')),
    ),
    {
      key: 'LOG_FORMAT',
    },
  );
  const sidecar = parseSidecar('{"source":"s","rule":"instant","clock":"logger","synthetic":false}');
  const own = (powerW: number): Promise<ImportedLog> =>
    importNebulaCsv([`t_s,power_w,voltage_v,current_a\n0,${powerW},5,1\n1,${powerW},5,1\n`], sidecar);
  assert.equal((await own(5)).trace.value[0], 5);
  await assert.rejects(own(5000), { key: 'LOG_FORMAT' });
});

test('importLog() holds times against what an instrument can do', async () => {
  const seconds = [
    'Timestamp(ms),Current(uA)',
    ...Array.from({ length: 100 }, (_, row) => `${(row * 1e-5).toFixed(5)},1000`),
  ];
  await assert.rejects(read('ppk2-csv', seconds, { vddV: 5 }), { key: 'LOG_FORMAT', message: /samples a second/ });
  const backwards = ['Timestamp(ms),Current(uA)', ...Array.from({ length: 100 }, (_, row) => `${row % 10},1000`)];
  await assert.rejects(read('ppk2-csv', backwards, { vddV: 5 }), { key: 'LOG_FORMAT', message: /times that rise/ });
  const whole = ['Timestamp(ms),Current(uA)', ...Array.from({ length: 100 }, (_, row) => `${row >> 2},1000`)];
  await assert.rejects(read('ppk2-csv', whole, { vddV: 5 }), { key: 'LOG_FORMAT', message: /75 that repeat/ });
});
