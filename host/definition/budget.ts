/** Whether a guest's code counts units, so that it can be ended without its thread, and why (docs/adr/0018). */

import { isBindingImport } from '../bindings/abi.ts';

/**
 * Why it does: its manifest says so; `limits.units` or `limits.cpuMs` is set; a deadline holds in the caller's thread; it may
 * wait; a call of it had to be stopped together with its thread.
 */
export const BUDGET_REASONS = ['manifest', 'limit', 'deadline', 'waits', 'stopped'] as const;

/** One of BUDGET_REASONS. */
export type BudgetReason = (typeof BUDGET_REASONS)[number];

/** Whether code is to be prepared so that it counts: it is, it is not, or it is if it may wait, which its imports tell. */
export type CountingWish = 'always' | 'never' | 'if-it-waits';

/** Functions of preview 1 that wait. */
const WAITING_FUNCTIONS: ReadonlySet<string> = new Set(['poll_oneoff']);
/** Interfaces of WASI 0.2 whose functions wait, or answer what is waited for. */
const WAITING_INTERFACES: readonly string[] = ['wasi:io/poll', 'wasi:http/outgoing-handler', 'wasi:sockets/tcp'];

/** Whether a module that imports these may wait. */
export function mayModuleWait(imports: readonly { readonly module: string; readonly name: string }[]): boolean {
  return imports.some((each) => WAITING_FUNCTIONS.has(each.name) || isBindingImport(each));
}

/** Whether a component that imports these interfaces, with their versions, may wait. */
export function mayComponentWait(imports: readonly string[]): boolean {
  return imports.some((name) => WAITING_INTERFACES.some((each) => name === each || name.startsWith(`${each}@`)));
}
