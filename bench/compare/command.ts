/** `bench compare`, `bench quick` and `bench analyse`: a run into a folder, and everything that follows from its rows. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { analyse, type Analysis } from './analysis.ts';
import { loadCases } from './cases.ts';
import { watchRun, type RunEnvironment } from './environment.ts';
import { RunFolder } from './folder.ts';
import { FULL_PLAN, planOf, type Plan } from './plan.ts';
import { createProgress } from './progress.ts';
import { RowWriter, readRows, toCsv } from './rows.ts';
import { cellsOf, runPlan } from './runner.ts';
import { openTargets } from './targets/registry.ts';
import { writeReport } from './report/report.ts';

type Print = (text: string) => void;

export interface CompareOptions {
  /** Folder for the run; default: `nebula-compare-` and the time. */
  readonly out?: string;
  /** A plan as JSON; its fields take the place of the base plan's. */
  readonly plan?: string;
  /** What flags say, in place of both. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly base?: Plan;
}

/** Measures, analyses, reports. Resolves to whether the run is valid and whole. */
export async function compare(options: CompareOptions, print: Print): Promise<boolean> {
  const file = options.plan === undefined ? {} : (JSON.parse(await readFile(options.plan, 'utf8')) as object);
  const plan = planOf(options.base ?? FULL_PLAN, { ...file, ...options.given });
  const run = `nebula-compare-${new Date().toISOString().replace(/[:.]/g, '-')}`;
  const folder = await RunFolder.create(options.out ?? run);
  await folder.writeJson('plan.json', plan);
  print(`seed ${plan.seed}, ${plan.blocks} blocks, into ${folder.path}`);
  const environment = await measure(plan, run, folder, print);
  await folder.writeJson('environment.json', environment);
  const analysis = await conclude(folder, print);
  return analysis.stopped === null;
}

async function measure(plan: Plan, run: string, folder: RunFolder, print: Print): Promise<RunEnvironment> {
  const cases = await loadCases(plan.functions, plan.inputs);
  const finish = await watchRun(`nebula bench compare --plan ${join(folder.path, 'plan.json')}`);
  const opened = await openTargets(plan, cases);
  const writer = new RowWriter(folder.rowsPath);
  const interruption = new AbortController();
  // A second Ctrl-C finds no listener of ours, and ends the process.
  const onInterrupt = (): void => {
    print('\ninterrupted: what was measured is kept and analysed');
    interruption.abort();
  };
  process.once('SIGINT', onInterrupt);
  try {
    for (const { target, reason } of opened.missing) print(`without ${target}: ${reason}`);
    if (opened.targets.length === 0)
      throw new Error('Cannot compare: none of the targets is to be had on this machine');
    const cells = cellsOf(opened.targets, cases, plan.only);
    const progress = createProgress(process.stderr);
    const result = await runPlan({ run, plan, cells, sink: writer, progress, signal: interruption.signal });
    return finish({ targets: opened.targets, missing: opened.missing, ...result });
  } finally {
    process.off('SIGINT', onInterrupt);
    await writer.close();
    await opened.close();
  }
}

/** Redoes everything after the rows. @throws Error when the folder holds no run */
export async function analyseFolder(path: string, print: Print): Promise<boolean> {
  const analysis = await conclude(await RunFolder.open(path), print);
  return analysis.stopped === null;
}

async function conclude(folder: RunFolder, print: Print): Promise<Analysis> {
  const plan = await folder.readJson<Plan>('plan.json');
  const environment = await folder.readJson<RunEnvironment>('environment.json');
  const rows = await readRows(folder.rowsPath);
  const analysis = analyse({ plan, environment, rows });
  await folder.writeJson('analysis.json', analysis);
  await folder.writeText('rows.csv', toCsv(rows));
  const markdown = await writeReport(folder, { plan, environment, rows, analysis });
  print(markdown.headline);
  print(`report: ${join(folder.path, 'report.html')}`);
  return analysis;
}
