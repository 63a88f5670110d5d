/** `bench phases`: what each part of a deploy and of a call costs, and in which tier calls run. */

import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initialise } from '../../host/micro-vm/initialise.ts';
import { MicroVm } from '../../host/micro-vm/micro-vm.ts';
import { instrument } from '../../host/module/instrument.ts';
import { readLayout } from '../../host/module/layout.ts';
import { scanCode } from '../../host/module/scan.ts';
import { calibrate } from '../../host/thread/deploy.ts';
import { decodeSnapshot, encodeSnapshot } from '../../host/snapshot/codec.ts';
import { closeImage, createImage } from '../../host/snapshot/image.ts';
import { createNebula } from '../../lib/index.ts';
import type { Findings } from '../measurement/result.ts';
import { functionPath } from '../measurement/root.ts';
import { measure, rowOf, type Series, type Subject } from '../measurement/series.ts';
import { define, imageOf, runOnce, type Part } from '../subjects/micro-vm.ts';
import { asNew, withCodeOf } from '../subjects/module-variants.ts';
import type { RunOptions } from './options.ts';
import { runTiers } from './tiers.ts';

const MIB = 2 ** 20;
const TABLE_MIB = 64;
const CAPS = { memoryPages: 2048, tableElements: 1_000_000, isShared: false, isSized: true };

function command(name: string, input: string, expected: string): Part {
  const module = readFileSync(functionPath(name));
  return { function: name, module, input, expected, entry: '_start', init: {}, memoryBytes: 128 * MIB };
}

const NOOP = command('noop', '', '');
const FIBONACCI = command('fibonacci', '10', '55\n');
const EXPONENTIAL = command('exponential', '1', '');
/** The reactor whose initialisation builds a table. */
const LOOKUP: Part = {
  function: 'lookup',
  module: readFileSync(functionPath('lookup')),
  input: '',
  expected: '',
  entry: 'handle',
  init: { export: 'nebula_init', environment: { LOOKUP_MIB: String(TABLE_MIB) } },
  memoryBytes: (TABLE_MIB + 4) * MIB,
};

/** Measures what each part costs, and in which tier calls run. */
export async function runPhases(options: RunOptions): Promise<Findings> {
  const series: Series[] = [];
  const take = async (subjects: readonly Subject[], name: string, perBlock: number): Promise<void> => {
    const plan = {
      bench: 'phases',
      function: name,
      blocks: options.blocks,
      perBlock,
      warmUp: perBlock,
      seed: options.seed,
    };
    series.push(...(await measure(subjects, plan)));
    for (const subject of subjects) await subject.close?.();
  };
  for (const part of [NOOP, FIBONACCI, EXPONENTIAL]) await take(preparing(part), part.function, 5);
  await take([scanningMuch(EXPONENTIAL)], EXPONENTIAL.function, 1);
  await take(await deploying(NOOP), NOOP.function, 5);
  await take(await deploying(LOOKUP), LOOKUP.function, 1);
  for (const part of [NOOP, FIBONACCI]) {
    await take(await calling(part), part.function, 100);
    await take([await dispatching(part)], part.function, 100);
  }
  const tiers = await runTiers(FIBONACCI, options.blocks);
  return {
    rows: [...series.map(rowOf), ...tiers.rows],
    comparisons: tiers.comparisons,
    series: [...series, ...tiers.series],
    missing: [],
  };
}

function rewrite(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const layout = readLayout(bytes);
  return instrument(layout, scanCode(layout), CAPS);
}

/** What is done to a module's binary. Each sample has a binary of its own, since V8 keeps what it has compiled. */
function preparing(part: Part): Subject[] {
  const layout = readLayout(part.module);
  const scan = scanCode(layout);
  return [
    { name: 'prepare', run: () => define(part, asNew(part.module)) },
    { name: 'prepare-read', run: () => readLayout(part.module) },
    { name: 'prepare-scan', run: () => scanCode(layout) },
    { name: 'prepare-rewrite', run: () => instrument(layout, scan, CAPS) },
    timed('prepare-validate', async () => {
      const bytes = asNew(part.module);
      return time(() => WebAssembly.compile(bytes));
    }),
    timed('prepare-compile', async () => {
      const bytes = rewrite(asNew(part.module));
      return time(() => WebAssembly.compile(bytes));
    }),
  ];
}

