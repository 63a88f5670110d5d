/**
 * `bench waits`: functions that wait for an upstream over HTTP, beside other proxies; guests that sleep, also beside one that spins; what a
 * call that waits takes of memory. On a Node that suspends no guest each holds a thread.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CAN_SUSPEND } from '../../host/waiting/jspi.ts';
import { seededRandom, shuffled } from '../../statistics/random.ts';
import type { Findings } from '../measurement/result.ts';
import { Contender, type Load } from '../waits/contender.ts';
import { findingsOf, type Plan } from '../waits/findings.ts';
import { Generator } from '../waits/generator.ts';
import { bytesPerCall } from '../waits/memory.ts';
import { bareProxy, type DOZES, jcoProxy, nebulaProxy, startUpstream, workerdProxy } from '../waits/proxies.ts';
import type { RunOptions } from './options.ts';

const AT_ONCE = 1000;
const SECONDS = 2;

const callOut = (connections: number, upstreamMs: number): Load => ({
  function: `call-out ${upstreamMs} ms`,
  connections,
  method: 'GET',
  path: (proxy) => proxy.path(upstreamMs),
});

const doze = (name: keyof typeof DOZES, connections: number): Load => ({
  function: name,
  connections,
  method: 'POST',
  path: () => `/invoke/${name}`,
});

const LOADS = {
  burst: callOut(AT_ONCE, 100),
  callers: { ...callOut(128, 50), seconds: SECONDS },
  sleepers: doze('doze', AT_ONCE),
  // Longer than those of a burst: 2,000 answers a second would have the machine's processors busy without anyone who spins.
  alone: { ...doze('doze-half', 200), seconds: SECONDS },
  beside: { ...doze('doze-half', 200), function: 'doze-half beside spin', seconds: SECONDS, besideSpinner: true },
  memory: { ...doze('doze-long', AT_ONCE), limitMs: 20_000 },
} as const satisfies Plan['loads'];

/** Threads of the second server of ours: one where guests are suspended there, else one for many of those that wait. */
const THREADS = CAN_SUSPEND ? 1 : 64;

/** Measures functions that wait. */
export async function runWaits(options: RunOptions): Promise<Findings> {
  const folder = await mkdtemp(join(tmpdir(), 'nebula-bench-'));
  const upstream = await startUpstream();
  const generator = new Generator();
  const origin = new URL(upstream.url).origin;
  const [usual, counted] = [nebulaProxy('nebula', folder), nebulaProxy(`nebula-${THREADS}`, folder, THREADS)];
  const ours = [usual, counted].map((kind) => new Contender(kind, origin));
  const peers = [bareProxy, workerdProxy(folder), jcoProxy].map((kind) => new Contender(kind, origin));
  const plan: Plan = { loads: LOADS, ours, peers, canSuspend: CAN_SUSPEND, memory: [], missing: [] };
  try {
    const there = await installed(plan);
    if (!CAN_SUSPEND) plan.missing.push(`memory of a call that waits: ${process.version} suspends no guest`);
    const random = seededRandom(options.seed);
    const { burst, callers, sleepers, alone, beside } = LOADS;
    const turns = [
      ...there.flatMap((contender) => [burst, callers].map((load) => ({ contender, load }))),
      ...ours.flatMap((contender) => [sleepers, alone, beside].map((load) => ({ contender, load }))),
    ];
    for (let block = 0; block < Math.max(2, Math.ceil(options.blocks / 10)); block++) {
      for (const { contender, load } of shuffled(turns, random)) await contender.measure(load, generator);
      if (!CAN_SUSPEND) continue;
      const bytes = await bytesPerCall(counted, origin, LOADS.memory, generator);
      if (typeof bytes === 'number') plan.memory.push(bytes);
      else plan.missing.push(`memory of a call that waits: ${bytes}`);
    }
    return findingsOf(plan);
  } finally {
    await generator.close();
    for (const contender of [...ours, ...peers]) await contender.close();
    await upstream.close();
    await rm(folder, { recursive: true });
  }
}

/** Those that are there; of the others it is said why not. */
async function installed({ ours, peers, missing }: Plan): Promise<Contender[]> {
  const there = [...ours];
  for (const peer of peers) {
    if (await peer.start()) there.push(peer);
    else missing.push(`${peer.name}: ${peer.kind.needs ?? 'it is not installed'}`);
  }
  for (const contender of ours) await contender.start();
  return there;
}
