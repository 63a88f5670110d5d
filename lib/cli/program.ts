/** The commands and their options. What a command does is loaded when it is used, because loading takes longer than a run. */

import { createRequire } from 'node:module';
import { Command, InvalidArgumentError, Option } from 'commander';
import { TEMPLATES } from '../build/template-names.ts';
import { EXIT_USAGE, reportFailure } from './failure.ts';
import {
  DEFAULT_PORT,
  LOG_KINDS,
  collect,
  collectLimit,
  collectLogKinds,
  collectMount,
  collectVariable,
  integerFrom,
  sinceTime,
} from './options.ts';

// Compiled to dist/lib/cli.
const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string };

const DEFAULT_URL = `http://127.0.0.1:${DEFAULT_PORT}`;
const TIMEOUT_MAX_MS = 2 ** 31 - 1;
const SNAPSHOT_OPTION = 'what "nebula snapshot" wrote of it, in place of its initialisation';

/** The whole command line; parsing it runs the command. */
export function createProgram(): Command {
  const program = new Command('nebula')
    .description('Runs functions compiled to WebAssembly, each call in a fresh state.')
    .version(version)
    .exitOverride()
    // What follows `bench` or `meter` belongs to it, its options and --help included.
    .enablePositionalOptions()
    .showHelpAfterError('(see nebula --help)')
    .addHelpText('after', `\nExit codes: the guest's own; 1 trap, timeout or limit; ${EXIT_USAGE} usage; 3 Nebula.`);
  addServe(program);
  addInvoke(program);
  addInspect(program);
  addPrepare(program);
  addTypes(program);
  addNew(program);
  addBuild(program);
  addDev(program);
  addSnapshot(program);
  addDeploy(program);
  addManagement(program);
  addHandedOn(program, 'bench', 'measure and compare, in a clone of the source (see nebula bench --help)');
  addHandedOn(program, 'meter', 'list, probe and record power sources (see nebula meter --help)');
  return program;
}

type Handler<O> = (options: O, ...operands: string[]) => Promise<void>;

/** Runs a command's handler, and says what went wrong before the error goes on to set the exit code. */
function act<O>(command: Command, load: () => Promise<Handler<O>>): void {
  command.option('--json', 'print JSON').action(async (...given: unknown[]) => {
    const operands = given
      .slice(0, -2)
      .flat()
      .filter((each) => each !== undefined) as string[];
    const options = given.at(-2) as O;
    try {
      const handler = await load();
      await handler(options, ...operands);
    } catch (error) {
      reportFailure(error, (options as { json?: boolean }).json === true);
      throw error;
    }
  });
}

function tokenOption(description: string): Option {
  // An empty token would let everybody in.
  return new Option('--token <token>', description).env('NEBULA_TOKEN').argParser((text: string) => {
    if (text === '') throw new InvalidArgumentError('Expected a text that is not empty.');
    return text;
  });
}

function withServer(command: Command): Command {
  return command.option('--url <url>', 'the server', DEFAULT_URL).addOption(tokenOption('its bearer token'));
}

function withFunctionOptions(command: Command): Command {
  return command
    .option('--arg <text>', 'an argument of the guest (repeatable)', collect)
    .option('--env <name=value>', 'a variable of the guest (repeatable)', collectVariable)
    .option('--mount <guest=machine[:rw]>', 'a directory the guest sees (repeatable)', collectMount)
    .option('--timeout-ms <ms>', 'deadline; 0 for none', integerFrom(0, TIMEOUT_MAX_MS))
    .option('--memory-mib <mib>', 'most memory the guest may have', integerFrom(1, 4096));
}

function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('serve functions over HTTP until SIGTERM or SIGINT')
    .option('--port <port>', 'default: PORT, or 7070', integerFrom(0, 65_535))
    .option('--host <address>', 'address to bind to', '127.0.0.1')
    .addOption(tokenOption('bearer token of the management routes'))
    .option('--allow-host <name>', 'another host name under which functions may be managed (repeatable)', collect)
    .option('--store <dir>', 'directory in which deployed functions persist')
    .option('--functions <dirs...>', 'deploy every folder in them that has a nebula.json')
    .option('--watch', 'redeploy a function of --functions whose module or manifest changes')
    .option('--threads <n>', "worker threads; default: the machine's cores", integerFrom(1, 1024))
    .option('--most-threads <n>', 'worker threads while the guests of all wait; default: as many', integerFrom(1, 1024))
    .option('--limit <name=value>', 'default of a limit, such as moduleBytes=134217728 (repeatable)', collectLimit)
    .option('--log <kinds>', `what is logged to stderr, out of ${LOG_KINDS.join(', ')}; or none`, collectLogKinds)
    .option('--audit', 'compare every micro-VM with its snapshot before each run');
  act(command, async () => (await import('./serve.ts')).serve);
}

