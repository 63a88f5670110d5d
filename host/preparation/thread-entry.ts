/** The thread that owns the preparing processes of what is large: their pipes, what comes of them, and the garbage it leaves. */

import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { sharedCopy } from '../bytes.ts';
import { toFailure } from '../errors.ts';
import { collectGarbage } from '../linux/address-space.ts';
import { endIdleProcesses } from './children.ts';
import { prepareCompiled } from './compiled.ts';
import type { PreparationBounds, PreparationTask } from './task.ts';
import type { ThreadAnswer, ThreadData, ThreadRequest } from './thread-messages.ts';

/** Before pools have the C library give back what is free (pools/heap.ts). */
const QUIET_MS = 250;

const port = parentPort as MessagePort;
process.execPath = (workerData as ThreadData).execPath;

const answer = (given: ThreadAnswer): void => port.postMessage(given);

/** Bytes that are for the one who asked are shared with it, so that it need not copy them. */
async function prepare(task: PreparationTask, bounds: PreparationBounds): Promise<unknown> {
  if (task.kind !== 'transpile') return prepareCompiled(task, bounds);
  const transpiled = await prepareCompiled(task, bounds);
  return { ...transpiled, cores: transpiled.cores.map(({ file, bytes }) => ({ file, bytes: sharedCopy(bytes) })) };
}

let collecting: NodeJS.Timeout | undefined;
let underWay = 0;

/** Has what pipes and copies left collected between bursts of deploys: nothing else in this thread makes the collector come. */
function collectSoon(): void {
  collecting = setTimeout(collectGarbage, QUIET_MS).unref();
}

async function serve(request: ThreadRequest): Promise<void> {
  if (request.kind === 'end') {
    clearTimeout(collecting);
    await endIdleProcesses();
    port.close();
    return;
  }
  const { ticket, task, bounds } = request;
  clearTimeout(collecting);
  underWay++;
  try {
    answer({ kind: 'done', ticket, result: await prepare(task, bounds) });
  } catch (error) {
    const failure = toFailure(error);
    answer(failure === undefined ? { kind: 'error', ticket, error } : { kind: 'failed', ticket, failure });
  } finally {
    if (--underWay === 0) collectSoon();
  }
}

port.on('message', (request: ThreadRequest) => void serve(request));
answer({ kind: 'ready' });
