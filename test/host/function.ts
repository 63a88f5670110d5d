/** Functions for the tests of `host`: made of text or of a committed guest, deployed in this thread, put to work. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveCapabilities, type Capabilities } from '../../host/capabilities/capabilities.ts';
import type { CountingWish } from '../../host/definition/budget.ts';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import type { Strategy } from '../../host/definition/strategies.ts';
import type { InitOptions } from '../../host/init-options.ts';
import type { Deployment } from '../../host/snapshot/deployment.ts';
import { deployHere } from '../../host/thread/deploy.ts';
import { resolveLimits, type Limits } from '../../host/limits.ts';
import { MicroVm } from '../../host/micro-vm/micro-vm.ts';
import { prepareModule } from '../../host/preparation/module.ts';
import type { Ending } from '../../host/outcome.ts';
import type { GuestCall } from '../../host/wasi/session/guest.ts';
import { assemble } from '../wat.ts';

export interface Given {
  readonly name?: string;
  readonly entry?: string;
  readonly missingImports?: 'trap';
  readonly limits?: Partial<Limits>;
  readonly capabilities?: Partial<Capabilities>;
  readonly init?: Partial<InitOptions>;
  readonly strategy?: Strategy | 'auto';
  readonly snapshot?: Uint8Array;
  readonly audit?: boolean;
  /** Whether its code counts units; it does not by default. */
  readonly wish?: CountingWish;
}

let made = 0;

/** A function of a binary or, when it is a string, of WebAssembly text. */
export async function define(module: Uint8Array | string, given: Given = {}): Promise<FunctionDefinition> {
  const bytes = typeof module === 'string' ? await assemble(module) : module;
  const limits = resolveLimits({ timeoutMs: 2000, ...given.limits });
  const options = {
    ...(given.entry === undefined ? {} : { entry: given.entry }),
    ...(given.missingImports === undefined ? {} : { missingImports: given.missingImports }),
  };
  const prepared = await prepareModule(bytes, limits, options, given.wish);
  made++;
  return {
    id: `test-${made}`,
    name: given.name ?? 'test',
    prepared,
    entry: prepared.info.entry,
    limits,
    capabilities: resolveCapabilities(given.capabilities),
    init: { environment: {}, allow: [], warmUp: [], ...given.init },
    strategy: given.strategy ?? 'auto',
    ...(given.snapshot === undefined ? {} : { snapshot: given.snapshot }),
    audit: given.audit ?? false,
  };
}

const FUNCTIONS = join(import.meta.dirname, '..', '..', '..', 'functions');

/** Paths of every committed guest below `functions`, in order. */
export function guestPaths(): string[] {
  return [...foldersBelow('.'), ...foldersBelow('guests')].sort();
}

function foldersBelow(folder: string): string[] {
  return readdirSync(join(FUNCTIONS, folder))
    .map((name) => join(folder, name))
    .filter((path) => existsSync(modulePath(path)));
}

/** A committed guest's binary. */
export function guestModule(path: string): Uint8Array {
  return new Uint8Array(readFileSync(modulePath(path)));
}

function modulePath(path: string): string {
  return join(FUNCTIONS, path, `${path.slice(path.lastIndexOf('/') + 1)}.wasm`);
}

/** Inputs of a guest's cases, as bytes; none when it has no cases. */
export function guestInputs(path: string): Uint8Array[] {
  const file = join(FUNCTIONS, path, 'cases.json');
  if (!existsSync(file)) return [];
  const cases = JSON.parse(readFileSync(file, 'utf8')) as { input?: string; inputHex?: string; generate?: string }[];
  return cases
    .filter(({ generate }) => generate === undefined)
    .map(({ input, inputHex }) => new Uint8Array(Buffer.from(input ?? inputHex ?? '', inputHex ? 'hex' : 'utf8')));
}

/** What a guest's manifest says, as far as the host is concerned. */
export function guestManifest(path: string): Given {
  return JSON.parse(readFileSync(join(FUNCTIONS, path, 'nebula.json'), 'utf8')) as Given;
}

/** A committed guest as its manifest has it, with what is given in place of it. */
export function defineGuest(path: string, given: Given = {}): Promise<FunctionDefinition> {
  const manifest = guestManifest(path);
  const limits = { ...manifest.limits, ...given.limits };
  const init = { ...manifest.init, ...given.init };
  return define(guestModule(path), { ...manifest, ...given, limits, init });
}

export function callOf(input: Uint8Array | string = ''): GuestCall {
  return { input: Buffer.from(input), arguments: [], environment: {} };
}

/** A function deployed in this thread, and one micro-VM of it at a time. */
export class Deployed {
  readonly definition: FunctionDefinition;
  readonly deployment: Deployment;
  readonly strategy: Strategy;
  vm: MicroVm;

  constructor(definition: FunctionDefinition, strategy?: Strategy) {
    this.definition = definition;
    this.deployment = deployHere(definition);
    this.strategy = strategy ?? this.deployment.strategy;
    this.vm = this.create();
  }

  create(): MicroVm {
    return new MicroVm(this.definition, this.deployment.image, this.strategy);
  }

  run(input: Uint8Array | string = '', timeoutMs: number = this.definition.limits.timeoutMs): Ending {
    return this.vm.run(callOf(input), timeoutMs);
  }

  /** Puts the micro-VM back, or another in its place; tells whether it was put back. */
  settle(): boolean {
    if (this.vm.restore()) return true;
    this.vm.close();
    this.vm = this.create();
    return false;
  }

  get text(): string {
    return Buffer.from(this.vm.stdout()).toString();
  }
}

/** Deploys WebAssembly text. */
export async function deploy(module: Uint8Array | string, given: Given = {}): Promise<Deployed> {
  return new Deployed(await define(module, given));
}