function addInvoke(program: Command): void {
  const command = program
    .command('invoke')
    .description("run a function once; stdin and stdout are the guest's")
    .argument('<file-or-name>', 'a module, manifest or folder to run here; or the name of a function on the server')
    .argument('[arguments...]', 'arguments of the guest; after -- they may begin with a dash')
    .option('--manifest <file>', 'manifest of the module')
    .option('--snapshot <file>', SNAPSHOT_OPTION)
    .option('--audit', 'compare the micro-VM with its snapshot before the run');
  act(withServer(withFunctionOptions(command)), async () => (await import('./invoke.ts')).invoke);
}

function addInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('show what a module is and needs, without running it')
    .argument('<file>', 'a module, a manifest, or a folder that has one')
    .option('--memory-mib <mib>', 'most memory the guest may have', integerFrom(1, 4096));
  act(command, async () => (await import('./inspect.ts')).inspect);
}

function addPrepare(program: Command): void {
  const command = program
    .command('prepare')
    .description('transpile a component once, into a folder that deploys without the transpiler')
    .argument('<file>', 'a component, a manifest, or a folder that has one')
    .requiredOption('-o, --out <dir>', 'the folder to write');
  act(command, async () => (await import('./prepare.ts')).prepare);
}

function addTypes(program: Command): void {
  const command = program
    .command('types')
    .description("write TypeScript declarations of a component's exports, for calls by name")
    .argument('<file>', 'a component, a manifest, or a folder that has one')
    .requiredOption('-o, --out <dir>', 'the folder to write; import `Calls` of its calls.d.ts');
  act(command, async () => (await import('./types.ts')).types);
}

function addNew(program: Command): void {
  const command = program
    .command('new')
    .description('make a folder with a first function in it')
    .argument('<name>', 'the folder, and the name of the function')
    .addOption(new Option('-t, --template <template>', 'the language').choices(TEMPLATES).makeOptionMandatory());
  act(command, async () => (await import('./new.ts')).makeNew);
}

function addBuild(program: Command): void {
  const command = program
    .command('build')
    .description('build the function in a folder: a Cargo package, JavaScript or TypeScript, C, or a Python script')
    .argument('[folder]', 'default: this one');
  act(command, async () => (await import('./build.ts')).build);
}

function addDev(program: Command): void {
  const command = program
    .command('dev')
    .description('build, deploy, serve and watch the functions in folders, and show what they print, until Ctrl-C')
    .argument('[folders...]', 'functions, or folders that hold some; default: this one')
    .option('--port <port>', 'default: PORT, or 7070', integerFrom(0, 65_535))
    .option('--threads <n>', "worker threads; default: the machine's cores", integerFrom(1, 1024));
  act(command, async () => (await import('./dev.ts')).dev);
}

function addSnapshot(program: Command): void {
  const command = program
    .command('snapshot')
    .description("run a function's initialisation once and write the state it left; deploy and invoke take it")
    .argument('<file>', 'a module, a manifest, or a folder that has one')
    .requiredOption('-o, --out <file>', 'the snapshot to write')
    .option('--manifest <file>', 'manifest of the module, whose init is run')
    .option('--memory-mib <mib>', 'most memory the guest may have', integerFrom(1, 4096));
  act(command, async () => (await import('./snapshot.ts')).snapshot);
}

function addDeploy(program: Command): void {
  const command = program
    .command('deploy')
    .description('deploy a function, or a new version of one, to the server')
    .argument('<file>', 'a module, a manifest, or a folder that has one')
    .option('--name <name>', "the function's name; default: its manifest's or file's")
    .option('--snapshot <file>', SNAPSHOT_OPTION);
  act(withServer(withFunctionOptions(command)), async () => (await import('./remote.ts')).deploy);
}

function addManagement(program: Command): void {
  const list = program.command('list').description('list the functions of the server');
  act(withServer(list), async () => (await import('./remote.ts')).list);
  const remove = program.command('remove').description('remove a function from the server').argument('<name>');
  act(withServer(remove), async () => (await import('./remote.ts')).remove);
  const logs = program
    .command('logs')
    .description('what happened to functions, and what their guests wrote to stderr')
    .argument('[name]', 'a function; without it, all of them')
    .option('--follow', 'go on with each record as it comes')
    .option('--since <time>', 'only from then on: ISO 8601, or such as 30s, 10m, 2h, 1d', sinceTime);
  act(withServer(logs), async () => (await import('./logs.ts')).logs);
  const rollback = program.command('rollback').description('return to the version before').argument('<name>');
  act(withServer(rollback), async () => (await import('./remote.ts')).rollback);
}

/** A command that another program carries out, its options and --help included. */
function addHandedOn(program: Command, name: 'bench' | 'meter', description: string): void {
  program
    .command(name)
    .description(description)
    .argument('[arguments...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (given: string[]) => {
      try {
        const { runProgram } = await import('./run-program.ts');
        await runProgram(name, given);
      } catch (error) {
        reportFailure(error, false);
        throw error;
      }
    });
}
