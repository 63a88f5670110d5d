/** Live power sources behind one interface, polling, and recording them into a trace. */

import { setTimeout as sleep } from 'node:timers/promises';
import { detailOf } from '../instrument/errors.ts';
import { readHost } from '../instrument/host.ts';
import { LogBuilder, type ImportedLog } from '../logger/log.ts';
import type { SampleRule } from '../analysis/trace.ts';

/** What a source says of itself; what it does not know is undefined and left to the probe. */
export interface SourceProperties {
  readonly name: string;
  readonly rule: SampleRule;
  /** `ours`: times are those of reading or arrival, on the host's monotonic clock; `own`: the meter's. */
  readonly clock: 'ours' | 'own';
  /** Time between new values, in seconds. */
  readonly refreshS: number | undefined;
  /** Smallest step, in W or J. */
  readonly resolution: number | undefined;
  /** Longest time that a change of power needs to be all in a value, beyond the refresh, in seconds; default not known. */
  readonly lagS?: number;
  /** Longest interval between two readings that is still no gap, in seconds: polls are late on a busy machine. */
  readonly gapS?: number;
  /** What whoever uses it has to know, and what to do. */
  readonly advice?: string;
  /** True for a value that is computed from a model or leaves part of the machine out. */
  readonly estimate: boolean;
  readonly synthetic: boolean;
  /** Digital inputs that each reading has the levels of; default none. */
  readonly inputs?: number;
}

/** What a source gives: a value, or the fact that there was none. */
export type Reading =
  | {
      readonly kind: 'value';
      readonly timeS: number;
      readonly value: number;
      /** Levels of digital inputs, D0 in bit 0. */
      readonly inputs?: number;
    }
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'duplicate' | 'reordered' | 'stale' | 'lost' | 'disconnected'; readonly detail: string };

/** Something that gives readings of power or energy while they come. */
export interface PowerSource {
  readonly properties: SourceProperties;
  /** Gives readings until the signal aborts; ends without an error then. */
  readings(signal: AbortSignal): AsyncIterable<Reading>;
  /** Closes the connection to the source. */
  close(): Promise<void>;
}

/** The host's monotonic clock in seconds, the same that markers write. */
export function monotonicS(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}

/**
 * Longest interval between two polls that is no gap, in seconds. On a machine that works polls come late, and lose nothing: the
 * line between two of them is less sure, which the variation within a window tells. Up to half a second, 93 % of intervals and
 * more held the truth of a load that changes each 30 and each 300 ms; beyond that nothing was tried.
 */
export function polledGapS(intervalS: number): number {
  return Math.max(0.5, 1.5 * intervalS);
}

/**
 * Reads again and again; a reading is stamped with the middle of its call, one that fails is lost, never repeated.
 * @param intervalS least time between the starts of two readings, in seconds
 * @param longestS a reading whose call took longer is lost, in seconds: when its value was taken is not known well enough
 */
export async function* pollReadings(
  read: () => number | Promise<number>,
  intervalS: number,
  signal: AbortSignal,
  longestS = Number.POSITIVE_INFINITY,
): AsyncGenerator<Reading> {
  while (!signal.aborted) {
    const beforeS = monotonicS();
    try {
      const value = await read();
      const afterS = monotonicS();
      if (afterS - beforeS <= longestS) yield { kind: 'value', timeS: (beforeS + afterS) / 2, value };
      else yield { kind: 'lost', detail: `an answer after ${(afterS - beforeS).toFixed(2)} s` };
    } catch (error) {
      yield { kind: 'lost', detail: detailOf(error) };
    }
    // From the start of this one, however late it was: catching up would read twice within one refresh.
    const waitMs = Math.max(0, beforeS + intervalS - monotonicS()) * 1e3;
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }
}

/** A recording, and what happened beside the values. */
export interface Recording extends ImportedLog {
  readonly properties: SourceProperties;
  /** Readings that were retained from before, and the first failure's message. */
  readonly stale: number;
  /** Times that the connection to the source was lost. */
  readonly disconnected: number;
  readonly firstLoss: string | undefined;
}

function addInputs(builder: LogBuilder, timeS: number, inputs: number): void {
  for (let input = 0; input < 8; input++) builder.level(`D${input}`, timeS, ((inputs >> input) & 1) as 0 | 1);
}

/**
 * Records a source until the signal aborts.
 * @throws HardwareError TRACE_INVALID for fewer than two values
 */
export async function recordSource(source: PowerSource, signal: AbortSignal): Promise<Recording> {
  const builder = new LogBuilder();
  const { properties } = source;
  let stale = 0;
  let disconnected = 0;
  let firstLoss: string | undefined;
  for await (const reading of source.readings(signal)) {
    builder.countRow();
    if (reading.kind === 'value') {
      const added = builder.add(reading.timeS, reading.value);
      if (added && reading.inputs !== undefined) addInputs(builder, reading.timeS, reading.inputs);
    } else if (reading.kind === 'malformed') builder.malformed(reading.detail);
    else if (reading.kind === 'lost' || reading.kind === 'disconnected') {
      if (reading.kind === 'disconnected') disconnected++;
      builder.lost(1);
      firstLoss ??= reading.detail;
    } else if (reading.kind === 'stale') stale++;
    else builder.skipped(reading.kind);
  }
  const log = builder.finish({
    source: properties.estimate ? `${properties.name} (estimate)` : properties.name,
    rule: properties.rule,
    clock: properties.clock === 'ours' ? 'host-monotonic' : 'logger',
    synthetic: properties.synthetic,
    host: properties.clock === 'ours' ? readHost() : undefined,
    ...(properties.refreshS === undefined ? {} : { refreshS: properties.refreshS }),
    ...(properties.resolution === undefined ? {} : { resolution: properties.resolution }),
    ...(properties.lagS === undefined ? {} : { lagS: properties.lagS }),
    ...(properties.gapS === undefined ? {} : { gapS: properties.gapS }),
  });
  return { ...log, properties, stale, disconnected, firstLoss };
}
