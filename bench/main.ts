/**
 * `npm run bench -- <run> [--json FILE] [--blocks N] [--seed N]`: measures, compares, exits 1 when a bar is missed.
 * `npm run bench -- compare|quick|analyse|load`: the comparison with containers; exits 1 when its run is void or was cut short.
 * `npm run bench -- energy|import`: the same beside a recording of power; exits 1 when its energies may not be used.
 */

import { Command, InvalidArgumentError, Option } from 'commander';
import { messageOf } from '../host/errors.ts';
import { startTicker } from './measurement/ticker.ts';
import { watchEnvironment } from './measurement/environment.ts';
import { printResult, writeResult, type Findings, type Result } from './measurement/result.ts';
import type { Plan } from './compare/plan.ts';
import type { ImportFlags } from './commands/energy.ts';
import type { LoadFlags } from './commands/load.ts';
import type { RunOptions } from './runs/options.ts';

type Run = (options: RunOptions) => Promise<Findings>;

const RUNS: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Run> }>> = {
  start: { about: 'one call in a fresh state', load: async () => (await import('./runs/start.ts')).runStart },
  restore: { about: 'a used state put back', load: async () => (await import('./runs/restore.ts')).runRestore },
  pool: { about: 'calls through the worker pool', load: async () => (await import('./runs/pool.ts')).runPool },
  http: { about: 'calls over HTTP', load: async () => (await import('./runs/http.ts')).runHttp },
  components: {
    about: 'components in a fresh state, and over HTTP beside jco serve',
    load: async () => (await import('./runs/components.ts')).runComponents,
  },
  waits: {
    about: 'functions that wait for an upstream, beside other proxies',
    load: async () => (await import('./runs/waits.ts')).runWaits,
  },
  density: {
    about: 'memory of many functions and many calls',
    load: async () => (await import('./runs/density.ts')).runDensity,
  },
  markers: {
    about: 'what it costs a call to be marked',
    load: async () => (await import('./runs/markers.ts')).runMarkers,
  },
  budget: {
    about: 'what counting units costs compute functions, in both tiers of V8',
    load: async () => (await import('./runs/budget.ts')).runBudget,
  },
  bindings: {
    about: 'calls of the embedder by guests, beside two threads that pass a cell to and fro, and Extism',
    load: async () => (await import('./runs/bindings.ts')).runBindings,
  },
  deadlines: {
    about: 'how late a guest is stopped that never ends, and how many threads that costs',
    load: async () => (await import('./runs/deadlines.ts')).runDeadlines,
  },
  deploys: {
    about: 'calls of others while a module or a component is deployed that takes long to compile',
    load: async () => (await import('./runs/deploys.ts')).runDeploys,
  },
  phases: {
    about: 'what each part costs, and in which tier calls run',
    load: async () => (await import('./runs/phases.ts')).runPhases,
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
      .action(async (options: RunOptions & { json?: string }) => {
        const stop = startTicker(`bench ${name} measures ${about}`);
        try {
          await execute(name, await load(), options);
        } finally {
          await stop();
        }
      });
  }
  addComparison(program);
  addEnergy(program);
  addLoad(program);
  await program.parseAsync();
}

function names(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}

/** Flags that say the same as a field of a plan. */
function withPlan(command: Command): Command {
  return command
    .addOption(new Option('--out <dir>', 'folder of the run; default: a new one here'))
    .addOption(new Option('--functions <names>', 'functions, with commas between them').argParser(names))
    .addOption(new Option('--inputs <names>', 'small, medium, large, or other cases of the functions').argParser(names))
    .addOption(new Option('--targets <names>', 'ways to run a function (docs/method.md)').argParser(names))
    .addOption(new Option('--blocks <count>', 'blocks').argParser(positive))
    .addOption(new Option('--minutes <count>', 'begin no block that would not end within them').argParser(positive))
    .addOption(new Option('--repeats <count>', "calls of a cell's turn").argParser(positive))
    .addOption(new Option('--cold-repeats <count>', 'the same where each call has a container').argParser(positive))
    .addOption(new Option('--seed <number>', 'seed of the order').argParser(positive));
}

