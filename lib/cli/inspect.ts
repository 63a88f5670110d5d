/** `nebula inspect`: what a module is and needs. Nothing of it runs. */

import { resolve } from 'node:path';
import { isComponent } from '../../host/component/prepare/binary.ts';
import { prepareComponent, transpileComponent } from '../../host/preparation/component.ts';
import { WIZER_EXPORT } from '../../host/micro-vm/initialise.ts';
import { resolveLimits, type Limits } from '../../host/limits.ts';
import { hasCow } from '../../host/linux/memory.ts';
import { prepareModule } from '../../host/preparation/module.ts';
import type { PreparedModule } from '../../host/module/prepared-module.ts';
import type { ModuleInfo } from '../../host/module/inspect.ts';
import { exactStrategies } from '../../host/snapshot/strategy.ts';
import { WASM_PAGE_BYTES } from '../../host/wasm-page.ts';
import type { Manifest } from '../schema/manifest.ts';
import { moduleOptions } from '../registry/function-definition.ts';
import { loadSource, type LoadedSource } from '../registry/source.ts';
import { applyOptions, type FunctionOptions } from './options.ts';
import { printable } from '../wire/printable.ts';
import { print } from './streams.ts';

const PAGE_KIB = WASM_PAGE_BYTES / 1024;

/** Options of `inspect`. */
export interface InspectOptions extends FunctionOptions {
  readonly json?: boolean;
}

/** Prints kind, imports, exports, memory and limits; refuses what could not be deployed, as deploying would. */
export async function inspect(options: InspectOptions, target: string): Promise<void> {
  const loaded = await loadSource(resolve(target));
  const manifest = applyOptions(loaded.manifest, options);
  const limits = resolveLimits(manifest.limits);
  const prepared = await prepare(loaded, manifest, limits);
  const { digest, info, compileNs } = prepared;
  const strategy = manifest.strategy ?? 'auto';
  const strategies = exactStrategies(info, info.memory !== null && hasCow().ok);
  const shown = { name: manifest.name, digest, ...info, compileNs, strategy, strategies, limits };
  const initExport = manifest.init?.export;
  await print(options.json === true, shown, () => describe({ ...shown, initExport }, prepared, limits));
}

async function prepare(loaded: LoadedSource, manifest: Partial<Manifest>, limits: Limits): Promise<PreparedModule> {
  const { module, transpiled } = loaded;
  if (!isComponent(module)) return prepareModule(module, limits, moduleOptions(manifest));
  return (await prepareComponent(transpiled ?? (await transpileComponent(module, limits)), limits)).prepared;
}

interface Described {
  readonly name: string;
  readonly initExport: string | undefined;
  readonly strategy: string;
  /** Exact for the module, on this machine. */
  readonly strategies: readonly string[];
}

function describe(given: Described, prepared: PreparedModule, limits: Limits): string {
  const { info, digest, compileNs } = prepared;
  const { memory } = info;
  const maximumPages = memory?.maximumPages ?? undefined;
  const maximum = maximumPages === undefined ? 'no maximum' : `at most ${maximumPages * PAGE_KIB} KiB`;
  const rows: readonly (readonly [string, string])[] = [
    ['name', given.name],
    ['kind', info.entry === '' ? info.kind : `${info.kind}, entry ${printable(info.entry)}`],
    ['digest', digest],
    ['size', `${info.sizeBytes} bytes, ${info.functions} functions`],
    ['compiled', `in ${(compileNs / 1e6).toFixed(1)} ms`],
    [
      'memory',
      memory === null
        ? 'none'
        : `${memory.minimumPages * PAGE_KIB} KiB at first, ${maximum}, limited to ${memory.limitPages * PAGE_KIB} KiB`,
    ],
    ['state', `${info.globals.mutable} mutable globals, ${info.tables} tables, ${info.dataSegments} data segments`],
    ['init', describeStart(info, given.initExport)],
    ['code', describeCode(info)],
    ['restore', `${given.strategy} of ${given.strategies.join(', ')}; ${info.restorableReason}${withoutCow(info)}`],
    ['proposals', info.proposals.join(', ') || 'none'],
    ['imports', list(info.imports.map((each) => `${each.module}.${each.name} (${each.kind})`))],
    ['missing', list(info.missingImports.map(({ module, name }) => `${module}.${name}: a trap when it is called`))],
    ['exports', list(info.exports.map((each) => `${each.name} (${each.kind})`))],
    ['limits', list(Object.entries(limits).map(([limit, value]) => `${limit} ${String(value)}`))],
  ];
  return rows.map(([title, text]) => `${title.padEnd(10)} ${text}`).join('\n');
}

/** What runs before the snapshot, in its order. */
function describeStart(info: ModuleInfo, initExport: string | undefined): string {
  const { kind, hasStartFunction, hasInitialize, exports } = info;
  const isWizer = exports.some((each) => each.name === WIZER_EXPORT && each.kind === 'function');
  const steps = [
    ...(hasStartFunction ? ['the start function'] : []),
    ...(kind !== 'command' && hasInitialize ? ['_initialize'] : []),
    ...[initExport ?? (isWizer ? WIZER_EXPORT : [])].flat(),
  ];
  return steps.join(', then ') || 'nothing';
}

/** What the scan of its instructions found that a restore has to undo. */
function describeCode({ growsMemory, changesTables, dropsSegments }: ModuleInfo): string {
  const found = [
    ...(growsMemory ? ['grows memory'] : []),
    ...(changesTables ? ['changes tables'] : []),
    ...(dropsSegments ? ['drops segments'] : []),
  ];
  return found.join(', ') || 'neither grows memory nor changes tables nor drops segments';
}

function withoutCow({ restorable, memory }: ModuleInfo): string {
  if (!restorable || memory === null) return '';
  const support = hasCow();
  return support.ok ? '' : `; no cow here: ${support.reason}`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.map(printable).join(`\n${' '.repeat(11)}`);
}
