/** A log is tied to marks by the host's clock only where both are of one start of one machine. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureMarks } from '../../../bench/energy/marks.ts';
import { onOurClock } from '../../../bench/energy/record.ts';
import type { HostEdge } from '../../../hardware/analysis/edges.ts';
import { loadCode } from '../../../hardware/analysis/sync-load.ts';
import { importLog, importNebulaCsv } from '../../../hardware/logger/formats.ts';
import { hostFields, type HostIdentity } from '../../../hardware/instrument/host.ts';
import type { ImportedLog } from '../../../hardware/logger/log.ts';
import { parseSidecar } from '../../../hardware/logger/nebula-csv.ts';
import { markerLogRows, readMarkerLog, type ReadMarkerLog } from '../../../hardware/marker/log-file.ts';
import { burstCode } from '../../../hardware/analysis/sync-burst.ts';

const HERE: HostIdentity = { bootId: 'boot-1', machineId: 'machine-1' };
const ELSEWHERE: HostIdentity = { bootId: 'boot-2', machineId: 'machine-2' };

/** One window of 2 s at 6.7 W from 103 s on this machine's clock, 2 W around it. */
const START_S = 103;
const END_S = 105;
const TRUE_J = 13.4;

function edge(kind: HostEdge['kind'], id: string, timeS: number, level: 0 | 1): HostEdge {
  const atNs = BigInt(Math.round(timeS * 1e9));
  return { id, kind, level, beforeNs: atNs, afterNs: atNs + 2000n, written: true };
}

function burst(which: 'open' | 'close', fromS: number): HostEdge[] {
  const edges: HostEdge[] = [];
  let timeS = fromS;
  for (const { highMs, lowMs } of burstCode(which)) {
    edges.push(edge('sync', which, timeS, 1), edge('sync', which, timeS + highMs / 1e3, 0));
    timeS += (highMs + lowMs) / 1e3;
  }
  return edges;
}

async function marks(host: HostIdentity | undefined): Promise<ReadMarkerLog> {
  const edges = [
    ...burst('open', 101),
    edge('start', 'a', START_S, 1),
    edge('end', 'a', END_S, 0),
    ...burst('close', 106),
  ];
  const log = { edges, synthetic: false, ...(host === undefined ? {} : { host }) };
  return await readMarkerLog(markerLogRows(log, 'GPIO17'));
}

/** Recorded by a board whose clock is `aheadS` ahead of ours, with the marker on d0. */
async function recording(aheadS: number, host: HostIdentity | undefined): Promise<ImportedLog> {
  const edges = (await marks(HERE)).edges;
  const rows = ['t_s,power_w,d0'];
  let at = 0;
  let level = 0;
  for (let sample = 0; sample < 8000; sample++) {
    const timeS = 100 + sample / 1000;
    while (at < edges.length && Number((edges[at] as HostEdge).beforeNs) / 1e9 <= timeS)
      level = (edges[at++] as HostEdge).level;
    rows.push(`${(timeS + aheadS).toFixed(4)},${timeS >= START_S && timeS < END_S ? TRUE_J / 2 : 2},${level}`);
  }
  const sidecar = { source: 'INA226', rule: 'instant', clock: 'host-monotonic', synthetic: false, ...hostFields(host) };
  return importNebulaCsv([`${rows.join('\n')}\n`], parseSidecar(JSON.stringify(sidecar)));
}

function told(log: ReadMarkerLog, power: ImportedLog, line: string | null = null): number {
  return measureMarks(log, power, line).windows[0]?.gross?.valueJ ?? Number.NaN;
}

test('measureMarks() takes the clock of this machine for ours', async () => {
  const measured = measureMarks(await marks(HERE), await recording(0, HERE), null);
  assert.equal(measured.windows[0]?.state, 'host');
  assert.ok(Math.abs((measured.windows[0]?.gross?.valueJ ?? 0) - TRUE_J) < 0.02);
});

for (const [what, markHost, logHost] of [
  ['of another board', HERE, ELSEWHERE],
  ['of another start of this board', HERE, { ...HERE, bootId: 'boot-2' }],
  ['of a board with our boot id', HERE, { ...HERE, machineId: 'machine-2' }],
  ['of nobody knows whom', HERE, undefined],
  ['beside marks of nobody knows whom', undefined, HERE],
] as const) {
  test(`measureMarks() ties a log on the monotonic clock ${what} by its edges, and never by its times`, async () => {
    const log = await marks(markHost);
    for (const aheadS of [0, 0.25]) {
      const power = await recording(aheadS, logHost);
      const measured = measureMarks(log, power, null);
      assert.equal(measured.windows[0]?.state, 'matched');
      assert.ok(Math.abs(told(log, power) - TRUE_J) < 0.02, `${told(log, power)} J`);
      const withoutEdges = { ...power, lines: new Map() };
      assert.throws(() => told(log, withoutEdges), {
        key: 'EDGES_INVALID',
        message: /another (machine|start)|does not say/,
      });
    }
  });
}

