/** `bench load`: sweeps of open-loop load, and density, into a folder. */

import { argumentError, messageOf } from '../../host/errors.ts';
import { loadCases } from '../compare/cases.ts';
import { watchRun } from '../compare/environment.ts';
import { RunFolder } from '../compare/folder.ts';
import { root } from '../measurement/root.ts';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkSource } from '../../hardware/meter/sources.ts';
import { energyOfSteps } from '../load/energy.ts';
import { PowerBeside } from '../load/recording.ts';
import { measureDensity, type Density } from '../load/density.ts';
import { findKnee } from '../load/knee.ts';
import type { LoadResult, Sweep } from '../load/result.ts';
import { drawLoad, loadTables, toMarkdown } from '../load/report.ts';
import { ANSWERED_SHARE, LOAD_TARGETS, openServer, runStep, type LoadStep, type LoadTarget } from '../load/step.ts';

/** What `bench load` was called with; `seconds` is the length of each step. */
export interface LoadFlags {
  readonly out?: string;
  readonly targets?: readonly string[];
  readonly function: string;
  readonly seconds: number;
  readonly density: boolean;
  /** What is recorded beside it, as nebula meter list names it. */
  readonly source?: string;
  /** How long nothing is sent before the first target and after each where power is recorded, in seconds. */
  readonly guardS: number;
}

type Print = (text: string) => void;

/** Rates that every machine sustains, from which the sweeps start. */
const START_PER_SECOND: Readonly<Record<LoadTarget, number>> = {
  'wasm-restored': 125,
  'container-warm': 8,
  'container-cold': 1,
};
const MAX_PER_SECOND = 64_000;
const REFINEMENTS = 3;
const TRIES = 3;
/** A rate is sustained while its median and its p99 stay below this many times the lowest median of the steps before. */
const P50_OVER_LOWEST_MEDIAN = 2;
const P99_OVER_LOWEST_MEDIAN = 20;

/** When a rate counts as sustained. */
const CRITERION: string = `A rate is sustained when ${ANSWERED_SHARE * 100} % of its requests are answered rightly, the median latency is at most ${P50_OVER_LOWEST_MEDIAN} times the lowest median of the steps before it and the p99 at most ${P99_OVER_LOWEST_MEDIAN} times that median. It counts as not sustained when it fails ${TRIES} times in a row; every try is kept.`;
/** Calls before the first step, one after the other: what runs for the first time is not a matter of load. */
const WARM_UPS: Readonly<Record<LoadTarget, number>> = {
  'wasm-restored': 500,
  'container-warm': 50,
  'container-cold': 3,
};

