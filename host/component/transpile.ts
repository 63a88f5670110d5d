/**
 * Turns a component into core modules and the glue between them with jco-transpile, which is optional and brings 93 MB
 * of binaryen. It runs in a thread of its own that ends with it: it takes seconds, and loading it leaves a thread behind.
 */

import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { fromFailure, NebulaError } from '../errors.ts';
import type { TranspiledComponent } from './prepared-component.ts';
import type { TranspileAnswer, TranspileTask } from './transpile-thread.ts';

const PACKAGE = '@bytecodealliance/jco-transpile';

/**
 * Nothing of the component runs.
 * @throws NebulaError TRANSPILER_MISSING, MODULE_INVALID
 */
export async function transpileComponent(bytes: Uint8Array): Promise<TranspiledComponent> {
  const answer = await run({ bytes, isForTypes: false });
  if (!('glue' in answer)) throw new Error('the transpiler made no glue');
  const { glue, cores, wit } = answer;
  return {
    digest: createHash('sha256').update(bytes).digest('hex'),
    sizeBytes: bytes.length,
    glue,
    cores,
    wit,
  };
}

/**
 * TypeScript declarations of what a component imports and exports, by file name, as jco writes them.
 * @throws NebulaError TRANSPILER_MISSING, MODULE_INVALID
 */
export async function declareComponent(
  bytes: Uint8Array,
): Promise<{ readonly types: Readonly<Record<string, string>>; readonly wit: string }> {
  const answer = await run({ bytes, isForTypes: true });
  if (!('types' in answer)) throw new Error('the transpiler made no declarations');
  return answer;
}

async function run(task: TranspileTask): Promise<Exclude<TranspileAnswer, { readonly ok: false }>> {
  requireTranspiler();
  const answer = await runThread(task);
  if (answer.ok) return answer;
  if ('failure' in answer) throw fromFailure(answer.failure);
  throw new NebulaError('MODULE_INVALID', { detail: answer.detail, offset: answer.offset });
}

function requireTranspiler(): void {
  try {
    createRequire(import.meta.url).resolve(`${PACKAGE}/wasm-tools`);
  } catch (cause) {
    // A package without a CommonJS entry is found and refused with another code.
    if ((cause as { code?: unknown }).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return;
    throw new NebulaError('TRANSPILER_MISSING', { package: PACKAGE }, { cause });
  }
}

function runThread(task: TranspileTask): Promise<TranspileAnswer> {
  return new Promise((resolve, reject) => {
    const file = new URL(`./transpile-thread${extname(import.meta.url)}`, import.meta.url);
    const thread = new Worker(file, { workerData: task, stdout: true, stderr: true });
    thread.once('message', (answer: TranspileAnswer) => {
      resolve(answer);
      void thread.terminate();
    });
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('the transpiler ended without an answer')));
  });
}
