/** `bench compare`, `bench quick` and `bench analyse`: a run into a folder, and everything that follows from its rows. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { analyse } from '../compare/analysis.ts';
import { loadCases } from '../compare/cases.ts';
import { watchRun, type RunEnvironment } from '../compare/environment.ts';
import { RunFolder } from '../compare/folder.ts';
import { FULL_PLAN, planOf, type Plan } from '../compare/plan.ts';
import { createProgress } from '../compare/progress.ts';
import { Samples } from '../compare/samples.ts';
import { compareWithThesis } from '../thesis/comparison.ts';
import { RowWriter, readRows, toCsv } from '../compare/rows.ts';
import { cellsOf } from '../compare/cells.ts';
import { runPlan, type Beside } from '../compare/runner.ts';
import { concludeEnergy, type ConcludedAnalysis } from '../energy/conclusion.ts';
import { openTargets } from '../compare/targets/registry.ts';
import { writeReport } from '../report/report.ts';

type Print = (text: string) => void;

/** What a comparison is run with. */
export interface CompareOptions {
  /** Folder for the run; default: `nebula-compare-` and the time. */
  readonly out?: string;
  /** A plan as JSON; its fields take the place of the base plan's. */
  readonly plan?: string;
  /** What flags say, in place of both. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly base?: Plan;
  /** A comparison with something beside it: what kind, its instruments as flags, how it reads a plan, and what it opens. */
  readonly kind?: string;
  readonly instruments?: string;
  readonly toPlan?: (given: Readonly<Record<string, unknown>>) => Plan;
  readonly beside?: (plan: Plan, folder: RunFolder, signal: AbortSignal) => Promise<Beside>;
}

/** A run that was analysed. */
export interface ComparedRun {
  readonly path: string;
  readonly analysis: ConcludedAnalysis;
}

/** Measures, analyses, reports. */
export async function compare(options: CompareOptions, print: Print): Promise<ComparedRun> {
  const file = options.plan === undefined ? {} : (JSON.parse(await readFile(options.plan, 'utf8')) as object);
  const toPlan = options.toPlan ?? ((given) => planOf(options.base ?? FULL_PLAN, given));
  const plan = toPlan({ ...file, ...options.given });
  const run = `nebula-${options.kind ?? 'compare'}-${new Date().toISOString().replace(/[:.]/g, '-')}`;
  const folder = await RunFolder.create(options.out ?? run);
  await folder.writeJson('plan.json', plan);
  print(`seed ${plan.seed}, ${plan.blocks} blocks, into ${folder.path}`);
  const environment = await measure({ plan, run, folder, options }, print);
  await folder.writeJson('environment.json', environment);
  return { path: folder.path, analysis: await conclude(folder, print) };
}

interface Measurement {
  readonly plan: Plan;
  readonly run: string;
  readonly folder: RunFolder;
  readonly options: CompareOptions;
}

async function measure({ plan, run, folder, options }: Measurement, print: Print): Promise<RunEnvironment> {
  const { kind = 'compare', instruments = '' } = options;
  const cases = await loadCases(plan.functions, plan.inputs);
  const finish = await watchRun(`nebula bench ${kind} --plan ${join(folder.path, 'plan.json')}${instruments}`);
  const opened = await openTargets(plan, cases);
  const writer = new RowWriter(folder.rowsPath);
  const interruption = new AbortController();
  // A second Ctrl-C finds no listener of ours, and ends the process.
  const onInterrupt = (): void => {
    print('\ninterrupted: what was measured is kept and analysed');
    interruption.abort();
  };
  process.once('SIGINT', onInterrupt);
  let beside: Beside | undefined;
  try {
    for (const { target, reason } of opened.missing) print(`without ${target}: ${reason}`);
    if (opened.targets.length === 0)
      throw new Error('Cannot compare: none of the targets is to be had on this machine');
    const cells = cellsOf(opened.targets, cases, plan.only);
    const progress = createProgress(process.stderr);
    const { signal } = interruption;
    beside = await options.beside?.(plan, folder, signal);
    const more = beside === undefined ? {} : { companion: beside.companion };
    const result = await runPlan({ run, plan, cells, sink: writer, progress, signal, ...more });
    return finish({ targets: opened.targets, missing: opened.missing, ...result });
  } finally {
    process.off('SIGINT', onInterrupt);
    await writer.close();
    await beside?.finish();
    await opened.close();
  }
}

/** Redoes everything after the rows. @throws Error when the folder holds no run */
export async function analyseFolder(path: string, print: Print): Promise<boolean> {
  const { analysis } = await concludeFolder(path, print);
  return analysis.stopped === null;
}

/** The same, with what it came to. */
export async function concludeFolder(path: string, print: Print): Promise<ComparedRun> {
  return { path, analysis: await conclude(await RunFolder.open(path), print) };
}

async function conclude(folder: RunFolder, print: Print): Promise<ConcludedAnalysis> {
  const plan = await folder.readJson<Plan>('plan.json');
  const environment = await folder.readJson<RunEnvironment>('environment.json');
  const rows = await readRows(folder.rowsPath);
  const compared = analyse({ plan, environment, rows });
  const energy = await concludeEnergy(folder, { plan, rows, run: compared.run, reference: compared.reference });
  const analysis = energy === undefined ? compared : { ...compared, energy: energy.analysis };
  const thesis = plan.study === 'thesis' ? compareWithThesis(new Samples(rows, plan), energy?.analysis) : undefined;
  await folder.writeJson('analysis.json', thesis === undefined ? analysis : { ...analysis, thesis });
  await folder.writeText('rows.csv', toCsv(rows));
  const markdown = await writeReport(folder, { plan, environment, rows, analysis, energy: energy?.run, thesis });
  print(markdown.headline);
  print(`report: ${join(folder.path, 'report.html')}`);
  return analysis;
}
