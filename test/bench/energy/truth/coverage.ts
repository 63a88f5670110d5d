/** How many intervals of an analysis hold what is true, over many made runs of a scenario. */

import { analyseEnergy } from '../../../../bench/energy/analysis.ts';
import { median, sorted } from '../../../../statistics/quantiles.ts';
import { makeRun, TARGETS } from './session.ts';
import type { Scenario } from './scenarios.ts';

/** Intervals of one kind. */
export interface Count {
  /** Intervals that were told, and those of them that hold the truth. */
  readonly told: number;
  readonly hold: number;
  /** Windows, cells or ratios for which nothing was told. */
  readonly refused: number;
  /** Median half width of an interval and median error, as shares of the truth. */
  readonly halfWidth: number;
  readonly error: number;
}

/** What a scenario came to. `resolved` counts the windows that the analysis calls resolved, `windows` all with an interval. */
export interface Coverage {
  readonly scenario: string;
  readonly about: string;
  readonly runs: number;
  readonly windows: Count;
  readonly resolved: Count;
  readonly cells: Count;
  readonly ratios: Count;
  /** Runs that were refused whole, and the reason of the first. */
  readonly refusedRuns: number;
  readonly firstRefusal: string | null;
}

const middle = (values: readonly number[]): number => Number(median(sorted(values)).toPrecision(4));

/** An interval beside its truth; bounds are null where nothing was told. */
export interface Told {
  readonly truth: number;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** What one run came to: energies of a call of both targets in J, their ratio, and how many windows hold. */
export interface RunRow {
  readonly scenario: string;
  readonly seed: number;
  readonly windows: number;
  readonly windowsHold: number;
  readonly resolved: number;
  readonly cells: readonly Told[];
  readonly ratio: Told;
}

interface Bounds {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

const toldOf = (truth: number, found: Bounds | null): Told => ({
  truth,
  ...(found ?? { value: null, low: null, high: null }),
});

class Counter {
  #told = 0;
  #hold = 0;
  #refused = 0;
  readonly #widths: number[] = [];
  readonly #errors: number[] = [];

  add(truth: number, found: Bounds | null): void {
    if (found === null || found.low === null || found.high === null) {
      this.#refused++;
      return;
    }
    this.#told++;
    if (found.low <= truth && truth <= found.high) this.#hold++;
    this.#widths.push((found.high - found.low) / 2 / Math.abs(truth));
    this.#errors.push(Math.abs(found.value / truth - 1));
  }

  get held(): number {
    return this.#hold;
  }

  get told(): number {
    return this.#told;
  }

  count(): Count {
    const shares = { halfWidth: middle(this.#widths), error: middle(this.#errors) };
    return { told: this.#told, hold: this.#hold, refused: this.#refused, ...shares };
  }
}

/** Counts over runs with the seeds 1 to `runs`; `onRun` is given each. */
export function coverageOf(scenario: Scenario, runs: number, onRun: (row: RunRow) => void = () => undefined): Coverage {
  const [windows, resolved, cells, ratios] = [new Counter(), new Counter(), new Counter(), new Counter()];
  let refusedRuns = 0;
  let firstRefusal: string | null = null;
  for (let seed = 1; seed <= runs; seed++) {
    const known = makeRun(scenario, seed);
    const { analysis, run } = analyseEnergy(known.input);
    const before = { told: windows.told, held: windows.held, resolved: resolved.told };
    if (analysis.state !== 'measured') {
      refusedRuns++;
      firstRefusal ??= analysis.reason;
      continue;
    }
    for (const { record, energy } of run?.windows ?? []) {
      const truthJ = known.windowsJ.get(record.id) as number;
      const { net } = energy;
      const interval = net === undefined ? null : { value: net.valueJ, low: net.lowJ, high: net.highJ };
      windows.add(truthJ, interval);
      resolved.add(truthJ, energy.resolvable ? interval : null);
    }
    const found = TARGETS.map((target) => analysis.cells.find((cell) => cell.target === target)?.netJ ?? null);
    const ratio = analysis.ratios[0]?.energy ?? null;
    const trueRatio = known.callsJ[1] / known.callsJ[0];
    for (const [at, each] of found.entries()) cells.add(known.callsJ[at] as number, each);
    ratios.add(trueRatio, ratio);
    onRun({
      scenario: scenario.name,
      seed,
      windows: windows.told - before.told,
      windowsHold: windows.held - before.held,
      resolved: resolved.told - before.resolved,
      cells: found.map((each, at) => toldOf(known.callsJ[at] as number, each)),
      ratio: toldOf(trueRatio, ratio),
    });
  }
  const counts = { windows: windows.count(), resolved: resolved.count(), cells: cells.count(), ratios: ratios.count() };
  return { scenario: scenario.name, about: scenario.about, runs, ...counts, refusedRuns, firstRefusal };
}
