/**
 * Runs functions as native child processes: the floor that containers and micro-VMs are compared with. Nothing confines
 * them but their deadline and the bounds on their streams.
 */

import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { NebulaError } from '../../host/errors.ts';
import type { Executor } from '../executor.ts';
import type { Launch, NativeBackend, NativeGuest } from '../native/backend.ts';
import { checkBinary } from '../native/elf.ts';
import { NativeExecutor } from '../native/executor.ts';
import { launchChild } from './child-guest.ts';
import type { ProcessDefinition } from './definition.ts';

/** How many processes an executor may run, and what its answers wait for. */
export interface ProcessExecutorOptions {
  /** Processes that may run at once, over all functions; default: twice the machine's cores. */
  readonly processes?: number;
  /** Whether a cold call's answer waits until its process is cleared away, and so has a `remove` phase; default false. */
  readonly awaitRemoval?: boolean;
}

/** An executor of functions in child processes. */
export function createProcessExecutor(options: ProcessExecutorOptions = {}): Executor<ProcessDefinition> {
  const guests = options.processes ?? availableParallelism() * 2;
  return new NativeExecutor(new ProcessBackend(), { guests, awaitRemoval: options.awaitRemoval ?? false });
}

/** What a deploy makes: the path of the program. */
class ProcessBackend implements NativeBackend<ProcessDefinition, string> {
  readonly kind = 'process' as const;
  #directory: Promise<string> | undefined;
  #sequence = 0;

  async prepare({ name, binary }: ProcessDefinition): Promise<string> {
    checkBinary(name, binary, false);
    this.#directory ??= mkdtemp(join(tmpdir(), 'nebula-process-'));
    const path = join(await this.#directory, String(this.#sequence++));
    // Synchronously: a program that a child started meanwhile still has open for writing cannot be run (ETXTBSY).
    writeFileSync(path, binary, { mode: 0o500 });
    return path;
  }

  discard(path: string): Promise<void> {
    return rm(path, { force: true });
  }

  launch({ name }: ProcessDefinition, path: string, launch: Launch): Promise<NativeGuest> {
    return launchChild(name, path, launch);
  }

  lost(name: string, detail: string): NebulaError {
    return new NebulaError('PROCESS_LOST', { name, detail });
  }

  async close(): Promise<void> {
    if (this.#directory !== undefined) rmSync(await this.#directory, { recursive: true, force: true });
  }
}
