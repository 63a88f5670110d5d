/** Random modules with and without a budget beside each other: what they answer, write, leave behind, and how they end. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isNebulaError } from '../../../host/errors.ts';
import { TYPE } from '../../../host/module/encoding.ts';
import { readLayout } from '../../../host/module/layout.ts';
import { seededRandom } from '../../../statistics/random.ts';
import { BudgetedInstance, rewritten } from './budgeted.ts';
import { RandomModules } from './wasm-opt.ts';

const ALWAYS = [
  '--enable-reference-types',
  '--enable-bulk-memory',
  '--enable-mutable-globals',
  '--enable-sign-ext',
  '--enable-multivalue',
];
const SOMETIMES = [
  '--enable-tail-call',
  '--enable-simd',
  '--enable-exception-handling',
  '--enable-nontrapping-float-to-int',
  '--enable-extended-const',
  '-O1',
  '-O3',
];
const MOST_BYTES = 1500;
const MOST_CALLS_BACK = 10;

/** What came of a number of modules. */
export interface Compared {
  readonly compared: number;
  /** Modules that V8 or Nebula refuse. */
  readonly refused: number;
  readonly calls: number;
  readonly trapped: number;
  readonly units: number;
  /** SHA-256 of what all cost, in order: the same on every machine, tier and release of V8. */
  readonly digest: string;
}

