/** How slow a source is, and a plan whose batches, guards and pauses it can follow. Pure. */

import { HardwareError } from '../../hardware/instrument/errors.ts';
import type { PowerTrace } from '../../hardware/analysis/trace.ts';
import type { EnergyPlan } from './plan.ts';

/** What a source or its probe says of its time, in seconds; undefined where it does not know. */
export interface Pace {
  /** Between new values. */
  readonly refreshS?: number | undefined;
  /** Until a change of power is all in a value, beyond the refresh. */
  readonly lagS?: number | undefined;
}

/** What `nebula meter probe --json` found of a source, as far as an energy run needs it. */
export interface Probe {
  readonly source: string;
  readonly durationS: number;
  readonly refreshS: number;
  readonly stalenessS: number;
  /** In W. */
  readonly stepW: number;
}

/** Fields of a plan that a slow source makes longer. */
const LENGTHS = ['batchS', 'guardS', 'pauseS'] as const;

/** What was asked for and what it came to, in seconds, of each field that was lengthened. */
export type Lengthened = Partial<Record<(typeof LENGTHS)[number], { readonly askedS: number; readonly toS: number }>>;

/** The shortest batch of a plan has half of its usual length. */
const SHORTEST = 0.5;

/** A window is resolved with ten values and five responses. */
const VALUES = 10;
const RESPONSES = 5;

/** No batch is made longer than this, in seconds: a run of many cells would take days. */
const LONGEST_BATCH_S = 600;

/** Reads a probe. @throws Error that names what is missing */
export function parseProbe(text: string, path: string): Probe {
  const { character } = JSON.parse(text) as { character?: Partial<Probe> };
  const { source, durationS, refreshS, stalenessS, stepW } = character ?? {};
  const numbers = [durationS, refreshS, stalenessS, stepW].every((each) => typeof each === 'number' && each >= 0);
  if (typeof source !== 'string' || !numbers) {
    throw new Error(`Cannot use "${path}": expected the JSON of nebula meter probe, with its character`);
  }
  return { source, durationS, refreshS, stalenessS, stepW } as Probe;
}

/** So many new values say how often they come; fewer may be a rounded value that had no reason to change. */
const RENEWALS = 20;

/** The worse of what a source declares and what its probe found. */
export function paceOf(declared: Pace, probe?: Probe): Pace {
  const isSeen = probe !== undefined && probe.durationS >= RENEWALS * probe.refreshS;
  if (!isSeen) return { refreshS: declared.refreshS, lagS: declared.lagS };
  const refreshS = Math.max(declared.refreshS ?? 0, probe.refreshS);
  return { refreshS, lagS: Math.max(declared.lagS ?? 0, probe.stalenessS - refreshS) };
}

/** A recording of a source with what its probe found, where that is worse than what it says of itself. */
export function asProbed(trace: PowerTrace, probe: Probe | undefined): PowerTrace {
  if (probe === undefined) return trace;
  const { refreshS = trace.refreshS, lagS = 0 } = paceOf(trace, probe);
  // A counter is probed by the powers between its readings: their steps are not its own.
  const resolution = trace.rule === 'counter' ? trace.resolution : Math.max(trace.resolution, probe.stepW);
  return { ...trace, refreshS, resolution, lagS };
}

/**
 * The plan with batches, guards and pauses that are long enough for a source: ten values and five responses in the
 * shortest batch and in a guard, a pause in which what was before is forgotten.
 * @throws HardwareError SOURCE_SLOW where batches would be longer than ten minutes
 */
export function followedBy(
  plan: EnergyPlan,
  source: string,
  { refreshS = 0, lagS = 0 }: Pace,
): { readonly plan: EnergyPlan; readonly lengthened: Lengthened } {
  const responseS = refreshS + lagS;
  const windowS = Math.max(VALUES * refreshS, RESPONSES * responseS);
  const batchS = windowS / SHORTEST;
  if (batchS > LONGEST_BATCH_S) {
    throw new HardwareError('SOURCE_SLOW', { source, responseS, batchS, limitS: LONGEST_BATCH_S });
  }
  const least = { batchS, guardS: windowS + responseS + 2 * plan.settleS, pauseS: responseS };
  const lengthened: { -readonly [Name in keyof Lengthened]: Lengthened[Name] } = {};
  const longer = { ...plan };
  for (const name of LENGTHS) {
    if (plan[name] >= least[name]) continue;
    lengthened[name] = { askedS: plan[name], toS: least[name] };
    longer[name] = least[name];
  }
  return { plan: longer, lengthened };
}
