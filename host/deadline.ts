/** Runs a guest in this thread under a deadline. Costs a watchdog thread per call: worker pools need none of it. */

import { createContext, Script, type Context } from 'node:vm';

interface Watched {
  readonly context: Context;
  readonly globals: { call: () => void };
}

let watched: Watched | undefined;
const SCRIPT = new Script('call()');

function watch(): Watched {
  if (watched === undefined) {
    const globals = { call: () => {} };
    watched = { context: createContext(globals), globals };
  }
  return watched;
}

/**
 * Calls `run` and answers whether it ended in time. What it throws passes through.
 * V8 checks for the deadline at every loop and call of a guest, so a tight loop ends too.
 */
export function runWithin(timeoutMs: number, run: () => void): boolean {
  const { context, globals } = watch();
  const outer = globals.call;
  globals.call = run;
  try {
    SCRIPT.runInContext(context, { timeout: Math.max(1, Math.ceil(timeoutMs)) });
    return true;
  } catch (thrown) {
    if ((thrown as { code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
    throw thrown;
  } finally {
    globals.call = outer;
  }
}