test('measureMarks() ties by the line that is named, also on our own clock', async () => {
  const measured = measureMarks(await marks(HERE), await recording(0, HERE), 'd0');
  assert.equal(measured.windows[0]?.state, 'matched');
  assert.ok(Math.abs((measured.windows[0]?.gross?.valueJ ?? 0) - TRUE_J) < 0.02);
  const power = await recording(0, HERE);
  assert.throws(() => told({ edges: [], synthetic: false, host: HERE, marker: 'm' }, power, 'd7'), {
    key: 'EDGES_INVALID',
  });
});

const WALL_S = 1_700_000_000;

/** The same window, marked without a line, with what the wall clock said at both ends. */
async function wallMarks(setByS = 0): Promise<ReadMarkerLog> {
  const wall = [100, 110].map((timeS, index) => ({
    hostNs: BigInt(timeS) * 1_000_000_000n,
    realNs: BigInt(WALL_S + timeS) * 1_000_000_000n + BigInt(Math.round(index * setByS * 1e9)),
  }));
  const edges = [edge('start', 'a', START_S, 1), edge('end', 'a', END_S, 0)].map((each) => ({
    ...each,
    written: false,
  }));
  return readMarkerLog(markerLogRows({ edges, synthetic: false, host: HERE, wall }, 'none'));
}

/** A log of the FNB58's own logger, which ran here: epoch times, packets of four. */
function fnb58(): Promise<ImportedLog> {
  const rows = ['', 'timestamp sample_in_packet voltage_V current_A dp_V dn_V temp_C_ema energy_Ws capacity_As'];
  for (let sample = 0; sample < 1000; sample++) {
    const timeS = 100 + sample / 100;
    const powerW = timeS >= START_S && timeS < END_S ? TRUE_J / 2 : 2;
    rows.push(`${(WALL_S + timeS).toFixed(3)} ${sample % 4} 5.00000 ${(powerW / 5).toFixed(5)} 0 0 30 0 0`);
  }
  return importLog('fnb58', [`${rows.join('\n')}\n`]);
}

test('measureMarks() ties a log of a logger that ran here by the wall clock, where it is said, and never by itself', async () => {
  const log = await wallMarks();
  const power = await fnb58();
  assert.throws(() => told(log, power), { key: 'EDGES_INVALID' });
  const measured = measureMarks(log, onOurClock(power, log), null);
  assert.match(measured.tied.how ?? '', /wall clock of this machine/);
  const { valueJ, lowJ, highJ } = measured.windows[0]?.gross ?? { valueJ: 0, lowJ: 0, highJ: 0 };
  assert.ok(Math.abs(valueJ - TRUE_J) < 0.1 && lowJ < TRUE_J && TRUE_J < highJ, `${lowJ} to ${highJ} J`);
  const set = await wallMarks(0.5);
  assert.throws(() => told(set, onOurClock(power, set)), { key: 'BAD_FIT', message: /wall clock/ });
  const ours = await recording(0, HERE);
  assert.throws(() => onOurClock(ours, log), { key: 'ARGUMENT', message: /--here/ });
});

test('measureMarks() ties a log without lines by the loads that its power shows', async () => {
  const edges: HostEdge[] = [];
  const high: [number, number][] = [[START_S, END_S]];
  for (const [which, fromS] of [
    ['open', 20],
    ['close', 200],
  ] as const) {
    let timeS = fromS;
    for (const { highMs, lowMs } of loadCode(which, 1000)) {
      edges.push(edge('sync', which, timeS, 1), edge('sync', which, timeS + highMs / 1e3, 0));
      high.push([timeS, timeS + highMs / 1e3]);
      timeS += (highMs + lowMs) / 1e3;
    }
  }
  edges.push(edge('start', 'a', START_S, 1), edge('end', 'a', END_S, 0));
  const log = await readMarkerLog(
    markerLogRows({ edges, synthetic: false, host: HERE, bursts: 'load' }, 'load of 4 threads'),
  );
  const rows = ['Time(ms),Main(mA),Main Voltage(V),'];
  for (let sample = 0; sample < 26_000; sample++) {
    const timeS = sample / 100;
    const powerW = high.some(([fromS, toS]) => timeS >= fromS && timeS < toS) ? TRUE_J / 2 : 2;
    // PyMonsoon, which decimates and began to count at 7 s.
    if (timeS >= 7) rows.push(`${(timeS - 7).toFixed(4)},${(powerW / 5) * 1000},5,`);
  }
  const power = await importLog('monsoon-csv', [`${rows.join('\n')}\n`]);
  const measured = measureMarks(log, power, null);
  assert.match(measured.tied.how ?? '', /by its loads at both ends: drift -?\d+ ppm, \+- .* ms, correlation 1\.00/);
  assert.ok(Math.abs((measured.windows[0]?.startS ?? 0) - (START_S - 7)) < 0.02);
  const { valueJ, lowJ, highJ } = measured.windows[0]?.gross ?? { valueJ: 0, lowJ: 0, highJ: 0 };
  assert.ok(Math.abs(valueJ - TRUE_J) < 0.1 && lowJ < TRUE_J && TRUE_J < highJ, `${lowJ} to ${highJ} J`);
});
