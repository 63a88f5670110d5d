/** The threads' own floor: a raw MessagePort and Piscina, each answering what it was sent. */

import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Subject } from '../measurement/series.ts';

/** What a call of `noop` carries, so that all send alike. */
const MESSAGE = { id: 'noop', input: new Uint8Array(0), calledNs: 1 };

/** A worker that echoes over a bare MessagePort. */
export function rawMessagePort(): Subject {
  const source = `const { parentPort } = require('node:worker_threads'); parentPort.on('message', (m) => parentPort.postMessage(m));`;
  const worker = new Worker(source, { eval: true });
  let answered: ((message: unknown) => void) | undefined;
  worker.on('message', (message) => answered?.(message));
  const run = (): Promise<unknown> =>
    new Promise((resolve) => {
      answered = resolve;
      worker.postMessage(MESSAGE);
    });
  return { name: 'raw-message-port', run, close: () => worker.terminate() };
}

/** Piscina as it comes, with one thread and a handler that answers its argument. */
export function piscinaEcho(): Subject {
  const filename = fileURLToPath(new URL(`./echo-worker${extname(import.meta.url)}`, import.meta.url));
  const piscina = new Piscina({ filename, name: 'echo', minThreads: 1, maxThreads: 1 });
  return { name: 'piscina-echo', run: () => piscina.run(MESSAGE), close: () => piscina.destroy() };
}
