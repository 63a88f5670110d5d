/** Times strategies on a memory of a function's size, for whoever chooses among them (snapshot/strategy.ts). */

import type { Strategy } from '../../definition/strategies.ts';
import { releaseMemory } from '../../linux/memory.ts';
import { pageSizeBytes } from '../../linux/page-size.ts';
import { WASM_PAGE_BYTES } from '../../wasm-page.ts';
import type { SnapshotImage } from '../image.ts';
import type { Times } from '../strategy.ts';
import { createRestorer } from './restorers.ts';

/** Rounds a strategy is tried for, unless the time is up before: `cow` learns in the first, and a busy machine stretches any. */
const ROUNDS = 24;
/** Micro-VMs made anew for that: their memories are counted nowhere and live until they are collected, hence few. */
const FRESH_ROUNDS = 5;
const PATIENCE_MS = 60;
/** Places a round writes, two neighbouring pages each: what a small function's stack and heap come to. */
const WRITTEN_PLACES = 2;

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

/** Times of making something anew. */
export function timeFresh(make: () => void): Times {
  return timeRounds(FRESH_ROUNDS, () => {
    const startMs = performance.now();
    make();
    return performance.now() - startMs;
  });
}
