/** A Nebula whose functions are written in the test: a fake at the interface, for what the HTTP face makes of it. */

import { createHash } from 'node:crypto';
import { NebulaError } from '../../../../host/errors.ts';
import { resolveLimits } from '../../../../host/limits.ts';
import { NO_USAGE, type Ending, type Outcome } from '../../../../host/outcome.ts';
import { NO_PHASES } from '../../../../host/phases.ts';
import type { AnyCalls, Calls } from '../../../../lib/api/exports.ts';
import type { FunctionHandle } from '../../../../lib/api/function-handle.ts';
import type { DeployOptions, Manifest } from '../../../../lib/schema/manifest.ts';
import type { Input, InputStream } from '../../../../lib/api/exports.ts';
import type { DeploySource, Nebula, StreamedInvocation } from '../../../../lib/api/nebula.ts';
import type { FunctionRecord } from '../../../../lib/schema/function-record.ts';
import type { InvokeOptions } from '../../../../lib/schema/invoke-options.ts';
import type { LogRecord } from '../../../../lib/schema/log-record.ts';
import type { NebulaStats } from '../../../../lib/schema/stats.ts';

export type Behaviour = (input: Uint8Array, options: InvokeOptions) => Outcome | Promise<Outcome>;

/** An outcome with phases that tests can recognise. */
export function outcomeOf(ending: Ending, stdout: string | Uint8Array = '', stderr = ''): Outcome {
  return {
    ...ending,
    stdout: Buffer.from(stdout),
    stderr: Buffer.from(stderr),
    start: 'restored',
    phases: { ...NO_PHASES, queue: 12_000, run: 5432 },
    usage: NO_USAGE,
  };
}

/** Waits until the caller goes away. */
export function untilAborted(_input: Uint8Array, { signal }: InvokeOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    signal?.addEventListener('abort', () => resolve(outcomeOf({ kind: 'aborted' })), { once: true });
  });
}

export class FakeNebula implements Nebula {
  readonly invocations: { name: string; input: Uint8Array; options: InvokeOptions }[] = [];
  readonly outcomes: Record<string, number> = {};
  readonly #records: Map<string, FunctionRecord[]> = new Map();
  readonly #behaviours: Map<string, Behaviour> = new Map();

  define(
    name: string,
    behaviour: Behaviour,
    manifest: Partial<Manifest> = {},
    record: Partial<FunctionRecord> = {},
  ): this {
    this.#behaviours.set(name, behaviour);
    this.#add(Buffer.from(name), { ...manifest, name }, record);
    return this;
  }

  logs(): readonly LogRecord[] {
    return [];
  }

  async *followLogs(): AsyncGenerator<LogRecord> {}

  #add(module: Uint8Array, manifest: Manifest, more: Partial<FunctionRecord> = {}): FunctionRecord {
    const versions = this.#records.get(manifest.name) ?? [];
    const record: FunctionRecord = {
      name: manifest.name,
      version: (versions[0]?.version ?? 0) + 1,
      digest: createHash('sha256').update(module).digest('hex'),
      sizeBytes: module.byteLength,
      deployedAt: '2024-01-01T00:00:00.000Z',
      manifest,
      limits: resolveLimits(manifest.limits),
      report: {
        strategy: 'copy',
        reason: 'It is a fake',
        calibrationNs: {},
        snapshotBytes: 0,
        initialiseNs: 0,
        initReads: [],
      },
      previous: versions.map(({ version }) => version),
      ...more,
    };
    this.#records.set(manifest.name, [record, ...versions]);
    return record;
  }

  async deploy(source: DeploySource, options: DeployOptions = {}): Promise<FunctionRecord> {
    const module = Buffer.from(source as Uint8Array);
    if (module.toString() === 'broken') throw new Error('the password is hunter2');
    if (!module.subarray(0, 4).equals(Buffer.from('\0asm'))) {
      throw new NebulaError('MODULE_INVALID', { detail: 'no magic number', offset: 0 });
    }
    const { snapshot: _, ...manifest } = options;
    return this.#add(module, { ...manifest, name: options.name ?? 'unnamed' });
  }

  fn<Exported extends Calls<Exported> = AnyCalls>(name: string): FunctionHandle<Exported> {
    throw new Error(`"${name}" is no component`);
  }

  async stream(
    name: string,
    input: Input | InputStream = '',
    options: InvokeOptions = {},
  ): Promise<StreamedInvocation> {
    const outcome = await this.invoke(name, input, options);
    const stdout = (async function* () {
      if (outcome.kind !== 'ok') throw new Error(outcome.kind);
      yield outcome.stdout;
    })();
    return { stdout, outcome: Promise.resolve(outcome) };
  }

  async invoke(name: string, input: Input | InputStream = '', options: InvokeOptions = {}): Promise<Outcome> {
    this.get(name);
    const pieces: Uint8Array[] = [];
    if (typeof input === 'string' || input instanceof Uint8Array) pieces.push(Buffer.from(input));
    else for await (const piece of input) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    this.invocations.push({ name, input: bytes, options });
    const behaviour = this.#behaviours.get(name) ?? ((echoed) => outcomeOf({ kind: 'ok' }, echoed));
    const outcome = await behaviour(bytes, options);
    this.outcomes[outcome.kind] = (this.outcomes[outcome.kind] ?? 0) + 1;
    return outcome;
  }

  async invokeOrThrow(name: string, input?: Input, options?: InvokeOptions): Promise<Uint8Array> {
    return (await this.invoke(name, input, options)).stdout;
  }

  async undeploy(name: string): Promise<void> {
    this.get(name);
    this.#records.delete(name);
  }

  async rollback(name: string): Promise<FunctionRecord> {
    this.get(name);
    const [, ...older] = this.#records.get(name) ?? [];
    if (older[0] === undefined) throw new NebulaError('NO_PREVIOUS_VERSION', { name });
    this.#records.set(name, older);
    return older[0];
  }

  list(): readonly FunctionRecord[] {
    return [...this.#records.values()].flatMap(([record]) => record ?? []);
  }

  get(name: string): FunctionRecord {
    const record = this.#records.get(name)?.[0];
    if (record === undefined) throw new NebulaError('FUNCTION_NOT_FOUND', { name });
    return record;
  }

  stats(): NebulaStats {
    const none = { ok: 0, exit: 0, trap: 0, timeout: 0, limit: 0, denied: 0, aborted: 0, failed: 0 };
    const run = { count: 4, p50Us: 5, p90Us: 6, p99Us: 7, maxUs: 8, meanUs: 5.5 };
    return {
      functions: [
        { name: 'echo', outcomes: { ...none, ok: 3, trap: 1 }, used: { units: 0, cpuNs: 0 }, latency: { run } },
      ],
      executor: {
        running: 1,
        suspended: 0,
        waiting: 2,
        units: 3,
        unitsReplaced: 4,
        stops: 6,
        restores: 7,
        restoresNs: 8e9,
        memories: 5,
        memoriesLimit: 6,
        paused: [{ name: 'loop', endings: 5, forMs: 1500 }],
        pauses: 9,
      },
    };
  }

  fetch(): Promise<Response> {
    throw new Error('The HTTP face does not ask the Nebula behind it');
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
