/** An energy run made from a scenario: what its folder would hold, and the energies that are true. */

import type { EnergyInput } from '../../../../bench/energy/analysis.ts';
import { batchLengthS, energyPlanOf, type EnergyPlan } from '../../../../bench/energy/plan.ts';
import type { CallsWindow, WindowRecord } from '../../../../bench/energy/windows.ts';
import type { Edge, HostEdge } from '../../../../hardware/analysis/edges.ts';
import { burstCode } from '../../../../hardware/analysis/sync-burst.ts';
import type { ImportedLog } from '../../../../hardware/logger/log.ts';
import { normalFrom } from '../../../../statistics/normal.ts';
import { seededRandom, type Random } from '../../../../statistics/random.ts';
import { curveOf, type Curve, type Knot, type Piece, type Wave } from './load.ts';
import { readCurve } from './meter.ts';
import type { Scenario } from './scenarios.ts';

/** Reference and subject. */
export const TARGETS = ['wasm-restored', 'process'] as const;

/** A run as its folder has it, and what is true of it; energies above idle, in J. */
export interface KnownRun {
  readonly input: EnergyInput;
  /** Of each batch by its id. */
  readonly windowsJ: ReadonlyMap<string, number>;
  /** Of a call of each target, in the long run. */
  readonly callsJ: readonly [number, number];
}

const HOST = { bootId: 'generated', machineId: 'generated' };
const LEAD_S = 0.2;
const FIRST_S = 100;
const KNOT_S = 0.5;

const drawn = ([low, high]: readonly [number, number], random: Random): number => low + (high - low) * random();

function planOf({ blocks, batchS, guardS, pauseS }: Scenario, seed: number): EnergyPlan {
  return energyPlanOf({
    targets: [...TARGETS],
    functions: ['sha256'],
    inputs: ['small'],
    blocks,
    seed,
    guardS,
    pauseS,
    batchS,
    settleS: 1,
  });
}

interface Laid {
  readonly windows: readonly WindowRecord[];
  readonly pieces: readonly Piece[];
  readonly endS: number;
}

const nsOf = (timeS: number): string => `${BigInt(Math.round(timeS * 1e9))}`;

function waveOf({ wave }: Scenario, callS: number, random: Random): Wave | undefined {
  if (wave === undefined) return undefined;
  return { ...wave, periodS: wave.periodS === 'call' ? callS : drawn(wave.periodS, random) };
}

/** Guards, and in each block a batch of each target in random order: some calls before a pause, then the batch. */
function layOut(scenario: Scenario, plan: EnergyPlan, loadsW: readonly number[], random: Random): Laid {
  const windows: WindowRecord[] = [];
  const pieces: Piece[] = [];
  const waves = TARGETS.map((_, at) => waveOf(scenario, scenario.callsS[at] as number, random));
  let nowS = FIRST_S;
  const guard = (block: number): void => {
    windows.push({ kind: 'guard', id: `guard-${block}`, block, startNs: nsOf(nowS), endNs: nsOf(nowS + plan.guardS) });
    nowS += plan.guardS;
  };
  for (let block = 0; block < plan.blocks; block++) {
    guard(block);
    const order = random() < 0.5 ? [0, 1] : [1, 0];
    for (const at of order) {
      const wave = waves[at];
      const powerW = (loadsW[at] as number) * (1 + scenario.blockShare * normalFrom(random));
      const piece = { powerW, ...(wave === undefined ? {} : { wave }) };
      pieces.push({ ...piece, fromS: nowS, toS: nowS + LEAD_S });
      // Where the sampling is when a batch begins is left to chance.
      nowS += LEAD_S + plan.pauseS + random() * Math.max(scenario.meter.refreshS, scenario.meter.pollS);
      const callS = scenario.callsS[at] as number;
      const calls = Math.max(1, Math.round(batchLengthS(plan, block) / callS));
      const toS = nowS + calls * callS;
      pieces.push({ ...piece, fromS: nowS, toS });
      const id = `b${block}.${at}`;
      const cell = { target: TARGETS[at] as CallsWindow['target'], function: 'sha256', input: 'small' };
      const times = { startNs: nsOf(nowS), endNs: nsOf(toS) };
      windows.push({ kind: 'batch', id, batch: id, block, ...cell, calls, failed: 0, ...times });
      nowS = toS + 0.001;
    }
  }
  guard(plan.blocks);
  return { windows, pieces, endS: nowS };
}

function idleKnots({ walkW, driftWPerHour }: Scenario, idleW: number, endS: number, random: Random): Knot[] {
  const knots: Knot[] = [];
  let powerW = idleW;
  for (let timeS = 0; timeS <= endS + 2 * KNOT_S; timeS += KNOT_S) {
    knots.push({ timeS, powerW });
    powerW += walkW * Math.sqrt(KNOT_S) * normalFrom(random) + (driftWPerHour / 3600) * KNOT_S;
  }
  return knots;
}

