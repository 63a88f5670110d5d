/** Nebula through its public face: in the caller's thread, through the pool, over HTTP. */

import { createNebula, NebulaClient, startServer, type Nebula } from '../../lib/index.ts';
import type { DeployOptions } from '../../lib/schema/manifest.ts';
import type { NebulaOptions } from '../../lib/schema/nebula-options.ts';
import type { Subject } from '../measurement/series.ts';
import { expectOutput } from './wasi.ts';

/** A function, an input, and what it must answer. */
export interface Case {
  readonly function: string;
  readonly path: string;
  readonly input: string;
  readonly expected: string;
}

/** A Nebula with one function deployed and answering. */
export async function open(test: Case, options: NebulaOptions, deploy: DeployOptions = {}): Promise<Nebula> {
  const nebula = await createNebula(options);
  await nebula.deploy(test.path, { name: test.function, ...deploy });
  const output = await nebula.invokeOrThrow(test.function, test.input);
  expectOutput('nebula', new TextDecoder().decode(output), test.expected);
  return nebula;
}

/** A deadline in thread: one that code keeps which counts, and one that `vm` does. */
export const IN_THREAD_DEADLINES = {
  'nebula-deadline': { limits: { timeoutMs: 10_000 } },
  'nebula-watchdog': { limits: { timeoutMs: 10_000 }, budget: false },
} as const satisfies Readonly<Record<string, DeployOptions>>;

/** The embed API, end to end, in a fresh state each call; without a deadline unless `deploy` has one. */
export async function inThread(test: Case, name = 'nebula', deploy: DeployOptions = {}): Promise<Subject> {
  const nebula = await open(test, { executor: 'in-thread' }, { limits: { timeoutMs: 0 }, ...deploy });
  const input = new TextEncoder().encode(test.input);
  return { name, run: () => nebula.invoke(test.function, input), close: () => nebula.close() };
}

/** Nebula with its worker pool. */
export async function pooled(test: Case, name = 'nebula-pool', threads = 1): Promise<Subject> {
  const nebula = await open(test, { threads });
  const input = new TextEncoder().encode(test.input);
  return { name, run: () => nebula.invoke(test.function, input), close: () => nebula.close() };
}

/** The same over HTTP, by one kept connection. */
export async function overHttp(test: Case, name = 'nebula-http'): Promise<Subject> {
  const nebula = await open(test, { threads: 1 });
  const server = await startServer(nebula, { port: 0 });
  const client = new NebulaClient({ url: server.url });
  const input = new TextEncoder().encode(test.input);
  const close = async (): Promise<void> => {
    await client.close();
    await server.close();
    await nebula.close();
  };
  return { name, run: () => client.invoke(test.function, input), close };
}
