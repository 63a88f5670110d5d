/** `nebula invoke`: one function, once, here or on a server. */

import { existsSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { STRICT_UTF8_DECODER } from '../../host/bytes.ts';
import { argumentError, messageOf, NebulaError } from '../../host/errors.ts';
import { DEFAULT_LIMITS } from '../../host/limits.ts';
import type { Ending } from '../../host/outcome.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { Runtime } from '../schema/runtime.ts';
import { createExecutor } from '../executor.ts';
import type { DefinitionSource } from '../registry/function-definition.ts';
import { defineForRuntime } from '../registry/runtime-definition.ts';
import { Runtimes } from '../runtimes.ts';
import { EXIT_GUEST } from './failure.ts';
import { applyOptions, type FunctionOptions, type ServerAccess } from './options.ts';
import { printable } from '../wire/printable.ts';
import { readInput, writeAll } from './streams.ts';

/** This process' own stdout and stderr. */
const STREAMS = { stdout: 1, stderr: 2 } as const;

/** Whoever runs a file of the machine's may run any program there. */
const ALL_RUNTIMES: readonly Runtime[] = ['wasm', 'container', 'process'];

/** Options of `invoke`. */
export interface InvokeCommandOptions extends FunctionOptions, ServerAccess {
  readonly json?: boolean;
  readonly manifest?: string;
  readonly snapshot?: string;
  readonly audit?: boolean;
}

/** What is told of an invocation, wherever it ran. */
type Result = (Ending | { readonly kind: 'failed' }) & {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
};

/** Runs a file here, or asks the server for a name that is no file. Sets the exit code to the guest's. */
export async function invoke(given: InvokeCommandOptions, target: string, ...texts: string[]): Promise<void> {
  const options = texts.length === 0 ? given : { ...given, arg: [...(given.arg ?? []), ...texts] };
  const isHere = isLocal(target, options);
  const result = isHere ? await invokeFile(target, options) : await invokeName(target, options);
  if (options.json === true) {
    const { stdout, stderr, ...rest } = result;
    const shown = { ...rest, stdout: toText(stdout), stderr: toText(stderr) };
    await writeAll(process.stdout, `${JSON.stringify(shown, undefined, 2)}\n`);
  } else {
    await writeAll(process.stdout, result.stdout);
    await writeAll(process.stderr, result.stderr);
    await writeAll(process.stderr, describeEnding(result, isHere));
  }
  process.exitCode = exitCodeOf(result);
}

/** A path, or the name of something here that can be run; what looks like a path is never looked up on a server. */
function isLocal(target: string, options: InvokeCommandOptions): boolean {
  if (/[/\\]|\.(wasm|json)$/.test(target) || options.manifest !== undefined) return true;
  if (!existsSync(target)) return false;
  return statSync(target, { bigint: true }).isFile() || existsSync(join(target, 'nebula.json'));
}

async function invokeFile(target: string, options: InvokeCommandOptions): Promise<Result> {
  const source = await loadFile(target, options);
  const { manifest } = source;
  const { timeoutMs } = { ...DEFAULT_LIMITS, ...manifest.limits };
  // Only a thread of its own can be stopped at the deadline; without one this thread answers sooner.
  const isThreadNeeded = timeoutMs !== 0 && isWasm(manifest);
  const opening = createExecutor({ executor: isThreadNeeded ? 'worker' : 'in-thread', threads: 1, spareThreads: 0 });
  // It is awaited last; a failure before that must not count as unhandled.
  opening.catch(() => undefined);
  let executor: Runtimes | undefined;
  try {
    const input = readInput(manifest.limits?.inputBytes ?? DEFAULT_LIMITS.inputBytes);
    const preparing = defineForRuntime(manifest.name, source, { audit: options.audit ?? false });
    const [definition, bytes] = await Promise.all([preparing, input]);
    executor = new Runtimes(await opening, { runtimes: ALL_RUNTIMES });
    await executor.deploy(definition);
    return await executor.invoke(definition, { input: bytes, ...(options.json === true ? {} : { passOn: STREAMS }) });
  } finally {
    await (executor ?? (await opening)).close(0);
    // Input that was not wanted any more would keep the process waiting for its end.
    process.stdin.destroy();
  }
}

async function loadFile(target: string, options: InvokeCommandOptions): Promise<DefinitionSource> {
  const path = resolve(target);
  const given = options.snapshot === undefined ? undefined : resolve(options.snapshot);
  const isModule = !path.endsWith('.json') && !(await isDirectory(path));
  if (isModule && options.manifest === undefined) {
    return {
      module: await readBytes(path),
      manifest: applyOptions(onceOnly({ name: basename(path, '.wasm') }), options),
      ...(await readSnapshot(given)),
    };
  }
  const { loadSource, readManifest } = await import('../registry/source.ts');
  if (!isModule) {
    const { manifest, paths: _, ...loaded } = await loadSource(path, given === undefined ? {} : { snapshot: given });
    const once = applyOptions(onceOnly(manifest), options);
    return { ...loaded, manifest: once };
  }
  const located = await readManifest(options.manifest as string);
  const { snapshot: named, ...manifest } = located.manifest;
  const once = applyOptions(onceOnly(manifest), options);
  const stored = named === undefined ? undefined : resolve(dirname(located.path), named);
  return { module: await readBytes(path), manifest: once, ...(await readSnapshot(given ?? stored)) };
}

async function readSnapshot(path: string | undefined): Promise<Pick<DefinitionSource, 'snapshot'>> {
  return path === undefined ? {} : { snapshot: await readBytes(path) };
}

/** One run of a fresh instance needs no calibration of the ways to put it back. */
function onceOnly(manifest: Manifest): Manifest {
  return isWasm(manifest) ? { ...manifest, strategy: manifest.strategy ?? 'fresh' } : manifest;
}

function isWasm({ runtime = 'wasm' }: Manifest): boolean {
  return runtime === 'wasm';
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw new NebulaError('FILE_UNREADABLE', { path, detail: messageOf(cause) }, { cause });
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new NebulaError('FILE_UNREADABLE', { path, detail: messageOf(cause) }, { cause });
  }
}

