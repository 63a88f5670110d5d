/**
 * JavaScript Promise Integration: a guest is suspended while the host awaits something. Node 24 and later have it. Nobody
 * else asks for it or names it. Source: https://webassembly.github.io/js-promise-integration/js-api/
 */

type Callable = (...values: never[]) => unknown;

interface Integration {
  readonly Suspending: new (run: Callable) => WebAssembly.ImportValue;
  readonly promising: (exported: Callable) => (...values: unknown[]) => Promise<unknown>;
}

/** Whether this Node can suspend a guest. */
export const CAN_SUSPEND: boolean = 'Suspending' in WebAssembly;

const integration = WebAssembly as unknown as Integration;

/**
 * A function to be imported that suspends its guest where it answers a promise. The guest must have been entered by
 * `promising`, with nothing of JavaScript's between, or the call is a trap.
 */
export function suspending(run: Callable): WebAssembly.ImportValue {
  return new integration.Suspending(run);
}

/** Whether a guest would wait where it cannot be suspended: the error itself, or what it led to. */
export function isUnsuspendable(error: unknown): boolean {
  const { name, cause } = (error ?? {}) as { readonly name?: unknown; readonly cause?: unknown };
  return name === 'SuspendError' || (cause !== undefined && isUnsuspendable(cause));
}

/** An exported function that answers a promise, whether its guest is suspended or not. */
export function promising(exported: Callable): (...values: unknown[]) => Promise<unknown> {
  return integration.promising(exported);
}
