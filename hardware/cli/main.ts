#!/usr/bin/env node
/** `nebula meter`; run as it is on a board that has this folder and nothing else of Nebula. */

import { EXIT_USAGE, USAGE, UsageError, report } from './command.ts';

const COMMANDS: Readonly<Record<string, () => Promise<(given: readonly string[]) => Promise<void>>>> = {
  list: async () => (await import('./list.ts')).list,
  probe: async () => (await import('./probe.ts')).probe,
  record: async () => (await import('./record.ts')).record,
};

const [name, ...given] = process.argv.slice(2);

if (name === undefined || name === 'help' || [name, ...given].some((each) => each === '--help' || each === '-h')) {
  (name === undefined ? process.stderr : process.stdout).write(USAGE);
  if (name === undefined) process.exitCode = EXIT_USAGE;
} else {
  try {
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (load === undefined) throw new UsageError(`Expected list, probe or record, got "${name}"`);
    await (await load())(given);
  } catch (error) {
    process.exitCode = report(error, given.includes('--json'));
  }
}