function addComparison(program: Command): void {
  const compare = program.command('compare').description('functions x inputs x targets: micro-VMs beside containers');
  withPlan(compare)
    .addOption(new Option('--plan <file>', 'a plan as JSON, such as the plan.json of a run'))
    .action(async ({ out, plan, ...given }: PlanFlags) => report(await runComparison({ out, plan, given })));
  withPlan(program.command('quick').description('the whole path of compare in under two minutes')).action(
    async ({ out, ...given }: PlanFlags) => {
      const { QUICK_PLAN } = await import('./compare/plan.ts');
      report(await runComparison({ out, given, base: QUICK_PLAN }));
    },
  );
  addThesis(program);
  program
    .command('analyse')
    .description('analyse and report a run again, without measuring anything')
    .argument('<dir>', 'the folder of the run')
    .action(async (path: string) => {
      const { analyseFolder } = await import('./commands/compare.ts');
      report(await analyseFolder(path, print));
    });
}

function addThesis(program: Command): void {
  program
    .command('thesis')
    .description('the experiment of the thesis that Nebula descends from, beside its published figures')
    .addOption(new Option('--out <dir>', 'folder of the run; default: a new one here'))
    .addOption(new Option('--blocks <count>', 'blocks').argParser(positive))
    .addOption(new Option('--minutes <count>', 'begin no block that would not end within them').argParser(positive))
    .addOption(new Option('--seed <number>', 'seed of the order').argParser(positive))
    .addOption(new Option('--source <source>', 'measure energy, too: as nebula meter list names it'))
    .addOption(new Option('--marker <marker>', 'mark calls for a logger, such as gpio:17'))
    .addOption(new Option('--force', 'keep a result whose gates failed; it stays stamped'))
    .action(async ({ out, source, marker, force, ...given }: EnergyOptions) => {
      const { THESIS_ENERGY_PLAN, THESIS_PLAN } = await import('./thesis/plan.ts');
      if (source === undefined && marker === undefined) {
        report(await runComparison({ out, given, base: THESIS_PLAN }));
        return;
      }
      const { runEnergy } = await import('./commands/energy.ts');
      report(await runEnergy({ out, source, marker, force, base: THESIS_ENERGY_PLAN, given }, print));
    });
}

/** A number in bounds, the least of them left out. */
function bounded(text: string, most: number, what: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= most)) {
    throw new InvalidArgumentError(`expected ${what} above 0, to ${most}`);
  }
  return value;
}

const volts = (text: string): number => bounded(text, 60, 'volts');
const seconds = (text: string): number => bounded(text, 3600, 'seconds');

function amount(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < Infinity))
    throw new InvalidArgumentError('expected a number of at least 0');
  return value;
}

