/** Deploys a guest of WebAssembly text that counts units, to any executor, as often as a test likes to call it. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import type { Executor } from '../../pools/executor.ts';
import { define, type DefinitionOverrides } from '../definition.ts';
import { assemble } from '../wat.ts';

export async function deployText(
  context: TestContext,
  executor: Executor,
  wat: string,
  overrides: DefinitionOverrides = {},
): Promise<FunctionDefinition> {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-text-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'guest.wasm');
  writeFileSync(path, await assemble(wat));
  const definition = await define('guest', path, {
    wish: 'always',
    ...overrides,
    limits: { concurrency: 1000, memoryBytes: 65_536, timeoutMs: 0, ...overrides.limits },
  });
  await executor.deploy(definition);
  return definition;
}
