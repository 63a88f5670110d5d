/** Whole calls in a pool of one thread whose states are put back when they are called: of a core function, and of a component. */

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNebula } from '../../lib/index.ts';
import { functionPath } from '../measurement/root.ts';
import type { Subject } from '../measurement/series.ts';

const NO_BYTES: Uint8Array = new Uint8Array();
const HEAD = { method: 'GET', scheme: 'http', authority: 'localhost', pathWithQuery: '/', headers: [] } as const;
/** Longer than either takes to be put back. */
const PAUSE_MS = 2;
const WARM_UP = 400;

/** `pool-ready`: the component's answer, body and end; `pool-ready-noop`: the outcome of the smallest core function. */
export async function readyCallSubjects(
  component: Uint8Array,
): Promise<{ readonly subjects: readonly Subject[]; close(): Promise<void> }> {
  const nebula = await createNebula({ threads: 1 });
  await nebula.deploy(component, { name: 'component' });
  await nebula.deploy(await readFile(functionPath('noop')), { name: 'noop' });
  const subjects = [
    await readySubject('pool-ready', async () => {
      const response = await nebula.fn('component').send(HEAD, NO_BYTES);
      for await (const _ of response.body) continue;
      return (await response.outcome).kind;
    }),
    await readySubject('pool-ready-noop', async () => (await nebula.invoke('noop')).kind),
  ];
  return { subjects, close: () => nebula.close() };
}

async function readySubject(name: string, call: () => Promise<string>): Promise<Subject> {
  const once = async (): Promise<number> => {
    const startMs = performance.now();
    const kind = await call();
    const us = (performance.now() - startMs) * 1000;
    if (kind !== 'ok') throw new Error(`Cannot measure ${name}: it ended with ${kind}`);
    return us;
  };
  for (let round = 0; round < WARM_UP; round++) await once();
  const sample = async (count: number): Promise<Float64Array> => {
    const times = new Float64Array(count);
    for (let at = 0; at < count; at++) {
      await sleep(PAUSE_MS);
      times[at] = await once();
    }
    return times;
  };
  return { name, run: once, sample, perBlock: 30 };
}