function addEnergy(program: Command): void {
  withPlan(program.command('energy').description('the comparison with marked batches beside a recording of power'))
    .addOption(new Option('--plan <file>', 'a plan as JSON, such as the plan.json of a run'))
    .addOption(new Option('--source <source>', 'what is recorded meanwhile, as nebula meter list names it'))
    .addOption(new Option('--marker <marker>', 'what marks calls for a logger, such as gpio:17').default('none'))
    .addOption(new Option('--guard-s <seconds>', 'idle before, between and after the blocks').argParser(amount))
    .addOption(new Option('--batch-s <seconds>', "length of a cell's batch in a block").argParser(amount))
    .addOption(
      new Option('--probe <file>', 'what nebula meter probe --json found of the source: the worse of both counts'),
    )
    .addOption(new Option('--force', 'keep a result whose gates failed, also with --replay; it stays stamped'))
    .addOption(new Option('--replay <dir>', 'analyse the folder of a run again, nothing is run'))
    .addOption(new Option('--against <dir>', 'folder of an earlier run that --gate holds this one against'))
    .addOption(new Option('--gate <gate>', 'how much more a call may take than there, such as "J/call +5 %"'))
    .addOption(new Option('--grid <grams>', 'CO2e of the grid, in g for each kWh').argParser(amount))
    .addOption(
      new Option('--embodied <grams>', 'CO2e of the machine for each hour of its life, in g').argParser(amount),
    )
    .action(async (options: EnergyOptions) => {
      const { out, plan, source, marker, force, replay, probe, against, gate, grid, embodied, ...given } = options;
      const { runEnergy } = await import('./commands/energy.ts');
      const asked = { probe, against, gate, grid, embodied };
      report(await runEnergy({ out, plan, source, marker, force, replay, ...asked, given }, print));
    });
  program
    .command('import')
    .description('a log that was recorded elsewhere, against the marks of a run or of a service')
    .argument('<log>', "the logger's file")
    .addOption(new Option('--edges <file>', 'edges.ndjson of a run, or its folder').makeOptionMandatory())
    .addOption(new Option('--format <name>', 'format of the log, where it cannot be told (hardware/README.md)'))
    .addOption(new Option('--line <name>', 'digital line of the marker, where several move: D0, GPI0'))
    .addOption(new Option('--vdd <volts>', 'supply voltage, for logs of currents').argParser(volts))
    .addOption(new Option('--interval <seconds>', 'sampling interval, for logs without times').argParser(seconds))
    .addOption(new Option('--channel <name>', 'instrument or channel, for logs with several: JS220-001122, Ch2'))
    .addOption(new Option('--here', 'the logger ran on the machine that marked: its wall clock ties them'))
    .addOption(new Option('--json <file>', 'write the energies of marks without a run there'))
    .action(async (log: string, flags: ImportFlags) => {
      const { importRecording } = await import('./commands/energy.ts');
      report(await importRecording(log, flags, print));
    });
}

interface EnergyOptions extends PlanFlags {
  readonly source?: string;
  readonly marker?: string;
  readonly force?: boolean;
  readonly replay?: string;
  readonly probe?: string;
  readonly against?: string;
  readonly gate?: string;
  readonly grid?: number;
  readonly embodied?: number;
}

interface PlanFlags extends Readonly<Record<string, unknown>> {
  readonly out?: string;
  readonly plan?: string;
}

interface ComparisonRequest {
  readonly out: string | undefined;
  readonly plan?: string | undefined;
  readonly given: Readonly<Record<string, unknown>>;
  readonly base?: Plan;
}

async function runComparison({ out, plan, ...rest }: ComparisonRequest): Promise<boolean> {
  const { compare } = await import('./commands/compare.ts');
  const places = { ...(out === undefined ? {} : { out }), ...(plan === undefined ? {} : { plan }) };
  const { analysis } = await compare({ ...places, ...rest }, print);
  return analysis.stopped === null;
}

function report(valid: boolean): void {
  if (!valid) process.exitCode = 1;
}

function addLoad(program: Command): void {
  program
    .command('load')
    .description('open-loop load at constant rates: latency from the intended start, and where the knee is')
    .addOption(new Option('--out <dir>', 'folder of the run; default: a new one here'))
    .addOption(new Option('--targets <names>', 'of wasm-restored, container-warm, container-cold').argParser(names))
    .addOption(new Option('--function <name>', 'the function that is called').default('fibonacci'))
    .addOption(new Option('--seconds <count>', 'length of each step').argParser(positive).default(5))
    .addOption(new Option('--source <source>', 'power is recorded beside it, as nebula meter list names it'))
    .addOption(
      new Option('--guard-s <seconds>', 'idle before the first target and after each').argParser(seconds).default(10),
    )
    .addOption(new Option('--no-density', 'leave out how many idle functions fit in 1 GiB'))
    .action(async (flags: LoadFlags) => {
      const { runLoad } = await import('./commands/load.ts');
      report(await runLoad(flags, print));
    });
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

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${messageOf(error)}\n`);
  // As the nebula command has it: 2 for what was asked for wrongly, 3 for what could not be done.
  process.exitCode = (error as { code?: unknown }).code === 'ERR_NEBULA_ARGUMENT' ? 2 : 3;
}
