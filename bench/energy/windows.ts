/** What was marked in an energy run, a line of windows.ndjson each: which calls a window holds, and its times on the host. */

import type { CallPhase } from '../compare/rows.ts';

/** Idle, with nothing of ours running. */
export interface GuardWindow {
  readonly kind: 'guard';
  readonly id: string;
  /** The block that follows. */
  readonly block: number;
  /** Decimal nanoseconds of CLOCK_MONOTONIC. */
  readonly startNs: string;
  readonly endNs: string;
}

/** One call, or a batch of calls back to back. */
export interface CallsWindow {
  readonly kind: 'call' | 'batch';
  /** The marker's id. */
  readonly id: string;
  /** The batch that a call is one of: all calls of a cell's turn in a block. */
  readonly batch: string;
  readonly block: number;
  readonly target: string;
  readonly function: string;
  readonly input: string;
  readonly calls: number;
  /** Calls that did not end well: their energy is no energy of the function. */
  readonly failed: number;
  readonly startNs: string;
  readonly endNs: string;
  /** Of a single call: its number in rows.ndjson, when it was made, and its phases in nanoseconds, one after the other. */
  readonly call?: number;
  readonly calledNs?: string;
  readonly phases?: Readonly<Partial<Record<CallPhase, number>>>;
}

/** A window that a run marked. */
export type WindowRecord = GuardWindow | CallsWindow;

/** The lines of windows.ndjson. */
export function windowLines(windows: readonly WindowRecord[]): string {
  return windows.map((window) => `${JSON.stringify(window)}\n`).join('');
}

/** Reads windows back. @throws Error that names the line which is none */
export function parseWindows(text: string, path: string): WindowRecord[] {
  return text.split('\n').flatMap((line, index) => {
    if (line === '') return [];
    let window: Partial<WindowRecord>;
    try {
      window = JSON.parse(line) as Partial<WindowRecord>;
    } catch (cause) {
      throw new Error(`Cannot read the window at ${path}:${index + 1}: expected a JSON object`, { cause });
    }
    const { kind, id, block, startNs, endNs } = window;
    const whole = typeof id === 'string' && Number.isInteger(block) && isTime(startNs) && isTime(endNs);
    if (!whole || !['guard', 'call', 'batch'].includes(kind ?? '')) {
      throw new Error(`Cannot read the window at ${path}:${index + 1}: expected kind, id, block, startNs and endNs`);
    }
    return [window as WindowRecord];
  });
}

const isTime = (value: unknown): boolean => typeof value === 'string' && /^\d+$/.test(value);