/** Makes modules of the bytes that a seed gives and compares them. @throws AssertionError that names what differs */
export async function compareRandom(count: number, seed: number): Promise<Compared> {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-random-'));
  const modules = new RandomModules(folder);
  const random = seededRandom(seed);
  const totals = { compared: 0, refused: 0, calls: 0, trapped: 0, units: 0 };
  const digest = createHash('sha256');
  try {
    for (let number = 0; number < count; number++) {
      const bytes = Uint8Array.from({ length: 100 + Math.floor(random() * MOST_BYTES) }, () =>
        Math.floor(random() * 256),
      );
      const module = await modules.make(bytes, [...ALWAYS, ...SOMETIMES.filter(() => random() < 0.4)]);
      const spent = compare(module, `module ${number} of seed ${seed}`, totals);
      digest.update(`${spent.join(',')};`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { ...totals, digest: digest.digest('hex') };
}

type Totals = { -readonly [Key in Exclude<keyof Compared, 'digest'>]: Compared[Key] };

/** Compares one module and answers what its calls cost. */
function compare(bytes: Uint8Array<ArrayBuffer>, name: string, totals: Totals): number[] {
  let plain: Watched;
  let guests: Watched[];
  try {
    plain = watch(bytes, (imports) => {
      const module = new WebAssembly.Module(rewritten(bytes, false));
      return { exports: new WebAssembly.Instance(module, imports).exports };
    });
    guests = [77, 1_000_000].map((grant) =>
      watch(bytes, (imports) => new BudgetedInstance(bytes, imports, { grant, grants: Infinity })),
    );
  } catch (error) {
    // What only newer engines know, or what is refused by its size.
    if (!(error instanceof WebAssembly.CompileError) && !isNebulaError(error)) throw error;
    totals.refused++;
    return [];
  }
  totals.compared++;
  const spent: number[] = [];
  for (const call of callsOf(bytes)) {
    const expected = plain.call(call);
    const before = guests.map((guest) => guest.spent());
    const got = guests.map((guest) => guest.call(call));
    // Where the stack ends depends on what functions hold in registers.
    if ([expected, ...got].some((outcome) => outcome.includes('RangeError: Maximum call stack'))) break;
    for (const outcome of got) assert.equal(outcome, expected, `${name}: ${call.name}`);
    const costs = guests.map((guest, at) => guest.spent() - (before[at] as number));
    // At a trap what a local holds is not counted, and how much that is depends on when it was written back.
    if (!plain.sawTrap()) assert.equal(costs[0], costs[1], `${name}: units of ${call.name}`);
    spent.push(...costs);
    totals.calls++;
    totals.units += costs[0] ?? 0;
    if (expected.startsWith('RuntimeError')) totals.trapped++;
  }
  return spent;
}

interface Call {
  readonly name: string;
  readonly values: readonly unknown[];
}

/** A call of each exported function that JavaScript can call, with the plainest values. */
function callsOf(bytes: Uint8Array): Call[] {
  const layout = readLayout(bytes);
  return layout.exports.flatMap(({ name, kind, index }) => {
    const type = kind === 'function' ? layout.types[layout.functionTypes[index] as number] : undefined;
    if (type === undefined || [...type.parameters, ...type.results].includes(TYPE.v128)) return [];
    return [{ name, values: type.parameters.map((parameter) => PLAIN[parameter] ?? null) }];
  });
}

const PLAIN: Readonly<Record<number, unknown>> = { [TYPE.i32]: 3, [TYPE.i64]: 4n, [TYPE.f32]: 0.5, [TYPE.f64]: -1.5 };

type Exports = Record<string, unknown>;

interface Watched {
  /** What a call answers or throws, what it told the host, and what it left in memory and globals. */
  call(call: Call): string;
  spent(): number;
  /** Whether anything trapped in the last call. */
  sawTrap(): boolean;
}

type Made = { readonly exports: Exports; readonly spent?: number };

function watch(bytes: Uint8Array<ArrayBuffer>, make: (imports: WebAssembly.Imports) => Made): Watched {
  const told: string[] = [];
  let inside = 0;
  let traps = false;
  let calledBack = 0;
  let made: Made | undefined;
  const again = (at: unknown): void => {
    // A host function that calls an export, so often at the most: each renews what bounds the guest.
    const functions = Object.entries(made?.exports ?? {}).filter(
      ([key, value]) => typeof value === 'function' && !key.startsWith('nebula:'),
    );
    const chosen = functions[Number(at) % Math.max(functions.length, 1)]?.[1] as (() => unknown) | undefined;
    if (chosen === undefined || inside >= 1 || calledBack++ >= MOST_CALLS_BACK) return;
    inside++;
    try {
      chosen();
    } catch (error) {
      traps ||= error instanceof Error;
      throw error;
    } finally {
      inside--;
    }
  };
  made = make(importsOf(bytes, told, again));
  const instance = made;
  return {
    call: ({ name, values }) => {
      told.length = 0;
      traps = false;
      calledBack = 0;
      const outcome = outcomeOf(() => (instance.exports[name] as (...values: unknown[]) => unknown)(...values));
      traps ||= outcome.includes('Error: ');
      return [outcome, ...told, ...stateOf(instance.exports)].join('\n');
    },
    spent: () => instance.spent ?? 0,
    sawTrap: () => traps,
  };
}

function outcomeOf(run: () => unknown): string {
  try {
    const result = run();
    return Array.isArray(result) ? result.map(shown).join() : shown(result);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : 'an exception of WebAssembly';
  }
}

/** A value in words; which of many NaNs it is, is for the engine to say. */
function shown(value: unknown): string {
  return value === null || typeof value !== 'object'
    ? typeof value === 'function'
      ? 'function'
      : String(value)
    : 'object';
}

function stateOf(exports: Exports): string[] {
  return Object.entries(exports).flatMap(([name, value]) => {
    if (name.startsWith('nebula:')) return [];
    if (value instanceof WebAssembly.Memory) {
      return [`${name} ${createHash('sha1').update(new Uint8Array(value.buffer)).digest('hex')}`];
    }
    if (value instanceof WebAssembly.Table) {
      const used = Array.from({ length: Math.min(value.length, 1000) }, (_, at) =>
        value.get(at) === null ? '.' : 'x',
      );
      return [`${name} ${value.length} ${used.join('')}`];
    }
    if (value instanceof WebAssembly.Global) return [`${name} ${outcomeOf(() => value.value)}`];
    return [];
  });
}

/** Host functions that tell what they were given; others of what a module imports are made of nothing. */
function importsOf(bytes: Uint8Array<ArrayBuffer>, told: string[], again: (at: unknown) => void): WebAssembly.Imports {
  const layout = readLayout(bytes);
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module, name, kind, type } of layout.imports) {
    const values = (imports[module] ??= {});
    if (kind === 'function') {
      values[name] = (...given: unknown[]) => {
        told.push(`${name} ${given.map(shown).join()}`);
        if (name === 'throw') throw new Error('thrown by the host');
        if (name.startsWith('call-'))
          return outcomeNumber(() => again(typeof given[0] === 'number' ? given[0] : 0), name);
        return type?.results[0] === TYPE.i64 ? 1n : type?.results[0] === TYPE.i32 ? 1 : null;
      };
    } else if (kind === 'global') values[name] = null as unknown as WebAssembly.ImportValue;
    else if (kind === 'tag') values[name] = new TAG({ parameters: name === 'jstag' ? ['externref'] : ['i32'] });
  }
  return imports;
}

const TAG = (
  WebAssembly as unknown as { readonly Tag: new (type: { parameters: readonly string[] }) => WebAssembly.ImportValue }
).Tag;

/** Calls and answers 1 where that ended by an error, if the name says that it is caught. */
function outcomeNumber(run: () => void, name: string): number {
  try {
    run();
    return 0;
  } catch (error) {
    if (!name.endsWith('catch')) throw error;
    return 1;
  }
}
