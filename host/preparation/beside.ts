/** Where this thread has things prepared: what is large in a thread of its own, all else by processes that it owns itself. */

import { endIdleProcesses } from './children.ts';
import { prepareCompiled, type CompiledPreparations } from './compiled.ts';
import { PreparingThread } from './preparing-thread.ts';
import type { PreparationBounds, PreparationTask } from './task.ts';

/**
 * Code from this size on. Less costs this thread less than a millisecond, and is not worth another thread's start and memory. What
 * transpiling comes to does not show in a size.
 */
const LARGE_BYTES = 256 * 1024;

let thread: PreparingThread | undefined;

/**
 * Has a task done in a preparing process, and what it rewrote compiled.
 * @throws NebulaError DEPLOY_TIMEOUT, DEPLOY_MEMORY, PREPARER_LOST, MODULE_INVALID; what the task itself refuses
 */
export async function prepareBeside<Task extends PreparationTask>(
  task: Task,
  bounds: PreparationBounds,
): Promise<CompiledPreparations[Task['kind']]> {
  const owner = ownerOf(task);
  return owner === undefined ? prepareCompiled(task, bounds) : owner.prepare(task, bounds);
}

/** Ends the thread and the processes that have no task, and waits until they are gone. */
export async function endIdlePreparations(): Promise<void> {
  const ended = thread?.isIdle === true ? thread : undefined;
  if (ended !== undefined) thread = undefined;
  await Promise.all([ended?.leave(), endIdleProcesses()]);
}

/** The thread that is to own the task's process; undefined for this one. */
function ownerOf(task: PreparationTask): PreparingThread | undefined {
  if (thread?.isUsable === true) return thread;
  if (codeBytes(task) < LARGE_BYTES) return undefined;
  try {
    thread = new PreparingThread();
  } catch {
    // Node may have been told to start no threads, and starts none without a working directory.
    thread = undefined;
  }
  return thread;
}

function codeBytes(task: PreparationTask): number {
  if (task.kind === 'module') return task.bytes.length;
  if (task.kind !== 'component') return Infinity;
  return task.transpiled.cores.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
