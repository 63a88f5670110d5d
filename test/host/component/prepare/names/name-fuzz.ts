/**
 * Components with a name in every place of a binary that has one, each transpiled, deployed and called or refused; and
 * whether any name ran. As a command: `node dist/test/host/component/prepare/names/name-fuzz.js [COUNT] [SEED]`.
 */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileGlue } from '../../../../../host/component/vm/glue.ts';
import type { Exports } from '../../../../../host/component/prepare/glue/contract.ts';
import { LIFT_LOWER_VALUES } from '../../../../../host/component/vm/lift-lower.ts';
import { prepareComponent, transpileComponent } from '../../../../../host/preparation/component.ts';
import type { PreparedComponent } from '../../../../../host/definition/prepared-component.ts';
import { isNebulaError } from '../../../../../host/errors.ts';
import { resolveLimits } from '../../../../../host/limits.ts';
import { assemble, nameOf, randomOf, TEMPLATES } from './name-templates.ts';

export interface FuzzReport {
  readonly count: number;
  /** By `works`, or the key of the error that refused it. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** How often a name of that place worked. */
  readonly worksByPlace: Readonly<Record<string, number>>;
  /** What ought not to be: a canary that ran, or an error that is none of ours. */
  readonly faults: readonly string[];
}

const CANARY = 'nebulaCanary';

/** Tries `count` components. */
export async function fuzzNames(count: number, seed: number): Promise<FuzzReport> {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-names-'));
  const file = join(folder, 'canary');
  const [outcomes, worksByPlace, faults]: [Record<string, number>, Record<string, number>, string[]] = [{}, {}, []];
  const places = Object.keys(TEMPLATES);
  const random = randomOf(seed);
  try {
    for (let at = 0; at < count; at++) {
      const place = places[at % places.length] as string;
      const name = nameOf(random, file);
      const outcome = await tryOne(place, name, nameOf(random, file));
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (outcome === 'works') worksByPlace[place] = (worksByPlace[place] ?? 0) + 1;
      const ran = existsSync(file) || CANARY in globalThis;
      if (ran || outcome.startsWith('fault'))
        faults.push(`${place}: ${JSON.stringify(name)}: ${ran ? 'ran' : outcome}`);
      rmSync(file, { force: true });
      Reflect.deleteProperty(globalThis, CANARY);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { count, outcomes, worksByPlace, faults };
}

const LIMITS = resolveLimits();

async function tryOne(place: string, name: string, other: string): Promise<string> {
  try {
    const transpiled = await transpileComponent(await assemble(place, name, other));
    run((await prepareComponent(transpiled, LIMITS)).component);
    return 'works';
  } catch (error) {
    if (isNebulaError(error)) return error.key;
    return `fault: ${String(error)}`;
  }
}

/** Instantiates the component here, as a caller's own thread does, and calls each function that it exports. */
function run(component: PreparedComponent): void {
  const instantiate = compileGlue(component)();
  const exported = instantiate(
    (file) => component.cores.find((core) => core.file === file)?.compiled as WebAssembly.Module,
    { 'wasi:random/random': {} },
    (module, imports) => new WebAssembly.Instance(module, imports),
    LIFT_LOWER_VALUES,
  );
  callAll(exported);
}

/** Some functions want arguments of a type that nobody knows here: what the glue throws for them is no fault. */
function callAll(exported: Exports): void {
  for (const value of Object.values(exported)) {
    if (typeof value === 'object' && value !== null) callAll(value as Exports);
    if (typeof value !== 'function') continue;
    try {
      (value as (...given: unknown[]) => unknown)('3');
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  const [count, seed] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 1)];
  const startedMs = performance.now();
  const report = await fuzzNames(count, seed);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  process.stdout.write(`${JSON.stringify({ seed, seconds, ...report }, undefined, 2)}\n`);
  process.exit(report.faults.length === 0 ? 0 : 1);
}
