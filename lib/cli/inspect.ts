/** `nebula inspect`: what a module is and needs. Nothing of it runs. */

import { resolve } from 'node:path';
import { resolveLimits, type Limits } from '../../host/limits.ts';
import { prepareModule, type PreparedModule } from '../../host/module/prepare.ts';
import { loadSource } from '../registry/source.ts';
import { applyOptions, type FunctionOptions } from './options.ts';
import { print } from './streams.ts';

const PAGE_KIB = 64;

export interface InspectOptions extends FunctionOptions {
  readonly json?: boolean;
}

/** Prints kind, imports, exports, memory and limits; refuses what could not be deployed, as deploying would. */
export async function inspect(options: InspectOptions, target: string): Promise<void> {
  const { module, manifest: given } = await loadSource(resolve(target));
  const manifest = applyOptions(given, options);
  const limits = resolveLimits(manifest.limits);
  const prepared = await prepareModule(module, limits, manifest.entry === undefined ? {} : { entry: manifest.entry });
  const { digest, info, compileNs } = prepared;
  const strategy = manifest.strategy ?? 'auto';
  await print(options.json === true, { name: manifest.name, digest, ...info, compileNs, strategy, limits }, () =>
    describe(manifest.name, strategy, prepared, limits),
  );
}

function describe(name: string, strategy: string, prepared: PreparedModule, limits: Limits): string {
  const { info, digest, compileNs } = prepared;
  const { memory } = info;
  const maximumPages = memory?.maximumPages ?? undefined;
  const maximum = maximumPages === undefined ? 'no maximum' : `at most ${maximumPages * PAGE_KIB} KiB`;
  const rows: readonly (readonly [string, string])[] = [
    ['name', name],
    ['kind', `${info.kind}, entry ${info.entry}`],
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
    ['restore', `${strategy}; ${info.restorableReason}`],
    ['proposals', info.proposals.join(', ') || 'none'],
    ['imports', list(info.imports.map((each) => `${each.module}.${each.name} (${each.kind})`))],
    ['exports', list(info.exports.map((each) => `${each.name} (${each.kind})`))],
    ['limits', list(Object.entries(limits).map(([limit, value]) => `${limit} ${String(value)}`))],
  ];
  return rows.map(([title, text]) => `${title.padEnd(10)} ${text}`).join('\n');
}

function list(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(`\n${' '.repeat(11)}`);
}
