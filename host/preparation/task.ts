/** What a preparing process is asked and answers: plain data and bytes, which cross between processes. */

import type { CountingWish } from '../definition/budget.ts';
import type { TranspiledComponent } from '../definition/prepared-component.ts';
import type { Declarations } from '../component/prepare/transpilation.ts';
import type { RewrittenComponent } from '../component/prepare/rewrite.ts';
import type { Failure } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { ModuleOptions } from '../module/inspect.ts';
import type { RewrittenModule } from '../module/rewrite.ts';

export type PreparationTask =
  | {
      readonly kind: 'module';
      readonly bytes: Uint8Array;
      readonly limits: Limits;
      readonly options?: ModuleOptions;
      readonly wish?: CountingWish;
    }
  | {
      readonly kind: 'component';
      readonly transpiled: TranspiledComponent;
      readonly limits: Limits;
      readonly wish?: CountingWish;
    }
  | { readonly kind: 'transpile'; readonly bytes: Uint8Array }
  | { readonly kind: 'declare'; readonly bytes: Uint8Array };

/** What each kind of task leaves behind. */
export interface Preparations {
  readonly module: RewrittenModule;
  readonly component: RewrittenComponent;
  readonly transpile: TranspiledComponent;
  readonly declare: Declarations;
}

/** What preparing may take. */
export type PreparationBounds = Pick<Limits, 'deployMs' | 'deployMemoryBytes'>;

export interface PreparationRequest {
  readonly task: PreparationTask;
  /** Memory that the task may take, in bytes. */
  readonly memoryBytes: number;
}

/** Told by the process at each step, so that an end in the middle of it can be named; then how the task ended. */
export type PreparationReport =
  | { readonly kind: 'step'; readonly step: string }
  | { readonly kind: 'done'; readonly result: unknown; readonly isSpent: boolean }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly isSpent: boolean }
  /** The task's memory was not enough, and the process has told so itself. */
  | { readonly kind: 'memory' }
  | { readonly kind: 'error'; readonly message: string };
