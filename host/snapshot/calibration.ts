/** Chooses how a function's memory is put back: by trying the ways that are exact for it on a memory of its size. */

import type { FunctionDefinition, Strategy } from '../definition.ts';
import { releaseMemory } from '../linux/memory.ts';
import { pageSizeBytes } from '../linux/page-size.ts';
import { MicroVm } from '../micro-vm.ts';
import type { SnapshotImage } from './image.ts';
import { allowedStrategies, createRestorer } from './restore/choice.ts';
import { WASM_PAGE_BYTES } from '../wasm-page.ts';

export interface Calibration {
  readonly strategy: Strategy;
  /** Why it is that one, in one sentence. */
  readonly reason: string;
  /** Median time to put the memory back, or for `fresh` to make a micro-VM, in nanoseconds. */
  readonly medianNs: Readonly<Partial<Record<Strategy, number>>>;
}

/** Rounds a strategy is tried for, unless the time is up before: `cow` learns in the first, and a busy machine stretches any. */
const ROUNDS = 24;
const FRESH_ROUNDS = 5;
const PATIENCE_MS = 60;
/** Places a round writes, two neighbouring pages each: what a small function's stack and heap come to. */
const WRITTEN_PLACES = 2;

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
  let best = last;
  let bestNs = Infinity;
  for (const strategy of allowed) {
    const times = strategy === 'fresh' ? timeFresh(definition, image) : timeRestore(image, strategy);
    medianNs[strategy] = times.medianNs;
    if (times.quartileNs < bestNs) [best, bestNs] = [strategy, times.quartileNs];
  }
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

/** Times of one strategy: the median is reported, the lower quartile decides, for a busy machine only adds. */
export interface Times {
  readonly medianNs: number;
  readonly quartileNs: number;
}

function timesOf(times: number[]): Times {
  times.sort((left, right) => left - right);
  const at = (share: number): number => Math.round((times[Math.floor(times.length * share)] ?? 0) * 1e6);
  return { medianNs: at(0.5), quartileNs: at(0.25) };
}

function timeRounds(rounds: number, round: () => number): Times {
  const times: number[] = [];
  const endMs = performance.now() + PATIENCE_MS;
  do times.push(round());
  while (times.length < rounds && performance.now() < endMs);
  return timesOf(times);
}

/** Times of putting an image's memory back after a few writes. */
export function timeRestore(image: SnapshotImage, strategy: Strategy): Times {
  const pages = image.snapshot.memoryBytes / WASM_PAGE_BYTES;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const restorer = createRestorer(image, strategy);
  restorer.attach(memory);
  const bytes = new Uint8Array(memory.buffer);
  const offsets = writtenOffsets(bytes.length, pageSizeBytes());
  const times = timeRounds(ROUNDS, () => {
    const startMs = performance.now();
    for (const offset of offsets) bytes[offset] = 1;
    const writtenMs = performance.now();
    restorer.observe();
    const observedMs = performance.now();
    restorer.restore();
    return performance.now() - observedMs + (writtenMs - startMs);
  });
  releaseMemory(memory);
  return times;
}

/** Where a round writes: at the beginning of two neighbouring pages in each place, as far as the memory has them. */
export function writtenOffsets(memoryBytes: number, pageBytes: number): number[] {
  const stepBytes = Math.floor(memoryBytes / WRITTEN_PLACES / pageBytes) * pageBytes;
  const offsets = Array.from({ length: WRITTEN_PLACES }, (_, place) => [
    place * stepBytes,
    place * stepBytes + pageBytes,
  ]);
  return [...new Set(offsets.flat())].filter((offset) => offset < memoryBytes);
}

/** The memories it makes are counted nowhere and live until they are collected, hence few rounds. */
function timeFresh(definition: FunctionDefinition, image: SnapshotImage): Times {
  const unaudited = { ...definition, audit: false };
  return timeRounds(FRESH_ROUNDS, () => {
    const startMs = performance.now();
    new MicroVm(unaudited, image, 'fresh').close();
    return performance.now() - startMs;
  });
}