function edgesOf(windows: readonly WindowRecord[]): HostEdge[] {
  return windows.flatMap((window): HostEdge[] => {
    if (window.kind === 'guard') return [];
    const edge = (kind: 'start' | 'end', ns: string): HostEdge => {
      const level = kind === 'start' ? 1 : 0;
      const times = { beforeNs: BigInt(ns) - 1000n, afterNs: BigInt(ns) + 1000n };
      return { id: window.id, kind, level, ...times, written: true, calls: window.calls };
    };
    return [edge('start', window.startNs), edge('end', window.endNs)];
  });
}

/** The bursts that open and close a session, before the first guard and after the last one. */
function burstEdges(which: 'open' | 'close', fromS: number): HostEdge[] {
  let nowS = fromS;
  const edge = (level: 0 | 1): HostEdge => {
    const ns = BigInt(nsOf(nowS));
    return { id: which, kind: 'sync', level, beforeNs: ns - 1000n, afterNs: ns + 1000n, written: true };
  };
  return burstCode(which).flatMap(({ highMs, lowMs }) => {
    const rising = edge(1);
    nowS += highMs / 1e3;
    const falling = edge(0);
    nowS += lowMs / 1e3;
    return [rising, falling];
  });
}

const LINE_SAMPLE_S = 1e-4;
const LOGGER_STARTS_S = 42.5;

/** The same recording by a logger whose clock starts and goes as it likes, with the pin on a line of its own. */
function onOwnClock(imported: ImportedLog, edges: readonly HostEdge[], ppm: number): ImportedLog {
  const toLoggerS = (timeS: number): number => (timeS - LOGGER_STARTS_S) * (1 + ppm * 1e-6);
  const { trace } = imported;
  const line = edges.map(({ beforeNs, afterNs, level }): Edge => {
    const timeS = toLoggerS(Number(beforeNs + afterNs) / 2e9);
    const seenS = (Math.floor(timeS / LINE_SAMPLE_S) + 0.5) * LINE_SAMPLE_S;
    return { timeS: seenS, level, halfWidthS: LINE_SAMPLE_S / 2 };
  });
  const onLogger = { ...trace, clock: 'logger', timeS: trace.timeS.map(toLoggerS) } as const;
  return { ...imported, trace: onLogger, lines: new Map([['D0', line]]) };
}

function truthOf(curve: Curve, windows: readonly WindowRecord[]): Map<string, number> {
  const netJ = (ns: string): number => curve.energyJ(Number(ns) / 1e9) - curve.idleJ(Number(ns) / 1e9);
  const batches = windows.filter(({ kind }) => kind === 'batch');
  return new Map(batches.map(({ id, startNs, endNs }) => [id, netJ(endNs) - netJ(startNs)]));
}

/** Makes one run; a seed gives the same run on every machine. */
export function makeRun(scenario: Scenario, seed: number): KnownRun {
  const random = seededRandom(Math.imul(seed, 2_654_435_761));
  const plan = planOf(scenario, seed);
  const idleW = drawn(scenario.idleW, random);
  const loadsW = scenario.loadsW.map((range) => drawn(range, random));
  const { windows, pieces, endS } = layOut(scenario, plan, loadsW, random);
  const curve = curveOf(idleKnots(scenario, idleW, endS + 10, random), pieces);
  const trace = readCurve(scenario.meter, curve, { fromS: FIRST_S - 5, untilS: endS + 5 }, random);
  const none = { malformed: 0, firstMalformed: undefined, duplicates: 0, reordered: 0, lost: 0, gaps: 0, resets: 0 };
  const counts = { rows: trace.timeS.length, ...none, glitches: 0 };
  const failed = { count: 0, first: undefined };
  const marker = { text: 'none', label: 'none', synthetic: true, cost: null, forgotten: 0, failed };
  const machine = { before: { wallS: 0, monotonicS: 0 }, after: null };
  const imported: ImportedLog = { trace: { ...trace, host: HOST }, lines: new Map(), marks: [], counts };
  const { clockPpm } = scenario;
  const edges = [...burstEdges('open', FIRST_S - 4), ...edgesOf(windows), ...burstEdges('close', endS + 1)];
  const seen = clockPpm === undefined ? imported : onOwnClock(imported, edges, drawn(clockPpm, random));
  const record = {
    session: { marker, source: null, machine, forced: false },
    windows,
    log: { edges, synthetic: true, marker: 'none', host: HOST },
    power: { imported: seen, line: null, sha256: '' },
  };
  return {
    input: { plan, rows: [], record, reference: TARGETS[0] },
    windowsJ: truthOf(curve, windows),
    callsJ: [0, 1].map((at) => (loadsW[at] as number) * (scenario.callsS[at] as number)) as [number, number],
  };
}
