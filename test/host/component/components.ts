/** Components for the tests: committed guests with the preview1 adapter, and the JavaScript one, transpiled once per digest. */

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { componentNew } from '@bytecodealliance/jco-transpile/wasm-tools';
import { resolveCapabilities, type Capabilities } from '../../../host/capabilities/capabilities.ts';
import type { CountingWish } from '../../../host/definition/budget.ts';
import type { RequestHead, ResponseHead } from '../../../host/http-message.ts';
import type { ComponentDefinition } from '../../../host/component/vm/component-definition.ts';
import { ComponentVm } from '../../../host/component/vm/component-vm.ts';
import { decodeResult, type FunctionResult } from '../../../host/component/vm/exported-function.ts';
import type { TranspiledComponent } from '../../../host/definition/prepared-component.ts';
import { prepareComponent } from '../../../host/preparation/component.ts';
import { DEFAULT_LIMITS, resolveLimits, type Limits } from '../../../host/limits.ts';
import type { Ending } from '../../../host/outcome.ts';
import { ComponentCache } from '../../../lib/registry/component-cache.ts';
import { writePrepared } from '../../../lib/registry/prepared-folder.ts';

const FUNCTIONS = join(import.meta.dirname, '..', '..', '..', '..', 'functions');
const ADAPTER = join(FUNCTIONS, 'components', 'adapter', 'wasi_snapshot_preview1.command.wasm');

const DIST = join(import.meta.dirname, '..', '..', '..');

/** Names what makes components, so that nothing is taken that other code has made. */
function digestOfMakers(): string {
  const makers = join(DIST, 'host', 'component');
  const files = readdirSync(makers, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  const hash = createHash('sha256').update(read(join(DIST, '..', 'package.json')));
  for (const file of files.sort()) hash.update(file).update(read(join(makers, file)));
  return hash.digest('hex').slice(0, 16);
}

/** Shared by the test processes of this build, and by nobody else: what is kept of other builds is deleted. */
function openKept(): ComponentCache {
  const folder = join(DIST, 'test-components');
  const name = digestOfMakers();
  mkdirSync(join(folder, name), { recursive: true });
  for (const other of readdirSync(folder)) {
    if (other !== name) rmSync(join(folder, other), { recursive: true, force: true });
  }
  return new ComponentCache(join(folder, name));
}

/** Components transpiled for the tests. */
const keptComponents: ComponentCache = openKept();

/** On a machine that does much else, transpiling takes far longer than a deploy may. */
const LONG_MS = 600_000;

/** A component transpiled, once for all tests. */
export function transpiled(bytes: Uint8Array): Promise<TranspiledComponent> {
  return keptComponents.get(bytes, undefined, { ...DEFAULT_LIMITS, deployMs: LONG_MS });
}

function read(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** A preview1 command as a component: a committed one by its folder below `functions`, or any by its bytes. */
export function commandComponent(from: string | Uint8Array): Promise<Uint8Array> {
  const core =
    typeof from === 'string' ? read(join(FUNCTIONS, from, `${from.slice(from.lastIndexOf('/') + 1)}.wasm`)) : from;
  return componentNew(core, [['wasi_snapshot_preview1', read(ADAPTER)]]);
}

export const WEB_FOLDER: string = join(FUNCTIONS, 'components', 'web');

export function webComponent(): Uint8Array {
  return read(join(WEB_FOLDER, 'web.wasm'));
}

/** A component made of a core module in text, by its folder in functions/components. */
export function textComponent(name: 'dial' | 'hello' | 'trailers'): Uint8Array {
  return read(join(FUNCTIONS, 'components', name, `${name}.wasm`));
}

/** A folder to deploy a component from: transpiled once for all tests. */
export async function preparedFolder(bytes: Uint8Array, name: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), `nebula-${name}-`));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await writePrepared(folder, await transpiled(bytes));
  writeFileSync(join(folder, 'component.wasm'), bytes);
  writeFileSync(join(folder, 'nebula.json'), JSON.stringify({ name, module: 'component.wasm' }));
  return folder;
}

/** The same of the component that answers as its query says. */
export function scriptedFolder(): Promise<string> {
  return preparedFolder(read(join(FUNCTIONS, 'components', 'scripted', 'scripted.wasm')), 'scripted');
}

