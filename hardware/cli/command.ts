/** What the commands of `nebula meter` share: their arguments, how they end, how they are stopped. */

import { parseArgs, type ParseArgsConfig } from 'node:util';
import { HardwareError, detailOf } from '../instrument/errors.ts';
import type { SourceProperties } from '../meter/power-source.ts';

/** What `nebula meter --help` prints. */
export const USAGE = `Usage: nebula meter <command>

  list                                what can measure power and mark here, and why the rest cannot
  probe <source> [--seconds <s>]      what a source can resolve: refresh, staleness, steps, noise; default 30 s
  record <source> --out <file.csv> [--seconds <s>]
                                      record until Ctrl-C, or for a time; a sidecar <file.csv>.json goes beside it

  --json                              print JSON, on each of them

A source is one text, as hwmon, rapl, pmic, ppk2:/dev/ttyACM0?vdd=5, mqtt://broker/topic?format=shelly; "list" has all.
Exit codes: 0; 2 usage; 3 it could not be done.
`;

/** A mistake in the command. */
export class UsageError extends Error {}

/** Exit code of a command that was called wrongly. */
export const EXIT_USAGE = 2;
/** Exit code of a command that could not do what was asked. */
const EXIT_FAILED = 3;
const EXIT_INTERRUPTED = 130;

/** Options of a command by name. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** Operands and flags of a command. @throws UsageError */
export function argumentsOf(
  given: readonly string[],
  options: NonNullable<ParseArgsConfig['options']>,
  operands: number,
): { readonly operands: readonly string[]; readonly flags: Flags } {
  let parsed: { values: Flags; positionals: string[] };
  try {
    const config = { args: [...given], options: { json: { type: 'boolean' }, ...options }, allowPositionals: true };
    parsed = parseArgs(config as ParseArgsConfig) as typeof parsed;
  } catch (error) {
    throw new UsageError(detailOf(error));
  }
  if (parsed.positionals.length !== operands) {
    throw new UsageError(`Expected ${operands} operands, got ${parsed.positionals.length}`);
  }
  return { operands: parsed.positionals, flags: parsed.values };
}

/** A flag in seconds; undefined when it was not given. @throws UsageError */
export function secondsOf(flags: Flags): number | undefined {
  const text = flags['seconds'];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (String(text).trim() !== '' && seconds > 0 && seconds <= 31_536_000) return seconds;
  throw new UsageError(`Expected --seconds above 0 and at most a year, got "${String(text)}"`);
}

/** Aborts after a time, and on the first SIGINT or SIGTERM; one that comes later ends the process at once. */
export function stopSignal(seconds: number | undefined): {
  readonly signal: AbortSignal;
  readonly release: () => void;
} {
  const stop = new AbortController();
  let stoppedMs: number | undefined;
  const abort = (): void => {
    // npm passes on the Ctrl-C that the terminal has already sent: one that comes at once is the same one.
    if (stoppedMs !== undefined && Date.now() - stoppedMs > 1000) process.exit(EXIT_INTERRUPTED);
    stoppedMs ??= Date.now();
    stop.abort();
  };
  const release = (): void => {
    clearTimeout(timer);
    process.off('SIGINT', abort);
    process.off('SIGTERM', abort);
  };
  const timer = seconds === undefined ? undefined : setTimeout(abort, seconds * 1e3);
  process.on('SIGINT', abort);
  process.on('SIGTERM', abort);
  return { signal: stop.signal, release };
}

/** Says on stderr what went wrong and gives the exit code. */
export function report(error: unknown, json: boolean): number {
  const isUsage = error instanceof UsageError || (error instanceof HardwareError && error.key === 'ARGUMENT');
  if (json) {
    const { code, fields } = error instanceof HardwareError ? error : { code: undefined, fields: undefined };
    process.stderr.write(`${JSON.stringify({ error: { code, message: detailOf(error), fields } })}\n`);
  } else {
    const hint = error instanceof UsageError ? ' (see nebula meter --help)' : '';
    process.stderr.write(`nebula meter: ${detailOf(error)}${hint}\n`);
  }
  return isUsage ? EXIT_USAGE : EXIT_FAILED;
}

/** Prints a value as JSON to stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Says on stderr what whoever uses a source has to know of it. */
export function tellAdvice({ name, advice }: SourceProperties): void {
  if (advice !== undefined) process.stderr.write(`${name}: ${advice}\n`);
}

const RED = '\u001B[31m';
const PLAIN = '\u001B[0m';

/** The line that no reader of synthetic figures may miss, in red on a terminal. */
export function syntheticStamp(): string {
  const text = 'SYNTHETIC: nothing was measured.';
  return process.stdout.isTTY ? `${RED}${text}${PLAIN}\n` : `${text}\n`;
}
