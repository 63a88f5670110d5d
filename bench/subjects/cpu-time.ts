/** Time that a process has spent on cores, all of its threads together. Linux. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Nanoseconds on a core so far, of the threads that are alive; undefined where the kernel does not tell.
 * Source: proc(5), /proc/PID/task/TID/schedstat, whose first number it is.
 */
export function cpuTimeNs(pid: number): number | undefined {
  const tasks = join('/proc', String(pid), 'task');
  try {
    return readdirSync(tasks).reduce((sum, task) => sum + taskTimeNs(join(tasks, task, 'schedstat')), 0);
  } catch {
    return undefined;
  }
}

function taskTimeNs(path: string): number {
  return Number(readFileSync(path, 'utf8').split(' ')[0]);
}

/** Shares of a core that a process takes, in `count` windows of a second after one that is left out; none where it cannot be told. */
export async function cpuShares(pid: number, count: number): Promise<number[]> {
  const shares: number[] = [];
  await sleep(1000);
  for (let window = 0; window < count; window++) {
    const [beforeNs, startedMs] = [cpuTimeNs(pid), performance.now()];
    await sleep(1000);
    const [afterNs, tookMs] = [cpuTimeNs(pid), performance.now() - startedMs];
    if (beforeNs !== undefined && afterNs !== undefined) shares.push((afterNs - beforeNs) / 1e6 / tookMs);
  }
  return shares;
}
