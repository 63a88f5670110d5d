/** Transpiles and prepares components in a preparing process, within bounds of time and memory. Nothing of a component runs. */

import { createRequire } from 'node:module';
import type { CountingWish } from '../definition/budget.ts';
import { NebulaError } from '../errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import type { PreparedModule } from '../module/prepared-module.ts';
import { prepareBeside } from './beside.ts';
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
  return prepareBeside({ kind: 'transpile', bytes }, bounds);
}

/** @throws NebulaError as `transpileComponent` */
export async function declareComponent(
  bytes: Uint8Array,
  bounds: PreparationBounds = DEFAULT_LIMITS,
): Promise<Declarations> {
  requireTranspiler();
  return prepareBeside({ kind: 'declare', bytes }, bounds);
}

/** Checks, rewrites and compiles a component in a preparing process. @throws NebulaError what `rewriteComponent` and `prepareBeside` refuse */
export async function prepareComponent(
  transpiled: TranspiledComponent,
  limits: Limits,
  wish: CountingWish = 'never',
): Promise<PreparedGuest> {
  const startedMs = performance.now();
  const made = await prepareBeside({ kind: 'component', transpiled, limits, wish }, limits);
  const { kind, imports, exports, cores, info } = made;
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