async function invokeName(name: string, options: InvokeCommandOptions): Promise<Result> {
  for (const option of ['arg', 'env', 'mount', 'timeoutMs', 'memoryMib', 'snapshot', 'audit'] as const) {
    if (options[option] !== undefined) {
      throw argumentError(option, `left out for a function on a server: "${name}" is no file here`, options[option]);
    }
  }
  const { NebulaClient } = await import('../client/client.ts');
  const { url, token } = options;
  const client = new NebulaClient({ url, ...(token === undefined ? {} : { token }) });
  try {
    return await client.invoke(name, await readInput(Number.MAX_SAFE_INTEGER));
  } finally {
    await client.close();
    process.stdin.destroy();
  }
}

function toText(bytes: Uint8Array): string | { base64: string } {
  try {
    return STRICT_UTF8_DECODER.decode(bytes);
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}

function exitCodeOf(result: Result): number {
  if (result.kind === 'ok') return 0;
  if (result.kind !== 'exit') return EXIT_GUEST;
  // A process has 8 bits for its code; what does not fit must still not look like success.
  return result.exitCode & 0xff || EXIT_GUEST;
}

/** One line for stderr, or nothing for an ending whose exit code says it all. */
function describeEnding(result: Result, isHere: boolean): string {
  switch (result.kind) {
    case 'ok':
    case 'exit':
      return '';
    case 'trap':
      return `nebula: the guest trapped: ${describeTrap(result.reason, result.message)}\n`;
    case 'timeout':
      return `nebula: the guest did not end within ${result.timeoutMs} ms (raise ${isHere ? 'it with --timeout-ms' : 'limits.timeoutMs in its manifest'})\n`;
    case 'limit':
      return `nebula: the guest reached its limit ${result.limit} of ${result.allowed} (raise it in its manifest)\n`;
    case 'denied':
      return `nebula: the guest used ${result.capability}, which it was not given (grant it in its manifest)\n`;
    case 'aborted':
      return 'nebula: the invocation was aborted\n';
    case 'failed':
      return 'nebula: the guest failed, and the server says how only to who may manage functions (--token), or where its manifest lets it (http.showFailures)\n';
    default:
      return result satisfies never;
  }
}

function describeTrap(reason: string, message: string): string {
  return message === reason ? reason : `${reason} (${printable(message.replaceAll('\n', ' '))})`;
}
