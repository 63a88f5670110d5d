/** One call into a guest, and how it ended. */

import { runWithin } from '../deadline.ts';
import type { Ending } from '../outcome.ts';
import type { Preview1 } from '../preview1/preview1.ts';
import { trapOf } from '../trap.ts';

/**
 * Calls into a guest, within a deadline if `timeoutMs` is above 0, and tells how it ended. `run` answers an exit code or nothing.
 */
export function callWithin(run: () => unknown, preview1: Preview1, timeoutMs: number): Ending {
  if (timeoutMs === 0) return callGuest(run, preview1);
  let ending: Ending | undefined;
  const inTime = runWithin(timeoutMs, () => {
    ending = callGuest(run, preview1);
  });
  return inTime && ending !== undefined ? ending : { kind: 'timeout', timeoutMs };
}

/** Calls an export by `promising`: its guest may be suspended meanwhile. */
export async function callSuspendable(run: () => Promise<unknown>, preview1: Preview1): Promise<Ending> {
  try {
    return endingOf(await run(), preview1);
  } catch (thrown) {
    return endingOfThrown(thrown, preview1);
  }
}

/** The same without a deadline. A fault of the host is thrown as it is. */
function callGuest(run: () => unknown, preview1: Preview1): Ending {
  try {
    return endingOf(run(), preview1);
  } catch (thrown) {
    return endingOfThrown(thrown, preview1);
  }
}

function endingOf(code: unknown, preview1: Preview1): Ending {
  // A guest with exception handling can catch what ends it, and return.
  if (preview1.ending !== undefined) return preview1.ending;
  return code === undefined || code === 0 ? { kind: 'ok' } : { kind: 'exit', exitCode: Number(code) };
}

function endingOfThrown(thrown: unknown, preview1: Preview1): Ending {
  const ending = preview1.ending ?? trapOf(thrown);
  if (ending === undefined) throw thrown;
  return ending;
}
