/** `npm run bench -- <run> [--json FILE] [--blocks N] [--seed N]`: measures, compares, exits 1 when a bar is missed. */

import { Command, InvalidArgumentError, Option } from 'commander';
import { watchEnvironment } from './environment.ts';
import { printResult, writeResult, type Findings, type Result } from './result.ts';
import type { RunOptions } from './runs/options.ts';

type Run = (options: RunOptions) => Promise<Findings>;

const RUNS: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Run> }>> = {
  start: { about: 'one call in a fresh state', load: async () => (await import('./runs/start.ts')).runStart },
  restore: { about: 'a used state put back', load: async () => (await import('./runs/restore.ts')).runRestore },
  pool: { about: 'calls through the worker pool', load: async () => (await import('./runs/pool.ts')).runPool },
  http: { about: 'calls over HTTP', load: async () => (await import('./runs/http.ts')).runHttp },
  density: {
    about: 'memory of many functions and many calls',
    load: async () => (await import('./runs/density.ts')).runDensity,
  },
};

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a positive integer');
  return value;
}

async function main(): Promise<void> {
  const program = new Command('bench').description('Measures Nebula beside its peers, in one run on one machine.');
  for (const [name, { about, load }] of Object.entries(RUNS)) {
    program
      .command(name)
      .description(about)
      .addOption(new Option('--json <file>', 'write the result there, and the raw samples beside it'))
      .addOption(new Option('--blocks <count>', 'blocks of samples').argParser(positive).default(30))
      .addOption(new Option('--seed <number>', 'seed of the order').argParser(positive).default(1))
      .action(async (options: RunOptions & { json?: string }) => execute(name, await load(), options));
  }
  await program.parseAsync();
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function execute(name: string, run: Run, options: RunOptions & { json?: string }): Promise<void> {
  const finish = watchEnvironment(`npm run bench -- ${name} --blocks ${options.blocks} --seed ${options.seed}`);
  const { rows, comparisons, series, missing } = await run(options);
  const result: Result = { environment: finish(), rows, comparisons };
  printResult(result, missing, print);
  if (options.json !== undefined) print(`raw samples: ${await writeResult(options.json, result, series)}`);
  if (comparisons.some(({ met }) => met === false)) process.exitCode = 1;
}

await main();
