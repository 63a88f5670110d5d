/** In which tier a first, tenth and thousandth call runs, and what sharing a module among threads does to it. */

import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { MicroVm } from '../../host/micro-vm/micro-vm.ts';
import { closeImage } from '../../host/snapshot/image.ts';
import { compareLatency, type Comparison } from '../measurement/comparison.ts';
import { rowOf, type Row, type Series } from '../measurement/series.ts';
import { asNew, exportedFunctions, withFunctionsExported } from '../subjects/module-variants.ts';
import { define, imageOf, runOnce, type Part } from '../subjects/micro-vm.ts';
import type { TierAnswer, TierTask } from '../subjects/tier-worker.ts';
import { countTiers, type TierCounts } from '../subjects/tiers.ts';

/** Calls that are timed, and before which the tiers are read. */
const CALLS = [1, 10, 100, 1000, 2000];
const LAST_CALL = 2000;
/** Calls of another module of a thread before the one that is looked at. */
const WARM_CALLS = 100;

/** What was seen of one subject, a sample for each block. */
interface Seen {
  readonly times: number[];
  readonly tiers: TierCounts[];
}

/** Rows and comparisons of calls by V8's tier. */
export interface TierFindings {
  readonly rows: readonly Row[];
  readonly series: readonly Series[];
  readonly comparisons: readonly Comparison[];
}

class Sightings {
  readonly #seen: Map<string, Seen> = new Map();
  readonly #function: string;

  constructor(name: string) {
    this.#function = name;
  }

  add(subject: string, us: number, tiers: TierCounts): void {
    const seen = this.#seen.get(subject) ?? { times: [], tiers: [] };
    this.#seen.set(subject, seen);
    seen.times.push(us);
    seen.tiers.push(tiers);
  }

  series(): Series[] {
    return Array.from(this.#seen, ([subject, { times }]) => ({
      bench: 'phases',
      subject,
      function: this.#function,
      blocks: times.map((us) => Float64Array.of(us)),
    }));
  }

  tiersOf(subject: string): TierCounts {
    const { tiers } = this.#seen.get(subject) as Seen;
    const mean = (tier: keyof TierCounts): number => tiers.reduce((sum, each) => sum + each[tier], 0) / tiers.length;
    return { uncompiled: mean('uncompiled'), liftoff: mean('liftoff'), turbofan: mean('turbofan') };
  }
}

/** Each block compiles the module anew and calls it in this thread, then in two others. */
export async function runTiers(part: Part, blocks: number): Promise<TierFindings> {
  const sightings = new Sightings(part.function);
  const module = withFunctionsExported(part.module);
  for (let block = 0; block < blocks; block++) await runBlock({ ...part, module }, sightings);
  const series = sightings.series();
  const find = (name: string): Series => series.find(({ subject }) => subject === name) as Series;
  const comparisons = [
    compareLatency(find('call-1000'), find('call-1'), 0.5),
    compareLatency(find('thread-call-1-shared'), find('thread-call-1-own'), 0.5),
  ];
  return {
    rows: series.map((one) => ({ ...rowOf(one), tiers: sightings.tiersOf(one.subject) })),
    series,
    comparisons,
  };
}

async function runBlock(part: Part, sightings: Sightings): Promise<void> {
  const definition = await define(part, asNew(part.module));
  const image = imageOf(definition);
  const vm = new MicroVm(definition, image, 'copy');
  const functions = exportedFunctions(definition.prepared.compiled);
  const input = new TextEncoder().encode(part.input);
  for (let call = 1; call <= LAST_CALL; call++) {
    const tiers = CALLS.includes(call) ? countTiers(vm.state, functions) : undefined;
    const us = runOnce(vm, input, part.expected);
    vm.restore();
    if (tiers !== undefined) sightings.add(`call-${call}`, us, tiers);
  }
  const unused = await define(part, asNew(part.module));
  const ownModule = await define(part, asNew(part.module));
  const [unusedImage, ownImage] = [imageOf(unused), imageOf(ownModule)];
  const own = { definition: ownModule, image: ownImage, calls: WARM_CALLS };
  const { input: text, expected } = part;
  const shared = await inThread({ own, definition, image, input: text, expected });
  sightings.add('thread-call-1-shared', shared.firstUs, shared.before);
  const alone = await inThread({ own, definition: unused, image: unusedImage, input: text, expected });
  sightings.add('thread-call-1-own', alone.firstUs, alone.before);
  vm.close();
  for (const one of [image, unusedImage, ownImage]) closeImage(one);
}

async function inThread(task: TierTask): Promise<TierAnswer> {
  const path = fileURLToPath(new URL(`../subjects/tier-worker${extname(import.meta.url)}`, import.meta.url));
  const worker = new Worker(path, { workerData: task });
  const [answer] = (await once(worker, 'message')) as [TierAnswer];
  await once(worker, 'exit');
  return answer;
}