/** Resolves to whether all was measured that was asked for; Ctrl-C keeps what there is. */
export async function runLoad(flags: LoadFlags, print: Print): Promise<boolean> {
  const interruption = new AbortController();
  const onInterrupt = (): void => {
    print('\ninterrupted: the step under way is finished, and what was measured is kept');
    interruption.abort();
  };
  process.once('SIGINT', onInterrupt);
  try {
    return await measure(flags, interruption.signal, print);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

async function measure(flags: LoadFlags, signal: AbortSignal, print: Print): Promise<boolean> {
  const unknown = flags.targets?.find((name) => !(LOAD_TARGETS as readonly string[]).includes(name));
  if (unknown !== undefined) throw argumentError('--targets', LOAD_TARGETS.join(', '), unknown);
  if (flags.source !== undefined) checkSource(flags.source);
  const folder = await RunFolder.create(flags.out ?? `nebula-load-${new Date().toISOString().replace(/[:.]/g, '-')}`);
  const finish = await watchRun(`nebula bench load --function ${flags.function} --seconds ${flags.seconds}`);
  const sweeps: Sweep[] = [];
  const densities: Density[] = [];
  const missing: string[] = [];
  const power = flags.source === undefined ? undefined : await PowerBeside.start(flags.source, folder.path);
  print(CRITERION);
  await power?.guard(flags.guardS, signal);
  for (const target of LOAD_TARGETS.filter((each) => flags.targets?.includes(each) ?? true)) {
    if (signal.aborted) break;
    try {
      sweeps.push(await sweep(target, flags, signal, print));
      await power?.guard(flags.guardS, signal);
      if (flags.density && !signal.aborted) densities.push(await measureDensity(target));
    } catch (error) {
      missing.push(`${target}: ${messageOf(error)}`);
      print(`without ${target}: ${messageOf(error)}`);
    }
  }
  const stopped = signal.aborted ? 'interrupted by the user' : null;
  const energy = power === undefined ? {} : await energiesOf(power, sweeps, missing);
  const counted = { function: flags.function, criterion: CRITERION, sweeps, densities, ...energy };
  const result: LoadResult = { ...counted, missing, stopped };
  const environment = finish({ targets: [], missing: [], blocks: [], stopped });
  await folder.writeJson('environment.json', environment);
  await folder.writeJson('load.json', result);
  await folder.writeText('load.md', toMarkdown(result, environment));
  if (sweeps.length > 0) await folder.writeText('figures/load.svg', `${drawLoad(result).svg}\n`);
  print(loadTables(result).join('\n\n'));
  print(`load: ${join(folder.path, 'load.md')}`);
  return stopped === null && (power === undefined || result.energy !== undefined);
}

/** What was measured without the power stays, whatever became of its recording. */
async function energiesOf(
  power: PowerBeside,
  sweeps: readonly Sweep[],
  missing: string[],
): Promise<Pick<LoadResult, 'energy'>> {
  try {
    const steps = sweeps.flatMap((each) => each.steps);
    return { energy: energyOfSteps(await power.stop(), steps) };
  } catch (error) {
    missing.push(`energy: ${messageOf(error)}`);
    return {};
  }
}

async function sweep(target: LoadTarget, flags: LoadFlags, signal: AbortSignal, print: Print): Promise<Sweep> {
  const [test] = await loadCases([flags.function], ['small']);
  if (test === undefined) throw new Error(`function "${flags.function}" has no small input`);
  const expected = await expectedText(flags.function);
  const server = await openServer(target, flags.function, test.bytes, expected);
  const steps: LoadStep[] = [];
  let lowestMedianUs = Number.POSITIVE_INFINITY;
  const probe = async (ratePerSecond: number): Promise<boolean> => {
    const limits = {
      p50LimitUs: lowestMedianUs * P50_OVER_LOWEST_MEDIAN,
      p99LimitUs: lowestMedianUs * P99_OVER_LOWEST_MEDIAN,
    };
    const step = await runStep(server, { target, ratePerSecond, seconds: flags.seconds, ...limits });
    if (step.p50Us > 0) lowestMedianUs = Math.min(lowestMedianUs, step.p50Us);
    steps.push(step);
    const verdict = step.sustained ? 'sustained' : 'not sustained';
    print(`${target} at ${ratePerSecond.toFixed(1)}/s: p50 ${step.p50Us} us, p99 ${step.p99Us} us, ${verdict}`);
    return step.sustained;
  };
  try {
    for (let call = 0; call < WARM_UPS[target]; call++) await server.send();
    const startPerSecond = START_PER_SECOND[target];
    const knee = await findKnee(probe, {
      startPerSecond,
      maxPerSecond: MAX_PER_SECOND,
      refinements: REFINEMENTS,
      tries: TRIES,
      signal,
    });
    return { target, knee, steps };
  } finally {
    await server.close();
  }
}

async function expectedText(functionName: string): Promise<string> {
  const cases = JSON.parse(await readFile(join(root, 'functions', functionName, 'cases.json'), 'utf8')) as readonly {
    readonly name: string;
    readonly expected?: string;
  }[];
  const expected = cases.find((each) => each.name === 'small')?.expected;
  if (expected === undefined) throw new Error(`function "${functionName}" has no expected text for its small input`);
  return expected;
}
