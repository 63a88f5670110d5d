/**
 * Marks windows as edges on one line: high from start to end, between coded sync bursts. Runs in the thread that owns the
 * line; start and end take one write and two clock readings.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { EdgeKind, HostEdge, MarkerLog, WallReading } from '../analysis/edges.ts';
import { HardwareError } from '../instrument/errors.ts';
import { readHost } from '../instrument/host.ts';
import { loadCode } from '../analysis/sync-load.ts';
import { burstCode } from '../analysis/sync-burst.ts';
import { EdgeLog } from './edge-log.ts';
import type { MarkerLine } from './line.ts';

/** What whoever runs invocations needs to know of markers. */
export interface Marker {
  /** Opens a window. While another one is open the line stays as it is and the window has host times only. */
  start(id: string): void;
  /** Closes the window, in which `calls` invocations ran; default 1. */
  end(id: string, calls?: number): void;
  /** Writes the closing burst and lets go of the line; a second call does nothing. */
  close(): Promise<void>;
}

/** How a session is marked. */
export interface MarkerOptions {
  /** Shortest time of a burst's code, in milliseconds: at least two samples of the logger; default 5. */
  readonly burstUnitMs?: number;
  /** Edges remembered at most; further ones are written and counted; default 2,000,000. */
  readonly maxEdges?: number;
}

/** The wall clock at a tick of its milliseconds, which is as fine as it is told. */
function readWall(): WallReading {
  const startMs = Date.now();
  let nowMs = startMs;
  while (nowMs === startMs) nowMs = Date.now();
  return { hostNs: process.hrtime.bigint(), realNs: BigInt(nowMs) * 1_000_000n };
}

/** A session of marked windows on one line; without a line the windows have host times only, and no bursts are written. */
export class SessionMarker implements Marker {
  readonly #line: MarkerLine | undefined;
  readonly #burstUnitMs: number;
  readonly #maxEdges: number;
  readonly #edges = new EdgeLog();
  /** Open windows; the value says whether the window moved the line. */
  readonly #open = new Map<string, boolean>();
  readonly #wall: WallReading[] = [];
  #busy = false;
  #forgotten = 0;
  #closing: Promise<void> | undefined;

  private constructor(line: MarkerLine | undefined, options: MarkerOptions) {
    this.#line = line;
    this.#burstUnitMs = options.burstUnitMs ?? 5;
    this.#maxEdges = options.maxEdges ?? 2_000_000;
  }

  /** Writes the opening burst: from then on the session is in the logger's recording. */
  static async open(line: MarkerLine | undefined, options: MarkerOptions = {}): Promise<SessionMarker> {
    const marker = new SessionMarker(line, options);
    line?.write(0);
    marker.#wall.push(readWall());
    await marker.#burst('open');
    return marker;
  }

  start(id: string): void {
    if (this.#closing !== undefined) throw new HardwareError('MARKER_CLOSED', { id });
    if (this.#open.has(id)) {
      const fields = { kind: 'start', id, expected: 'an id with no open window', got: 'a second start' };
      throw new HardwareError('MARKER_ORDER', fields);
    }
    const written = this.#line !== undefined && this.#line.bursts === undefined && !this.#busy;
    this.#edge(id, 'start', 1, written);
    this.#open.set(id, written);
    if (written) this.#busy = true;
  }

  end(id: string, calls = 1): void {
    const written = this.#open.get(id);
    if (written === undefined) {
      const fields = { kind: 'end', id, expected: 'an open window', got: 'none' };
      throw new HardwareError('MARKER_ORDER', fields);
    }
    this.#open.delete(id);
    if (written) this.#busy = false;
    this.#edge(id, 'end', 0, written, calls);
  }

  /** What the line is, for provenance; `none` without one. */
  get label(): string {
    return this.#line?.label ?? 'none';
  }

  /** True when a line was asked for and no pin moves. */
  get synthetic(): boolean {
    return this.#line?.synthetic ?? false;
  }

  /** What was written up to now. */
  log(): MarkerLog {
    const host = readHost();
    return {
      edges: this.#edges.edges(),
      synthetic: this.synthetic,
      ...(host === undefined ? {} : { host }),
      wall: [...this.#wall],
      ...(this.#line?.bursts === undefined ? {} : { bursts: 'load' }),
    };
  }

  /** Edges that were not remembered because `maxEdges` were. */
  get forgotten(): number {
    return this.#forgotten;
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    try {
      this.#line?.write(0);
      await this.#burst('close');
      this.#wall.push(readWall());
    } finally {
      this.#line?.close();
    }
  }

  // A write that fails leaves the host's time of the edge, and is told to whoever marks.
  #edge(id: string, kind: EdgeKind, level: 0 | 1, written: boolean, calls = 1): void {
    const beforeNs = process.hrtime.bigint();
    try {
      if (written) this.#line?.write(level);
    } catch (error) {
      this.#remember({ id, kind, level, beforeNs, afterNs: process.hrtime.bigint(), written: false }, calls);
      throw error;
    }
    this.#remember({ id, kind, level, beforeNs, afterNs: process.hrtime.bigint(), written }, calls);
  }

  #remember(edge: HostEdge, calls: number): void {
    // Bursts are kept whatever the limit: without them nothing can be tied to the logger.
    if (this.#edges.length >= this.#maxEdges && edge.kind !== 'sync') this.#forgotten++;
    else this.#edges.add(calls === 1 ? edge : { ...edge, calls });
  }

  async #burst(which: 'open' | 'close'): Promise<void> {
    if (this.#line === undefined) return;
    const { bursts } = this.#line;
    const unitMs = bursts?.unitMs ?? this.#burstUnitMs;
    // A level that is low for long enough sets the burst apart from a window before it.
    await sleep(2 * unitMs);
    for (const { highMs, lowMs } of bursts === undefined ? burstCode(which, unitMs) : loadCode(which, unitMs)) {
      this.#edge(which, 'sync', 1, true);
      await sleep(highMs);
      this.#edge(which, 'sync', 0, true);
      await sleep(lowMs);
    }
  }
}
