/** Transpiles and prepares components in a preparing process, within bounds of time and memory. Nothing of a component runs. */

import { createRequire } from 'node:module';
import { NebulaError } from '../errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { compile } from '../module/compile.ts';
import type { PreparedModule } from '../module/prepared-module.ts';
import { prepareApart } from './children.ts';
import type { PreparationBounds } from './task.ts';
import type { ComponentCore, PreparedComponent, TranspiledComponent } from '../definition/prepared-component.ts';
import type { Declarations } from '../component/prepare/transpilation.ts';

/** A component, and what the rest of the house wants to know of any guest. */
export interface PreparedGuest {
  readonly component: PreparedComponent;
  readonly prepared: PreparedModule;
}

const PACKAGE = '@bytecodealliance/jco-transpile';

/** @throws NebulaError TRANSPILER_MISSING, MODULE_INVALID, DEPLOY_TIMEOUT, DEPLOY_MEMORY, PREPARER_LOST */
export async function transpileComponent(
  bytes: Uint8Array,
  bounds: PreparationBounds = DEFAULT_LIMITS,
): Promise<TranspiledComponent> {
  requireTranspiler();
  return prepareApart({ kind: 'transpile', bytes }, bounds);
}

/** @throws NebulaError as `transpileComponent` */
export async function declareComponent(
  bytes: Uint8Array,
  bounds: PreparationBounds = DEFAULT_LIMITS,
): Promise<Declarations> {
  requireTranspiler();
  return prepareApart({ kind: 'declare', bytes }, bounds);
}

/** Checks, rewrites and compiles a component in a preparing process. @throws NebulaError what `rewriteComponent` and `prepareApart` refuse */
export async function prepareComponent(transpiled: TranspiledComponent, limits: Limits): Promise<PreparedGuest> {
  const startedMs = performance.now();
  const rewritten = await prepareApart({ kind: 'component', transpiled, limits }, limits);
  const { kind, imports, exports, info } = rewritten;
  const cores: ComponentCore[] = await Promise.all(
    rewritten.cores.map(async ({ bytes, ...core }) => ({ ...core, compiled: await compile(bytes, core.file) })),
  );
  const { digest, glue, wit } = transpiled;
  const component: PreparedComponent = { kind, digest, glue, cores, wit, imports, exports };
  const compileNs = Math.round((performance.now() - startedMs) * 1e6);
  const { compiled } = cores[0] as ComponentCore;
  return { component, prepared: { compiled, digest, info, compileNs } };
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
