/** An Executor whose invocations end as the test says; everything it was asked is kept for inspection. */

import type { FunctionDefinition } from '../../host/definition/definition.ts';
import { NebulaError } from '../../host/errors.ts';
import { NO_USAGE, type Invocation, type Outcome } from '../../host/outcome.ts';
import { NO_PHASES } from '../../host/phases.ts';
import type { DeployReport, Executor, ExecutorStats } from '../../pools/executor.ts';

/** An outcome with everything the test does not care about filled in. */
export function makeOutcome(over: Partial<Outcome> = {}): Outcome {
  const phases = { ...NO_PHASES, run: 5000 };
  const base = {
    kind: 'ok',
    stdout: new Uint8Array(),
    stderr: new Uint8Array(),
    start: 'cold',
    phases,
    usage: NO_USAGE,
  };
  return { ...base, ...over } as Outcome;
}

export class FakeExecutor implements Executor {
  readonly kind = 'in-thread';
  readonly deployed: Map<string, FunctionDefinition> = new Map();
  readonly undeployed: string[] = [];
  readonly invocations: { id: string; invocation: Invocation; signal: AbortSignal | undefined }[] = [];
  /** Answers an invocation; the default echoes the input under the definition's id on stderr. */
  run: (definition: FunctionDefinition, invocation: Invocation) => Promise<Outcome> = async (definition, invocation) =>
    makeOutcome({ stdout: invocation.input, stderr: new TextEncoder().encode(definition.id) });
  /** Called by deploy; throws to refuse. */
  initialise: (definition: FunctionDefinition) => void = () => undefined;
  closed = false;
  readonly #running: Map<string, Set<Promise<Outcome>>> = new Map();

  async deploy(definition: FunctionDefinition): Promise<DeployReport> {
    this.initialise(definition);
    if (this.deployed.has(definition.id)) throw new Error(`deployed twice: ${definition.id}`);
    this.deployed.set(definition.id, definition);
    return {
      strategy: 'fresh',
      reason: 'it is a fake',
      calibrationNs: {},
      snapshotBytes: 0,
      initReads: [],
      initialiseNs: 0,
    };
  }

  async invoke(definition: FunctionDefinition, invocation: Invocation, signal?: AbortSignal): Promise<Outcome> {
    if (this.closed) throw new NebulaError('CLOSED');
    if (!this.deployed.has(definition.id)) throw new Error(`not deployed: ${definition.id}`);
    this.invocations.push({ id: definition.id, invocation, signal });
    const run = this.run(definition, invocation);
    const running = this.#running.get(definition.id) ?? new Set();
    this.#running.set(definition.id, running.add(run));
    try {
      return await run;
    } finally {
      running.delete(run);
    }
  }

  async undeploy(id: string): Promise<void> {
    await Promise.allSettled(this.#running.get(id) ?? new Set<Promise<Outcome>>());
    this.undeployed.push(id);
    this.deployed.delete(id);
  }

  stats(): ExecutorStats {
    return {
      running: 0,
      suspended: 0,
      waiting: 0,
      units: 1,
      unitsReplaced: 0,
      stops: 0,
      restores: 0,
      restoresNs: 0,
      memories: 0,
      memoriesLimit: 1,
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const running of this.#running.values()) await Promise.allSettled(running);
  }
}