function hex(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}

/** A step of the scripted component that says something of a field. */
export function field(step: 'field' | 'list' | 'trailer', name: string, value: string): string {
  return `${step}:${hex(name)}=${hex(value)}`;
}

/** A step of the scripted component that writes a text of one character a byte. */
export function put(text: string, step: 'put' | 'blocking' = 'put'): string {
  return `${step}:${hex(text)}`;
}

/** A query for the scripted component. */
export function script(...steps: readonly string[]): string {
  return `/?${steps.join('&').replaceAll(' ', '%20')}`;
}

export interface Given {
  readonly limits?: Partial<Limits>;
  readonly capabilities?: Partial<Capabilities>;
  readonly reuse?: number;
  /** Whether its core modules count units; they do not by default. */
  readonly wish?: CountingWish;
}

export async function defineComponent(bytes: Uint8Array, given: Given = {}): Promise<ComponentDefinition> {
  const limits = resolveLimits({ timeoutMs: 0, memoryBytes: 256 * 1024 * 1024, ...given.limits });
  const bounds = { ...limits, deployMs: LONG_MS };
  const { component, prepared } = await prepareComponent(await transpiled(bytes), bounds, given.wish);
  return {
    id: 'test',
    name: 'test',
    component,
    prepared,
    entry: prepared.info.entry,
    limits,
    capabilities: resolveCapabilities(given.capabilities),
    init: { environment: {}, allow: [], warmUp: [] },
    strategy: 'auto',
    audit: false,
    ...(given.reuse === undefined ? {} : { reuse: given.reuse }),
  };
}

export interface Ran {
  readonly ending: Ending;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in a new instance. */
export function runCommand(
  definition: ComponentDefinition,
  call: { readonly input?: string; readonly arguments?: readonly string[] } = {},
  timeoutMs = 0,
): Ran {
  const vm = new ComponentVm(definition);
  try {
    const given = {
      input: Buffer.from(call.input ?? ''),
      arguments: call.arguments ?? definition.capabilities.arguments,
      environment: definition.capabilities.environment,
    };
    const ending = vm.run(given, timeoutMs);
    return { ending, stdout: Buffer.from(vm.stdout()).toString(), stderr: Buffer.from(vm.stderr()).toString() };
  } finally {
    vm.close();
  }
}

export interface Answered {
  readonly ending: Ending;
  readonly head: ResponseHead | undefined;
  readonly body: string;
  readonly isWhole: boolean;
  readonly stderr: string;
}

/** Has an instance answer a request. */
export function request(vm: ComponentVm, pathWithQuery: string, body = ''): Answered {
  let head: ResponseHead | undefined;
  const pieces: Buffer[] = [];
  let isWhole = false;
  const asked: RequestHead = {
    method: body === '' ? 'GET' : 'POST',
    scheme: 'http',
    authority: 'localhost',
    pathWithQuery,
    headers: [['host', 'localhost']],
  };
  const sink = {
    head: (given: ResponseHead): void => void (head = given),
    room: (): number => 65_536,
    piece: (bytes: Uint8Array): void => void pieces.push(Buffer.from(bytes)),
    trailers: (): void => undefined,
    end: (): void => void (isWhole = true),
  };
  const call = { kind: 'handler', request: asked, isStreamed: false, sink } as const;
  const ending = vm.run({ input: Buffer.from(body), arguments: [], environment: {}, component: call }, 0);
  const stderr = Buffer.from(vm.stderr()).toString();
  return { ending, head, body: Buffer.concat(pieces).toString(), isWhole, stderr };
}

export interface Called {
  readonly ending: Ending;
  readonly result: FunctionResult | undefined;
}

/** Calls a function of the world in a new instance. */
export function callIn(definition: ComponentDefinition, name: string, ...values: readonly unknown[]): Called {
  const vm = new ComponentVm(definition);
  let bytes: Uint8Array | undefined;
  const sink = { result: (given: Uint8Array): void => void (bytes = given) };
  const component = { kind: 'function', interface: undefined, name, arguments: values, sink } as const;
  try {
    const ending = vm.run({ input: new Uint8Array(), arguments: [], environment: {}, component }, 0);
    return { ending, result: bytes === undefined ? undefined : decodeResult(bytes) };
  } finally {
    vm.close();
  }
}
