/** What a comparison measures: functions x inputs x targets, in blocks, from a seed. Plain data, written into the run's folder. */

import { argumentError } from '../../host/errors.ts';

/** Every way to run a function that can be compared; docs/method.md says what each contains. */
export const TARGETS = [
  'wasm-restored',
  'wasm-fresh',
  'wasm-in-thread',
  'node-wasi',
  'process',
  'container-warm',
  'container-cold',
  'container-cold-bridge',
  'container-cold-host',
  'docker-run',
  'wasmtime',
  'workerd',
  'extism',
] as const;

/** One of `TARGETS`. */
export type TargetName = (typeof TARGETS)[number];

/** Inputs that functions have by their size, from the smallest to the largest; a function's other cases have names of their own. */
export const INPUTS = ['small', 'medium', 'large'] as const;

/** One of `INPUTS`. */
export type InputName = (typeof INPUTS)[number];

/** What a comparison measures, and how often. */
export interface Plan {
  readonly functions: readonly string[];
  /** Names of cases (functions/README.md), in the order in which they are shown. */
  readonly inputs: readonly string[];
  readonly targets: readonly TargetName[];
  /** Blocks; in each of them every cell has its turn once, in a new random order. */
  readonly blocks: number;
  /** Minutes after which no further block is begun that would not end within them, warm-up included; 0 is without end. */
  readonly minutes: number;
  /** Calls of a cell in its turn, where the target keeps something from call to call. */
  readonly repeats: number;
  /** Calls of a cell in its turn, where each call has a container of its own. */
  readonly coldRepeats: number;
  /** Calls before those of a turn, which find the caches full of other targets; kept as rows that say so. Cold targets have none. */
  readonly turnWarmUps: number;
  /** A cell whose calls take this long or longer, in milliseconds, has as many of them as a cold target, and no warm-up in its turn. */
  readonly longMs: number;
  /** Functions of a target, where it is not to have all of them. */
  readonly only: Readonly<Partial<Record<TargetName, readonly string[]>>>;
  /** Calls of each cell before the first block; kept as rows that say so. */
  readonly warmUps: number;
  /** The same for targets that start a container for each call. */
  readonly coldWarmUps: number;
  readonly seed: number;
  /** Deadline of each call, in milliseconds. */
  readonly timeoutMs: number;
  /** Memory limit of each guest, in MiB. */
  readonly memoryMib: number;
  /** What the run is laid beside in its report: figures that others published. */
  readonly study?: 'thesis';
}

/** The whole comparison: what docs/results holds was measured by it. */
export const FULL_PLAN: Plan = {
  functions: ['noop', 'fibonacci', 'fibonacci-recursive', 'matmul', 'sha256', 'json-transform', 'sort'],
  inputs: ['small', 'medium', 'large'],
  targets: TARGETS.filter((name) => name !== 'docker-run'),
  blocks: 20,
  minutes: 0,
  repeats: 3,
  coldRepeats: 1,
  turnWarmUps: 1,
  longMs: 100,
  // What a network costs does not depend on the function.
  only: { 'container-cold-bridge': ['noop'], 'container-cold-host': ['noop'] },
  warmUps: 5,
  coldWarmUps: 1,
  seed: 1,
  timeoutMs: 30_000,
  memoryMib: 128,
};

/** The whole path in under two minutes: fewer cells and blocks, nothing left out of the method. */
export const QUICK_PLAN: Plan = {
  ...FULL_PLAN,
  functions: ['noop', 'fibonacci', 'matmul'],
  inputs: ['small', 'large'],
  targets: [
    'wasm-restored',
    'wasm-fresh',
    'wasm-in-thread',
    'node-wasi',
    'process',
    'container-warm',
    'container-cold',
    'container-cold-bridge',
    'container-cold-host',
  ],
  blocks: 10,
  repeats: 2,
};

const COUNTS = [
  'blocks',
  'minutes',
  'repeats',
  'coldRepeats',
  'turnWarmUps',
  'longMs',
  'warmUps',
  'coldWarmUps',
  'seed',
  'timeoutMs',
  'memoryMib',
] as const;

/**
 * A plan out of its parts, each in place of the base's.
 * @throws TypeError or RangeError that names the field
 */
export function planOf(base: Plan, given: Readonly<Record<string, unknown>>): Plan {
  for (const key of Object.keys(given)) {
    if (!(key in base) && key !== 'study')
      throw argumentError(key, `left out; a plan has ${Object.keys(base).join(', ')}`, given[key]);
  }
  // Whoever names functions or targets means each of them on each.
  const chosen = 'functions' in given || 'targets' in given ? { only: {} } : {};
  const plan = { ...base, ...chosen, ...given } as Plan;
  checkNames('functions', plan.functions, undefined);
  checkNames('inputs', plan.inputs, undefined);
  checkNames('targets', plan.targets, TARGETS);
  checkOnly(plan.only);
  if (plan.study !== undefined && plan.study !== 'thesis') throw argumentError('study', 'thesis', plan.study);
  for (const key of COUNTS) {
    const least = key === 'minutes' || key.toLowerCase().endsWith('warmups') ? 0 : 1;
    if (!Number.isSafeInteger(plan[key]) || plan[key] < least) {
      throw argumentError(key, `a whole number of at least ${least}`, plan[key]);
    }
  }
  return plan;
}

function checkOnly(only: unknown): void {
  const expected = 'an object with lists of functions by target';
  if (typeof only !== 'object' || only === null || Array.isArray(only)) throw argumentError('only', expected, only);
  for (const [target, functions] of Object.entries(only)) {
    checkNames('only', [target], TARGETS);
    checkNames(`only.${target}`, functions, undefined);
  }
}

function checkNames(field: string, names: unknown, known: readonly string[] | undefined): void {
  const expected = `a list of ${known === undefined ? 'names' : known.join(', ')}`;
  if (!Array.isArray(names) || names.length === 0) throw argumentError(field, expected, names);
  for (const name of names as unknown[]) {
    const fits = typeof name === 'string' && (known === undefined ? /^[a-z0-9-]+$/.test(name) : known.includes(name));
    if (!fits) throw argumentError(field, expected, name);
  }
  if (new Set(names).size !== names.length) throw argumentError(field, `${expected}, each once`, names.join(', '));
}
