/** The thread in which jco-transpile runs once. */

import { parentPort, workerData } from 'node:worker_threads';
import { type Failure, messageOf, toFailure } from '../errors.ts';
import { boundedGlue } from './bounded-glue.ts';
import { refuseUnknownWorld } from './entries.ts';
import { renewableFactory } from './renewable-glue.ts';
import type { Parse } from './syntax.ts';

export interface TranspileTask {
  readonly bytes: Uint8Array;
  /** Whether TypeScript declarations are wanted in place of code. */
  readonly isForTypes: boolean;
}

export type TranspileAnswer =
  | {
      readonly ok: true;
      readonly glue: string;
      readonly cores: readonly { readonly file: string; readonly bytes: Uint8Array }[];
      readonly wit: string;
    }
  | {
      readonly ok: true;
      /** Declarations by file name. */
      readonly types: Readonly<Record<string, string>>;
      readonly wit: string;
    }
  | { readonly ok: false; readonly detail: string; readonly offset: string }
  /** What we refuse, not the transpiler. */
  | { readonly ok: false; readonly failure: Failure };

interface Transpiler {
  readonly transpileBytes: (
    bytes: Uint8Array,
    options: object,
  ) => Promise<{ readonly files: Record<string, Uint8Array> }>;
}

interface WasmTools {
  readonly componentWit: (bytes: Uint8Array) => Promise<string>;
}

interface Acorn {
  readonly parse: (source: string, options: { readonly ecmaVersion: 'latest' }) => ReturnType<Parse>;
}

/** `base64Cutoff: 0` keeps every core module a file of its own; the world is given at instantiation. */
const OPTIONS = {
  name: 'component',
  instantiation: 'sync',
  nodejsCompat: false,
  tlaCompat: false,
  base64Cutoff: 0,
  emitTypescriptDeclarations: false,
  noComponentErrorWrapping: true,
  minify: true,
};

async function transpile({ bytes, isForTypes }: TranspileTask): Promise<TranspileAnswer> {
  // Optional packages are named by a variable so that the build does not need them.
  const [base, tools] = ['@bytecodealliance/jco-transpile', '@bytecodealliance/jco-transpile/wasm-tools'];
  const { componentWit } = (await import(tools)) as WasmTools;
  const { transpileBytes } = (await import(base)) as Transpiler;
  try {
    refuseUnknownWorld(bytes);
    const wit = await componentWit(bytes);
    const { files } = await transpileBytes(bytes, { ...OPTIONS, emitTypescriptDeclarations: isForTypes });
    if (isForTypes) return { ok: true, types: declarations(files), wit };
    const names = Object.keys(files);
    const glue = names.find((name) => name.endsWith('.js'));
    const source = glue === undefined ? undefined : files[glue];
    if (source === undefined) return { ok: false, detail: 'the transpiler made no glue', offset: 'unknown' };
    const cores = names
      .filter((name) => name.endsWith('.wasm'))
      .map((file) => ({ file, bytes: files[file] ?? new Uint8Array() }));
    return { ok: true, glue: await toFactory(new TextDecoder().decode(source)), cores, wit };
  } catch (error) {
    const failure = toFailure(error);
    return failure === undefined ? { ok: false, ...describe(error) } : { ok: false, failure };
  }
}

function declarations(files: Readonly<Record<string, Uint8Array>>): Record<string, string> {
  const decoder = new TextDecoder();
  const found = Object.entries(files).filter(([name]) => name.endsWith('.d.ts'));
  return Object.fromEntries(found.map(([name, bytes]) => [name, decoder.decode(bytes)]));
}

/** The glue, an ECMAScript module, as a script whose value is a factory of its `instantiate`. */
async function toFactory(source: string): Promise<string> {
  const start = source.indexOf('export function instantiate(');
  const end = source.indexOf('export const _util');
  if (start < 0) throw new Error('the transpiler made no instantiate function');
  const body = source.slice(start + 'export '.length, end < 0 ? undefined : end).trimEnd();
  const instantiate = body.replace(/;$/, '');
  const name = 'acorn';
  const acorn = (await import(name)) as Acorn;
  const parse: Parse = (text) => acorn.parse(text, { ecmaVersion: 'latest' });
  return renewableFactory(boundedGlue(instantiate, parse), parse);
}

/** What wasm-tools throws has its words in `payload`, a chain of causes, one a line. */
function describe(error: unknown): { detail: string; offset: string } {
  const payload = (error as { payload?: unknown }).payload;
  const text = typeof payload === 'string' ? payload : messageOf(error);
  const offset = /at offset 0x([0-9a-f]+)/.exec(text)?.[1];
  const detail = text
    .replace(/\s*\(at offset 0x[0-9a-f]+\)/g, '')
    .split('\n')
    .map((line) => line.trim().replace(/^\d+: /, ''))
    .filter((line) => line !== '' && line !== 'Caused by:')
    .join(': ');
  return { detail, offset: offset === undefined ? 'unknown' : String(parseInt(offset, 16)) };
}

parentPort?.postMessage(await transpile(workerData as TranspileTask));
