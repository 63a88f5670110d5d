/** Nebula as a target: through its worker pool with restored or fresh micro-VMs, and in the caller's thread. */

import { setImmediate as immediate } from 'node:timers/promises';
import { createNebula, type Nebula } from '../../../lib/index.ts';
import type { ExecutorStats } from '../../../pools/executor.ts';
import { describeEnding, type Outcome } from '../../../host/outcome.ts';
import { functionPath } from '../../measurement/root.ts';
import type { ComparisonCase } from '../cases.ts';
import type { Plan, TargetName } from '../plan.ts';
import { STAMP_ENVIRONMENT } from '../stamps.ts';
import type { CallResult, Deployed, Target } from '../target.ts';

const MIB = 1024 * 1024;

/** One worker thread: calls come one after the other, as they do to every target. */
export async function openNebula(name: TargetName, plan: Plan, cases: readonly ComparisonCase[]): Promise<Target> {
  const inThread = name === 'wasm-in-thread';
  const nebula = await createNebula(inThread ? { executor: 'in-thread' } : { threads: 1 });
  const deployed: Deployed[] = [];
  try {
    for (const functionName of new Set(cases.map((test) => test.function))) {
      const record = await nebula.deploy(functionPath(functionName), {
        name: functionName,
        strategy: name === 'wasm-fresh' ? 'fresh' : 'auto',
        // The watchdog of a deadline in the caller's own thread would be most of the call.
        limits: { timeoutMs: inThread ? 0 : plan.timeoutMs, memoryBytes: plan.memoryMib * MIB },
        capabilities: { environment: STAMP_ENVIRONMENT },
      });
      const { digest, sizeBytes, report } = record;
      const restore = report.calibrationNs[report.strategy as keyof typeof report.calibrationNs];
      const took = restore === undefined ? '' : `, ${Math.round(restore)} ns at deploy`;
      deployed.push({
        function: functionName,
        digest,
        sizeBytes,
        detail: `${report.strategy}${took}: ${report.reason}`,
      });
    }
  } catch (error) {
    await nebula.close();
    throw error;
  }
  let before = nebula.stats().executor;
  return {
    name,
    isCold: false,
    deployed,
    refuses: () => undefined,
    call: async (test) => {
      before = nebula.stats().executor;
      return resultOf(await nebula.invoke(test.function, test.bytes));
    },
    settled: () => restored(nebula, before),
    close: () => nebula.close(),
  };
}

/** How long a thread may take to put a micro-VM back before its call is left without a teardown. */
const PATIENCE_MS = 1000;

/** Waits until the micro-VM of a call is put back, and answers what that took in its thread, by its own clock. */
async function restored(nebula: Nebula, before: ExecutorStats): Promise<number | undefined> {
  const endMs = performance.now() + PATIENCE_MS;
  while (performance.now() < endMs) {
    await immediate();
    const { restores, restoresNs } = nebula.stats().executor;
    if (restores > before.restores) return restoresNs - before.restoresNs;
  }
  // A guest that its deadline ended took its thread along: nothing is put back.
  return undefined;
}

/** An outcome of any of our executors. */
export function resultOf(outcome: Outcome): CallResult {
  const { kind, stdout, stderr, phases, usage } = outcome;
  const times: Record<string, number> = {};
  for (const [phase, ns] of Object.entries(phases)) if (ns > 0) times[`executor.${phase}`] = ns;
  for (const [request, ns] of Object.entries(usage.engine?.requestNs ?? {})) times[`engine.${request}`] = ns;
  return {
    outcome: kind,
    ...(kind === 'ok' ? {} : { reason: describeEnding(outcome) }),
    stdout,
    stderr,
    phases: times,
    ...(phases.remove === undefined ? {} : { teardownNs: phases.remove }),
  };
}
