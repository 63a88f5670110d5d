/** Runs random sequences everywhere and compares what was answered. */

import { type Difference, findDifference, PAIRS, type Parting, PARTINGS } from './differences.ts';
import { type Answer, describe, type Operation, say } from './operation.ts';
import { createSequence } from './sequence.ts';
import { runOn, type Target, TARGETS } from './targets.ts';

export interface Plan {
  readonly seed: number;
  readonly sequences: number;
  /** Operations in a sequence. */
  readonly length: number;
  readonly targets?: readonly Target[];
}

export interface Agreement {
  /** What no line of the differences covers: the sequence's seed, the operation, what each answered. */
  readonly unknown: readonly string[];
  /** Operations that were compared, for each pair. */
  readonly compared: ReadonlyMap<string, number>;
  /** How often each known difference was met. */
  readonly met: ReadonlyMap<Difference | Parting, number>;
}

/** Operations that leave all as it was: after an answer that differs, what follows can still be compared. */
const QUIET: ReadonlySet<string> = new Set([
  'fd_tell',
  'fd_advise',
  'fd_sync',
  'fd_datasync',
  'fd_fdstat_get',
  'fd_filestat_get',
  'fd_pread',
  'fd_readdir',
  'fd_prestat_get',
  'fd_prestat_dir_name',
  'path_filestat_get',
  'path_readlink',
]);

export async function compare({ seed, sequences: count, length, targets = TARGETS }: Plan): Promise<Agreement> {
  const sequences = Array.from({ length: count }, (_, at) => createSequence(seed + at, length));
  const answers = new Map<Target, Answer[][]>();
  for (const target of targets) answers.set(target, await runOn(target, sequences));
  const unknown: string[] = [];
  const compared = new Map<string, number>();
  const met = new Map<Difference | Parting, number>();
  for (const pair of PAIRS) {
    const [left, right] = pair.map((target) => answers.get(target));
    if (left === undefined || right === undefined) continue;
    sequences.forEach((sequence, at) => {
      const told = compareOne(pair, sequence, [left[at] ?? [], right[at] ?? []], met);
      compared.set(pair.join(', '), (compared.get(pair.join(', ')) ?? 0) + told.compared);
      if (told.unknown !== undefined) unknown.push(`seed ${seed + at}: ${told.unknown}`);
    });
  }
  return { unknown, compared, met };
}

function compareOne(
  pair: readonly [Target, Target],
  sequence: readonly Operation[],
  [left, right]: readonly [readonly Answer[], readonly Answer[]],
  met: Map<Difference | Parting, number>,
): { readonly compared: number; readonly unknown?: string } {
  const end = Math.min(left.length, right.length);
  for (let at = 0; at < end; at++) {
    const operation = sequence[at] as Operation;
    const parting = PARTINGS.find(
      ({ of, call, after }) =>
        of.includes(pair[0]) && (call ?? operation.call) === operation.call && after(sequence.slice(0, at), operation),
    );
    if (parting !== undefined) {
      met.set(parting, (met.get(parting) ?? 0) + 1);
      return { compared: at };
    }
    const [one, other] = [left[at] as Answer, right[at] as Answer];
    const said = [say(operation, one), say(operation, other)];
    if (said[0] === said[1]) continue;
    const difference = findDifference(pair, operation, [one.errno, other.errno]);
    if (difference === undefined) {
      const shown = pair.map((target, side) => `${target}: ${said[side]}`).join('; ');
      return { compared: at, unknown: `operation ${at}, ${describe(operation)}: ${shown}` };
    }
    met.set(difference, (met.get(difference) ?? 0) + 1);
    if (isChanged(operation, one) || isChanged(operation, other)) return { compared: at };
  }
  return { compared: end };
}

/** Whether an answer says that something is no longer as it was. */
function isChanged({ call, parameters }: Operation, { errno }: Answer): boolean {
  const lengths = parameters['lengths'] as readonly number[] | undefined;
  return errno === 'success' && !QUIET.has(call) && lengths?.length !== 0;
}
