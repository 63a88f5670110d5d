/** Has a task done in a preparing process, and compiles in this thread what it rewrote: whoever asked is sent no binary. */

import type { ComponentCore } from '../definition/prepared-component.ts';
import { compile } from '../module/compile.ts';
import type { PreparedModule } from '../module/prepared-module.ts';
import type { RewrittenComponent } from '../component/prepare/rewrite.ts';
import { prepareApart } from './children.ts';
import type { PreparationBounds, Preparations, PreparationTask } from './task.ts';

/** What each kind of task comes to, compiled. */
export interface CompiledPreparations {
  readonly module: Omit<PreparedModule, 'compileNs'>;
  readonly component: Omit<RewrittenComponent, 'cores'> & { readonly cores: readonly ComponentCore[] };
  readonly transpile: Preparations['transpile'];
  readonly declare: Preparations['declare'];
}

/** @throws NebulaError as `prepareApart`, and MODULE_INVALID */
export async function prepareCompiled<Task extends PreparationTask>(
  task: Task,
  bounds: PreparationBounds,
): Promise<CompiledPreparations[Task['kind']]> {
  return (await compiled(task, bounds)) as CompiledPreparations[Task['kind']];
}

async function compiled(
  task: PreparationTask,
  bounds: PreparationBounds,
): Promise<CompiledPreparations[PreparationTask['kind']]> {
  switch (task.kind) {
    case 'module': {
      const { bytes, digest, info } = await prepareApart(task, bounds);
      return { compiled: await compile(bytes), digest, info };
    }
    case 'component': {
      const { cores, ...rewritten } = await prepareApart(task, bounds);
      const made = cores.map(async ({ bytes, ...core }) => ({ ...core, compiled: await compile(bytes, core.file) }));
      return { ...rewritten, cores: await Promise.all(made) };
    }
    case 'transpile':
    case 'declare':
      return prepareApart(task, bounds);
    default:
      return task satisfies never;
  }
}