/** Reading, scanning and rewriting of a module of 16 MB of code, in microseconds for each MB: 20,000 are 50 MB/s. */
function scanningMuch(part: Part): Subject {
  const bytes = withCodeOf(part.module, 16e6);
  return timed('prepare-mb', async () => (await time(() => rewrite(bytes))) / (bytes.length / 1e6));
}

async function time(work: () => unknown): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) * 1000;
}

/** A subject that times a part of what it does, in microseconds. */
function timed(name: string, sample: () => number | Promise<number>): Subject {
  return {
    name,
    run: () => {},
    async sample(count) {
      const times = new Float64Array(count);
      for (let at = 0; at < count; at++) times[at] = await sample();
      return times;
    },
  };
}

/** What is done once per version, and per thread. */
async function deploying(part: Part): Promise<Subject[]> {
  const definition = await define(part);
  const { snapshot } = initialise(definition);
  const image = createImage(snapshot);
  const file = encodeSnapshot(snapshot);
  const folder = mkdtempSync(join(tmpdir(), 'nebula-bench-'));
  const path = join(folder, 'snapshot');
  writeFileSync(path, file);
  const close = (): void => {
    closeImage(image);
    rmSync(folder, { recursive: true });
  };
  return [
    { name: 'initialise', run: () => initialise(definition), close },
    timed('image', async () => {
      let made = image;
      const us = await time(() => (made = createImage(snapshot)));
      closeImage(made);
      return us;
    }),
    { name: 'calibrate', run: () => calibrate(definition, image) },
    timed('make', async () => {
      let vm: MicroVm | undefined;
      const us = await time(() => (vm = new MicroVm(definition, image, 'cow')));
      vm?.close();
      return us;
    }),
    { name: 'snapshot-encode', run: () => encodeSnapshot(snapshot) },
    { name: 'snapshot-decode', run: () => decodeSnapshot(file) },
    { name: 'snapshot-load', run: async () => decodeSnapshot(await readFile(path)) },
  ];
}

/** The parts of a call, below the public face and in one thread. */
async function calling(part: Part): Promise<Subject[]> {
  const definition = await define(part);
  const image = imageOf(definition);
  const { strategy } = calibrate(definition, image);
  const vm = new MicroVm(definition, image, strategy);
  const input = new TextEncoder().encode(part.input);
  const call = { input, arguments: [], environment: {} };
  runOnce(vm, input, part.expected);
  vm.restore();
  const parts = {
    'call-run': () => vm.run(call, 0),
    'call-collect': () => [vm.stdout(), vm.stderr(), vm.usage()],
    'call-restore': () => vm.restore(),
  };
  const steps = Object.entries(parts);
  const subjects = steps.map(([name]) =>
    timed(name, () => {
      let us = 0;
      for (const [step, run] of steps) {
        const startMs = performance.now();
        run();
        if (step === name) us = (performance.now() - startMs) * 1000;
      }
      return us;
    }),
  );
  const close = (): void => {
    vm.close();
    closeImage(image);
  };
  return subjects.map((subject, at) => (at === 0 ? { ...subject, close } : subject));
}

/** What the pool adds to a call: all that the caller waited for and that was not spent on the guest. */
async function dispatching(part: Part): Promise<Subject> {
  const nebula = await createNebula({ threads: 1 });
  await nebula.deploy(part.module, { name: part.function });
  const input = new TextEncoder().encode(part.input);
  const subject = timed('dispatch', async () => {
    const startMs = performance.now();
    const { kind, phases } = await nebula.invoke(part.function, input);
    const totalUs = (performance.now() - startMs) * 1000;
    if (kind !== 'ok') throw new Error(`Cannot measure dispatch: ${part.function} ended with ${kind}`);
    return totalUs - (phases.instantiate + phases.restore + phases.run + phases.collect) / 1000;
  });
  return { ...subject, close: () => nebula.close() };
}
