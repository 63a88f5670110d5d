/** Does what a preparing process is asked to do. Nothing of a guest runs. What only components need is loaded for them. */

import { rewriteModule, type StepListener } from '../module/rewrite.ts';
import { mayModuleWait } from '../definition/budget.ts';
import { readLayout } from '../module/layout.ts';
import { compileEagerly } from '../module/compile.ts';
import type { Preparations, PreparationTask } from './task.ts';

/**
 * What rewriting made is compiled once, in full, and thrown away: whatever the compiler cannot bear ends this process and
 * not the one that serves.
 * @throws NebulaError what rewriting, transpiling and compiling refuse
 */
export async function perform(
  task: PreparationTask,
  tell: StepListener,
): Promise<Preparations[PreparationTask['kind']]> {
  switch (task.kind) {
    case 'module': {
      const { bytes, limits, options, wish } = task;
      tell('reading');
      const hasBudget =
        wish === 'always' || (wish === 'if-it-waits' && mayModuleWait(readLayout(bytes).imports)) || options?.hasBudget;
      const rewritten = rewriteModule(bytes, limits, { ...options, hasBudget: hasBudget === true, tell });
      tell('compiling');
      compileEagerly(rewritten.bytes);
      return rewritten;
    }
    case 'component': {
      const { rewriteComponent } = await import('../component/prepare/rewrite.ts');
      const rewritten = rewriteComponent(task.transpiled, task.limits, { wish: task.wish, tell });
      tell('compiling');
      for (const { file, bytes } of rewritten.cores) compileEagerly(bytes, file);
      return rewritten;
    }
    case 'transpile': {
      tell('transpiling');
      const { transpile } = await import('../component/prepare/transpilation.ts');
      return transpile(task.bytes);
    }
    case 'declare': {
      tell('declaring the types');
      const { declare } = await import('../component/prepare/transpilation.ts');
      return declare(task.bytes);
    }
    default:
      return task satisfies never;
  }
}
