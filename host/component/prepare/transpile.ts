/** Transpiles components in a preparing process, within bounds of time and memory. Nothing of a component runs. */

import { createRequire } from 'node:module';
import { NebulaError } from '../../errors.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import { prepareApart } from '../../preparation/children.ts';
import type { PreparationBounds } from '../../preparation/task.ts';
import type { TranspiledComponent } from './prepared-component.ts';
import type { Declarations } from './transpilation.ts';

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

function requireTranspiler(): void {
  try {
    createRequire(import.meta.url).resolve(`${PACKAGE}/wasm-tools`);
  } catch (cause) {
    // A package without a CommonJS entry is found and refused with another code.
    if ((cause as { code?: unknown }).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return;
    throw new NebulaError('TRANSPILER_MISSING', { package: PACKAGE }, { cause });
  }
}
