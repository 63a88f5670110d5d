/** The preparing processes of this thread: kept warm while deploys follow one another, and ended when none does. */

import { availableParallelism } from 'node:os';
import { isNebulaError, messageOf, NebulaError } from '../errors.ts';
import { PreparingChild } from './child.ts';
import type { PreparationBounds, Preparations, PreparationTask } from './task.ts';

/** How long one without a task is kept. */
const IDLE_MS = 5000;
/** Tasks at once; others wait for their turn. */
const AT_ONCE = Math.min(Math.max(availableParallelism(), 2), 4);

interface Idle {
  readonly child: PreparingChild;
  readonly timer: NodeJS.Timeout;
}

const idle: Idle[] = [];
const waiting: (() => void)[] = [];
let running = 0;

/**
 * Has a process of its own prepare, within bounds of time and memory. The process is ended when it reaches one.
 * @throws NebulaError DEPLOY_TIMEOUT, DEPLOY_MEMORY, PREPARER_LOST; what the task itself refuses
 */
export async function prepareApart<Task extends PreparationTask>(
  task: Task,
  bounds: PreparationBounds,
): Promise<Preparations[Task['kind']]> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  let child: PreparingChild | undefined;
  try {
    child = takeIdle() ?? startChild();
    return (await child.run(task, bounds)) as Preparations[Task['kind']];
  } finally {
    if (child?.isUsable === true) keep(child);
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

/** Ends those that have no task, and waits until they are gone. */
export async function endIdleProcesses(): Promise<void> {
  const ended = idle.splice(0).map(({ child, timer }) => {
    clearTimeout(timer);
    return child.leave();
  });
  await Promise.all(ended);
}

/** Node may not be allowed to start processes. */
function startChild(): PreparingChild {
  try {
    return new PreparingChild();
  } catch (cause) {
    if (isNebulaError(cause)) throw cause;
    throw new NebulaError('PREPARER_LOST', { step: 'starting', detail: messageOf(cause) }, { cause });
  }
}

function takeIdle(): PreparingChild | undefined {
  for (let last = idle.pop(); last !== undefined; last = idle.pop()) {
    clearTimeout(last.timer);
    if (last.child.isUsable) return last.child;
  }
  return undefined;
}

function keep(child: PreparingChild): void {
  const timer = setTimeout(() => {
    idle.splice(idle.indexOf(kept), 1);
    child.end();
  }, IDLE_MS);
  timer.unref();
  const kept: Idle = { child, timer };
  idle.push(kept);
}
