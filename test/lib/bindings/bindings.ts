/** A Nebula with bindings, and guests that call them, for the tests of both executors. */

import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Bindings } from '../../../host/bindings/bindings.ts';
import type { Nebula } from '../../../lib/api/nebula.ts';
import { createNebula } from '../../../lib/nebula.ts';
import type { DeployOptions } from '../../../lib/schema/manifest.ts';
import type { InvokeOptions } from '../../../lib/schema/invoke-options.ts';
import type { NebulaOptions } from '../../../lib/schema/nebula-options.ts';
import { modulePath } from '../../definition.ts';

/** The executors whose guests run in this process. */
export const EXECUTORS = ['worker', 'in-thread'] as const;

/** The least of each that has threads, with bindings; closed after the test. */
export async function open(
  context: TestContext,
  executor: (typeof EXECUTORS)[number],
  bindings: Bindings,
  options: NebulaOptions = {},
): Promise<Nebula> {
  const threads = executor === 'worker' ? { threads: 1, spareThreads: 1 } : {};
  const nebula = await createNebula({ executor, ...threads, bindings, ...options });
  context.after(() => nebula.close({ drainMs: 0 }));
  return nebula;
}

/** Deploys the guest that calls the binding of its input's first line. */
export async function deployCaller(nebula: Nebula, options: DeployOptions = {}): Promise<void> {
  const capabilities = { bindings: ['orders'], ...options.capabilities };
  await nebula.deploy(readFileSync(modulePath('guests/call-binding')), { name: 'caller', ...options, capabilities });
}

/** What a call of that guest came to: its answer, or what it says of an error. */
export async function ask(nebula: Nebula, input: string, options?: InvokeOptions): Promise<readonly [string, string]> {
  const { kind, stdout, stderr } = await nebula.invoke('caller', input, options);
  return [
    kind,
    Buffer.from(kind === 'ok' ? stdout : stderr)
      .toString()
      .trim(),
  ];
}
