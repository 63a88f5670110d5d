/** What a thread asks of its preparing thread, and what that answers. */

import type { Failure } from '../errors.ts';
import type { PreparationBounds, PreparationTask } from './task.ts';

/** What a preparing thread is started with: what of its starter's process object it has to go by. */
export interface ThreadData {
  readonly execPath: string;
}

export type ThreadRequest =
  | {
      readonly kind: 'task';
      readonly ticket: number;
      readonly task: PreparationTask;
      readonly bounds: PreparationBounds;
    }
  /** No task is under way, and none will come. */
  | { readonly kind: 'end' };

export type ThreadAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly ticket: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly ticket: number; readonly failure: Failure }
  | { readonly kind: 'error'; readonly ticket: number; readonly error: unknown };
