/** What a call that waits takes of memory, from without. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFor, send, type Load } from './contender.ts';
import type { Generator } from './generator.ts';
import { DOZES, type ProxyKind } from './proxies.ts';

/** By then all calls of a burst are under way. */
const LOOK_MS = DOZES['doze-long'] / 2;

/** Resident memory of a process in bytes; undefined where it cannot be told. Source: proc(5), /proc/PID/status, VmRSS. */
export function residentBytes(pid: number): number | undefined {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

/**
 * Bytes that each of the calls of a load takes while it waits, or why that is not known. In a new server whose connections are open: what
 * an older one has of garbage, the calls would be given.
 */
export async function bytesPerCall(
  kind: ProxyKind,
  upstream: string,
  load: Load,
  generator: Generator,
): Promise<number | string> {
  const proxy = await kind.start(upstream);
  if (proxy === undefined) return 'its server is not there';
  try {
    const first = { ...load, connections: 1 };
    await openFor(first, proxy, generator);
    await send(first, proxy, generator);
    await openFor(load, proxy, generator);
    const before = residentBytes(proxy.pid);
    const sending = send(load, proxy, generator);
    await sleep(LOOK_MS);
    const during = residentBytes(proxy.pid);
    const { latenciesUs, failures } = await sending;
    if (before === undefined || during === undefined) return 'it takes Linux';
    if (latenciesUs.length === load.connections) return (during - before) / load.connections;
    return `${latenciesUs.length} of ${load.connections} were answered, otherwise ${JSON.stringify(failures)}`;
  } finally {
    await generator.leave();
    await proxy.close();
  }
}
