/** Sessions made from a known truth: what a host wrote, and what a logger with its own clock saw of it. */

import type { Edge, HostEdge, MarkerLog } from '../../../hardware/analysis/edges.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom } from '../../../statistics/random.ts';
import { burstCode } from '../../../hardware/analysis/sync-burst.ts';

export interface SessionPlan {
  readonly seed: number;
  readonly windows: number;
  readonly durationS: number;
  readonly gapS: number;
  readonly driftPpm: number;
  readonly offsetS: number;
  readonly sampleS: number;
  /** Standard deviation of the host's timing, in seconds. */
  readonly jitterS: number;
  readonly lostShare: number;
  readonly spurious: number;
  /** Parts of the recording that are cut away, in true seconds. */
  readonly cut?: { readonly fromS: number; readonly toS: number };
}

export interface Session {
  readonly log: MarkerLog;
  readonly logger: readonly Edge[];
  /** True window times on the logger's clock by id. */
  readonly truth: ReadonlyMap<string, { readonly startS: number; readonly endS: number }>;
  readonly toLoggerS: (trueS: number) => number;
  readonly endS: number;
}

/** Host times are true seconds here; the logger's clock is the one that drifts. */
export function makeSession(plan: SessionPlan): Session {
  const random = seededRandom(plan.seed);
  const toLoggerS = (trueS: number): number => plan.offsetS + trueS * (1 + plan.driftPpm * 1e-6);
  const edges: HostEdge[] = [];
  const times: { timeS: number; level: 0 | 1 }[] = [];
  let nowS = 0.1;
  const mark = (id: string, kind: HostEdge['kind'], level: 0 | 1): void => {
    const widthS = 2e-6 + Math.abs(normalFrom(random)) * plan.jitterS;
    const beforeS = nowS - widthS * random();
    const beforeNs = 77_000_000_000n + BigInt(Math.round(beforeS * 1e9));
    edges.push({ id, kind, level, beforeNs, afterNs: beforeNs + BigInt(Math.round(widthS * 1e9)), written: true });
    times.push({ timeS: nowS, level });
  };
  const burst = (which: 'open' | 'close'): void => {
    for (const pulse of burstCode(which)) {
      mark(which, 'sync', 1);
      nowS += pulse.highMs / 1e3;
      mark(which, 'sync', 0);
      nowS += pulse.lowMs / 1e3;
    }
  };
  const truth = new Map<string, { startS: number; endS: number }>();
  burst('open');
  for (let index = 0; index < plan.windows; index++) {
    const startS = nowS;
    mark(String(index), 'start', 1);
    nowS += plan.durationS * (0.5 + random());
    mark(String(index), 'end', 0);
    truth.set(String(index), { startS: toLoggerS(startS), endS: toLoggerS(nowS) });
    nowS += plan.gapS * (0.5 + random());
  }
  burst('close');
  const kept = times.filter(
    ({ timeS }) => random() >= plan.lostShare && !(plan.cut && timeS >= plan.cut.fromS && timeS <= plan.cut.toS),
  );
  for (let index = 0; index < plan.spurious; index++) {
    kept.push({ timeS: random() * nowS, level: random() < 0.5 ? 0 : 1 });
  }
  kept.sort((a, b) => a.timeS - b.timeS);
  const logger = kept.map(({ timeS, level }) => ({
    timeS: (Math.floor(toLoggerS(timeS) / plan.sampleS) + 0.5) * plan.sampleS,
    level,
    halfWidthS: plan.sampleS / 2,
  }));
  return { log: { edges, synthetic: true }, logger, truth, toLoggerS, endS: nowS };
}
