/** One output line that a marker moves, a line that only remembers, and what moving a line costs. */

import { HardwareError } from '../instrument/errors.ts';
import { interpolated, median } from '../../statistics/quantiles.ts';

/** One output. Owned by one marker; synchronous, because a callback would blur the edge. */
export interface MarkerLine {
  /** What it is, for provenance: `GPIO17 (line 529)`. */
  readonly label: string;
  /** True when no pin moves. */
  readonly synthetic: boolean;
  /** Of a line that is moved in bursts only, and marks no windows: the unit of its code, in milliseconds. */
  readonly bursts?: { readonly unitMs: number };
  /** Sets the level. @throws HardwareError when the line is refused or gone */
  write(level: 0 | 1): void;
  /** Sets the level to 0 and gives the line back. */
  close(): void;
}

/** A level change that a MemoryLine saw. */
export interface RememberedLevel {
  readonly level: 0 | 1;
  readonly atNs: bigint;
}

/** A line without a pin: it remembers when it was moved. What is made from it is synthetic. */
export class MemoryLine implements MarkerLine {
  readonly label: string = 'memory';
  readonly synthetic: boolean = true;
  readonly levels: RememberedLevel[] = [];

  write(level: 0 | 1): void {
    this.levels.push({ level, atNs: process.hrtime.bigint() });
  }

  close(): void {
    // Nothing is held open.
  }
}

/** What one write costs the marked program, in nanoseconds. */
export interface LineCost {
  readonly label: string;
  readonly synthetic: boolean;
  readonly writes: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
  /** Median of a start and an end together: what a marked window takes longer. */
  readonly windowNs: number;
  /** Median of reading the clock twice, which is part of the above. */
  readonly clockNs: number;
}

/**
 * Moves a line up and down and times each write as the marker does. Call it before the session's first burst: the
 * logger sees these pulses.
 * @param pulses how many, at least 10; 1,000 take some milliseconds
 */
export function measureLine(line: MarkerLine, pulses = 1000): LineCost {
  if (!Number.isInteger(pulses) || pulses < 10) {
    throw new HardwareError('ARGUMENT', { what: 'pulses', expected: 'an integer of at least 10', got: pulses });
  }
  const writes = new Float64Array(2 * pulses);
  const windows = new Float64Array(pulses);
  const clocks = new Float64Array(pulses);
  for (let pulse = 0; pulse < pulses; pulse++) {
    for (const level of [1, 0] as const) {
      const before = process.hrtime.bigint();
      line.write(level);
      const after = process.hrtime.bigint();
      writes[2 * pulse + (1 - level)] = Number(after - before);
    }
    windows[pulse] = (writes[2 * pulse] as number) + (writes[2 * pulse + 1] as number);
    const before = process.hrtime.bigint();
    clocks[pulse] = Number(process.hrtime.bigint() - before);
  }
  for (const times of [writes, windows, clocks]) times.sort();
  return {
    label: line.label,
    synthetic: line.synthetic,
    writes: writes.length,
    p50Ns: median(writes),
    p99Ns: interpolated(writes, 0.99),
    maxNs: interpolated(writes, 1),
    windowNs: median(windows),
    clockNs: median(clocks),
  };
}
