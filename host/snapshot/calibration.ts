/** Chooses how a function's memory is put back: by trying the ways that are exact for it on a memory of its size. */

import type { FunctionDefinition, Strategy } from '../definition.ts';
import { MicroVm } from '../micro-vm.ts';
import type { SnapshotImage } from './image.ts';
import { allowedStrategies, createRestorer } from './restore/choice.ts';

export interface Calibration {
  readonly strategy: Strategy;
  /** Why it is that one, in one sentence. */
  readonly reason: string;
  /** Median time to put the memory back, or for `fresh` to make a micro-VM, in nanoseconds. */
  readonly medianNs: Readonly<Partial<Record<Strategy, number>>>;
}

/** Rounds a strategy is tried for, unless the time is up before. */
const ROUNDS = 24;
const FRESH_ROUNDS = 5;
const BUDGET_MS = 8;
/** Pages a round writes: what a small function's stack and heap come to. */
const WRITTEN_PAGES = 4;
const PAGE_BYTES = 4096;

/**
 * Tries the strategies that are exact for the function; a strategy it names itself is taken if it is among them.
 * @throws NebulaError MOUNT_UNAVAILABLE
 */
export function calibrate(definition: FunctionDefinition, image: SnapshotImage): Calibration {
  const allowed = allowedStrategies(definition.prepared.info, image);
  const last = allowed.at(-1) ?? 'fresh';
  const wanted = definition.strategy;
  if (wanted !== 'auto') return named(definition, image, wanted, allowed);
  if (allowed.length === 1) {
    return {
      strategy: last,
      reason: `only ${last} is exact: ${definition.prepared.info.restorableReason}`,
      medianNs: {},
    };
  }
  if (image.snapshot.memoryBytes === 0)
    return { strategy: 'copy', reason: 'there is no memory to put back', medianNs: {} };
  const medianNs: Partial<Record<Strategy, number>> = {};
  for (const strategy of allowed) {
    medianNs[strategy] = strategy === 'fresh' ? timeFresh(definition, image) : timeRestore(image, strategy);
  }
  const best = allowed.reduce((left, right) => ((medianNs[right] ?? 0) < (medianNs[left] ?? 0) ? right : left));
  const without = image.memfd >= 0 ? '' : `; no copy-on-write here: ${image.memfdMissing}`;
  return { strategy: best, reason: `the fastest in calibration${without}`, medianNs };
}

function named(
  definition: FunctionDefinition,
  image: SnapshotImage,
  wanted: Strategy,
  allowed: readonly Strategy[],
): Calibration {
  if (allowed.includes(wanted)) return { strategy: wanted, reason: 'named by the manifest', medianNs: {} };
  const strategy = allowed.at(-1) ?? 'fresh';
  const { info } = definition.prepared;
  const why = info.restorable ? image.memfdMissing : info.restorableReason;
  return { strategy, reason: `the manifest names ${wanted}, which cannot be had: ${why}`, medianNs: {} };
}

function median(times: number[]): number {
  times.sort((left, right) => left - right);
  return Math.round((times[times.length >> 1] ?? 0) * 1e6);
}

function timeRounds(rounds: number, round: () => number): number {
  const times: number[] = [];
  const endMs = performance.now() + BUDGET_MS;
  do times.push(round());
  while (times.length < rounds && performance.now() < endMs);
  return median(times);
}

function timeRestore(image: SnapshotImage, strategy: Strategy): number {
  const pages = image.snapshot.memoryBytes / 65_536;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const restorer = createRestorer(image, strategy);
  restorer.attach(memory);
  const bytes = new Uint8Array(memory.buffer);
  const stepBytes = Math.floor(bytes.length / WRITTEN_PAGES / PAGE_BYTES) * PAGE_BYTES;
  return timeRounds(ROUNDS, () => {
    const startMs = performance.now();
    for (let page = 0; page < WRITTEN_PAGES; page++) bytes[page * stepBytes] = 1;
    const writtenMs = performance.now();
    restorer.observe();
    const observedMs = performance.now();
    restorer.restore();
    return performance.now() - observedMs + (writtenMs - startMs);
  });
}

/** The memories it makes are counted nowhere and live until they are collected, hence few rounds. */
function timeFresh(definition: FunctionDefinition, image: SnapshotImage): number {
  const unaudited = { ...definition, audit: false };
  return timeRounds(FRESH_ROUNDS, () => {
    const startMs = performance.now();
    new MicroVm(unaudited, image, 'fresh').close();
    return performance.now() - startMs;
  });
}
