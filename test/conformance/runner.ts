/**
 * Runs a folder of modules as the public WASI test suite has them, each in a micro-VM of its own on a worker thread with
 * a deadline: a test that hangs fails.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../host/errors.ts';
import type { Limits } from '../../host/limits.ts';
import { describeEnding, type Outcome } from '../../host/outcome.ts';
import { defineFunction } from '../../lib/registry/function-definition.ts';
import type { Executor } from '../../pools/executor.ts';
import { createWorkerExecutor } from '../../pools/worker/pool.ts';
import { explain, loadWasmTools, toComponent, type WasmTools } from './as-component.ts';
import { type FilesystemKind, Scratch } from './scratch.ts';
import { DEFAULT_SPECIFICATION, type ExpectedOutput, parseSpecification, type Specification } from './specification.ts';

export interface SuiteOptions {
  /** Folder whose `.wasm` files are run, those in folders beneath it included. */
  readonly directory: string;
  /** Text the path of a file must hold. */
  readonly filter?: string;
  readonly filesystem: FilesystemKind;
  /** Wall time one test may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether each is run as a component too, made with the preview 1 adapter. */
  readonly components?: boolean;
}

/** A case as a component. */
export interface ComponentResult {
  readonly failures: readonly string[];
  /** Why it fails here and passes as a core module, where that is known. */
  readonly reason?: string;
}

export interface CaseResult {
  /** Path relative to the folder. */
  readonly file: string;
  /** Why it failed, one sentence each; none when it passed. */
  readonly failures: readonly string[];
  readonly component?: ComponentResult;
  readonly durationMs: number;
}

const MIB = 1024 * 1024;

/** Above anything a test of the suite needs: what is tested is the host, not its limits. */
const LIMITS: Partial<Limits> = {
  memoryBytes: 1024 * MIB,
  stderrBytes: 32 * MIB,
  openFiles: 4096,
  filesystemBytes: 512 * MIB,
  filesystemEntries: 200_000,
};

/** Longest part of a stream that is shown in a failure, in characters. */
const SHOWN_LENGTH = 400;

/** Paths of the modules, relative to the folder and sorted. */
export function findCases(directory: string, filter: string = ''): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.wasm') && file.includes(filter))
    .sort();
}

/** Runs the modules one after the other. */
export async function* runSuite(options: SuiteOptions): AsyncGenerator<CaseResult> {
  const executor = createWorkerExecutor({ threads: 1, spareThreads: 1 });
  const tools = options.components === true ? await loadWasmTools() : undefined;
  try {
    for (const file of findCases(options.directory, options.filter)) {
      const startedMs = performance.now();
      const module = readFileSync(join(options.directory, file));
      const failures = await runCase(executor, file, options, () => module);
      const component = tools === undefined ? undefined : await runComponent(executor, file, options, module, tools);
      const durationMs = performance.now() - startedMs;
      yield { file, failures, ...(component === undefined ? {} : { component }), durationMs };
    }
  } finally {
    await executor.close(0);
  }
}

async function runComponent(
  executor: Executor,
  file: string,
  options: SuiteOptions,
  module: Uint8Array,
  tools: WasmTools,
): Promise<ComponentResult> {
  const failures = await runCase(executor, file, options, () => toComponent(tools, module));
  const reason = failures.length === 0 ? undefined : explain(module, failures);
  return reason === undefined ? { failures } : { failures, reason };
}

async function runCase(
  executor: Executor,
  file: string,
  options: SuiteOptions,
  make: () => Uint8Array | Promise<Uint8Array>,
): Promise<string[]> {
  let scratch: Scratch | undefined;
  try {
    const path = join(options.directory, file);
    const specification = readSpecification(path);
    scratch = new Scratch(dirname(path), specification.directories, options.filesystem);
    const module = await make();
    return compare(specification, await invoke(executor, { file, module }, specification, scratch, options));
  } catch (error) {
    return [messageOf(error)];
  } finally {
    scratch?.remove();
  }
}

function readSpecification(modulePath: string): Specification {
  const path = modulePath.replace(/\.wasm$/, '.json');
  return existsSync(path) ? parseSpecification(readFileSync(path, 'utf8')) : DEFAULT_SPECIFICATION;
}

async function invoke(
  executor: Executor,
  { file, module }: { readonly file: string; readonly module: Uint8Array },
  specification: Specification,
  scratch: Scratch,
  options: SuiteOptions,
): Promise<Outcome> {
  const capabilities = {
    arguments: specification.arguments,
    environment: specification.environment,
    mounts: scratch.mounts,
  };
  const limits = { ...LIMITS, timeoutMs: options.timeoutMs };
  const manifest = { name: basename(file), limits, capabilities, strategy: 'fresh' as const };
  const definition = await defineFunction(file, { module, manifest }, { audit: false });
  await executor.deploy(definition);
  try {
    return await executor.invoke(definition, { input: new TextEncoder().encode(specification.stdin) });
  } finally {
    await executor.undeploy(definition.id);
  }
}

function compare(specification: Specification, outcome: Outcome): string[] {
  const failures: string[] = [];
  const exitCode = outcome.kind === 'ok' ? 0 : outcome.kind === 'exit' ? outcome.exitCode : undefined;
  const stderr = decode(outcome.stderr);
  if (exitCode !== specification.exitCode) {
    const told = stderr === '' ? '' : `; stderr: ${show(stderr)}`;
    failures.push(`expected exit code ${specification.exitCode}, got ${describeEnding(outcome)}${told}`);
  }
  failures.push(...compareStream('stdout', specification.stdout, decode(outcome.stdout)));
  failures.push(...compareStream('stderr', specification.stderr, stderr));
  return failures;
}

function compareStream(name: string, expected: ExpectedOutput | undefined, got: string): string[] {
  if (expected === undefined) return [];
  const { text, isPrefix } = expected;
  if (isPrefix ? got.startsWith(text) : got === text) return [];
  return [`expected ${name} ${isPrefix ? 'to begin with ' : ''}${show(text)}, got ${show(got)}`];
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function show(text: string): string {
  return JSON.stringify(text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text);
}
