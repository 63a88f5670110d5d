/** Memory of many functions and of many calls, in a process that does nothing else. */

import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a process of its own measures, so that nothing else is in its memory. */
export type DensityTask =
  | { readonly kind: 'functions'; readonly count: number }
  | { readonly kind: 'calls'; readonly first: number; readonly total: number };

/** Resident memory of the process, in bytes. */
export interface DensityAnswer {
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

/** Measures in a new process, and resolves to its resident memory before and after. @throws Error when it ends without an answer */
export function densityOf(task: DensityTask): Promise<DensityAnswer> {
  const path = fileURLToPath(new URL(`./density-process${extname(import.meta.url)}`, import.meta.url));
  const child = fork(path, [JSON.stringify(task)], { execArgv: ['--expose-gc'] });
  return new Promise((resolve, reject) => {
    child.once('message', (answer) => resolve(answer as DensityAnswer));
    child.once('exit', (code) => reject(new Error(`Cannot measure density: its process exited with ${code}`)));
  });
}
