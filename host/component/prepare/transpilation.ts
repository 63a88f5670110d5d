/**
 * Turns a component into core modules and the glue between them with jco-transpile, which is optional and brings 93 MB
 * of binaryen. Only a preparing process does this: it takes seconds, and loading it leaves a thread behind.
 */

import { createHash } from 'node:crypto';
import { NO_BYTES, UTF8_DECODER } from '../../bytes.ts';
import { isNebulaError, messageOf, NebulaError } from '../../errors.ts';
import { refuseAbove } from '../../module/ceilings.ts';
import { boundedGlue } from './glue/bounded-glue.ts';
import { refuseUnknownWorld } from './entries.ts';
import { checkGlue } from './glue/check.ts';
import { directCalls } from './glue/direct-calls.ts';
import { guardGlue } from './glue/guard.ts';
import { rewriteNames } from './names/component-names.ts';
import type { TranspiledComponent } from '../../definition/prepared-component.ts';
import { renewableFactory } from './glue/renewable-glue.ts';
import { splitExports } from './glue/split-exports.ts';
import { synchronousGlue } from './glue/synchronous-glue.ts';
import { waitingImports } from './glue/waiting-imports.ts';

/** TypeScript declarations of what a component imports and exports, by file name, as jco writes them. */
export interface Declarations {
  readonly types: Readonly<Record<string, string>>;
  /** The world, as the component carries it. */
  readonly wit: string;
}

interface Transpiler {
  readonly transpileBytes: (
    bytes: Uint8Array,
    options: object,
  ) => Promise<{ readonly files: Record<string, Uint8Array> }>;
}

interface WasmTools {
  readonly componentWit: (bytes: Uint8Array) => Promise<string>;
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

/** @throws NebulaError MODULE_INVALID, MODULE_UNSUPPORTED, GLUE_REFUSED */
export async function transpile(bytes: Uint8Array): Promise<TranspiledComponent> {
  return refusing(async () => {
    const { files, wit } = await run(bytes, OPTIONS);
    const names = Object.keys(files);
    const glue = names.find((name) => name.endsWith('.js'));
    const source = glue === undefined ? undefined : files[glue];
    if (source === undefined) throw new Error('the transpiler made no glue');
    refuseAbove('glueBytes', source.length);
    const cores = names
      .filter((name) => name.endsWith('.wasm'))
      .map((file) => ({ file, bytes: files[file] ?? NO_BYTES }));
    return {
      digest: createHash('sha256').update(bytes).digest('hex'),
      sizeBytes: bytes.length,
      glue: toFactory(UTF8_DECODER.decode(source)),
      cores,
      wit,
    };
  });
}

/** @throws NebulaError MODULE_INVALID */
export async function declare(bytes: Uint8Array): Promise<Declarations> {
  return refusing(async () => {
    const { files, wit } = await run(bytes, { ...OPTIONS, emitTypescriptDeclarations: true });
    return { types: declarations(files), wit };
  });
}

async function run(
  bytes: Uint8Array,
  options: object,
): Promise<{ readonly files: Readonly<Record<string, Uint8Array>>; readonly wit: string }> {
  // Optional packages are named by a variable so that the build does not need them.
  const [base, tools] = ['@bytecodealliance/jco-transpile', '@bytecodealliance/jco-transpile/wasm-tools'];
  const { componentWit } = (await import(tools)) as WasmTools;
  const { transpileBytes } = (await import(base)) as Transpiler;
  refuseUnknownWorld(bytes);
  const renamed = rewriteNames(bytes);
  const wit = await componentWit(renamed);
  return { files: (await transpileBytes(renamed, options)).files, wit };
}

let broken = false;

/** Whether a transpiler has trapped: what it is given afterwards fails, whatever it is, so that this process is spent. */
export function isTranspilerBroken(): boolean {
  return broken;
}

/** What transpilers throw, as a refusal of the component; what is short of memory stays that. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const isShort = cause instanceof RangeError && !/call stack/.test(cause.message);
    if (isNebulaError(cause) || isShort || (cause as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND') throw cause;
    broken ||= cause instanceof WebAssembly.RuntimeError;
    throw new NebulaError('MODULE_INVALID', describe(cause), { cause });
  }
}

function declarations(files: Readonly<Record<string, Uint8Array>>): Record<string, string> {
  const found = Object.entries(files).filter(([name]) => name.endsWith('.d.ts'));
  return Object.fromEntries(found.map(([name, bytes]) => [name, UTF8_DECODER.decode(bytes)]));
}

/** The glue, an ECMAScript module, as a script whose value is a factory of its `instantiate`. @throws NebulaError GLUE_REFUSED */
function toFactory(source: string): string {
  const start = source.indexOf('export function instantiate(');
  const end = source.indexOf('export const _util');
  if (start < 0) throw new Error('the transpiler made no instantiate function');
  const body = source.slice(start + 'export '.length, end < 0 ? undefined : end).trimEnd();
  const marked = synchronousGlue(waitingImports(body.replace(/;$/, '')));
  const instantiate = splitExports(directCalls(boundedGlue(marked)));
  const glue = guardGlue(renewableFactory(instantiate));
  checkGlue(glue);
  return glue;
}

/** What wasm-tools throws has its words in `payload`, a chain of causes, one a line. */
function describe(error: unknown): { detail: string; offset: number | string } {
  const payload = (error as { payload?: unknown }).payload;
  const text = typeof payload === 'string' ? payload : messageOf(error);
  const offset = /at offset 0x([0-9a-f]+)/.exec(text)?.[1];
  const detail = text
    .replace(/\s*\(at offset 0x[0-9a-f]+\)/g, '')
    .split('\n')
    .map((line) => line.trim().replace(/^\d+: /, ''))
    .filter((line) => line !== '' && line !== 'Caused by:')
    .join(': ');
  return { detail, offset: offset === undefined ? 'unknown' : parseInt(offset, 16) };
}
