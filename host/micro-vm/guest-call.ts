/** One call into a guest, and how it ended. */

import { runWithin } from '../deadline.ts';
import type { Ending } from '../outcome.ts';
import type { Preview1 } from '../preview1/preview1.ts';
import type { InstanceState } from '../snapshot/state.ts';
import { trapOf } from '../trap.ts';

/** Calls an export of type () -> () or () -> i32, within a deadline if `timeoutMs` is above 0, and tells how it ended. */
export function callWithin(state: InstanceState, exportName: string, preview1: Preview1, timeoutMs: number): Ending {
  if (timeoutMs === 0) return callExport(state, exportName, preview1);
  let ending: Ending | undefined;
  const inTime = runWithin(timeoutMs, () => {
    ending = callExport(state, exportName, preview1);
  });
  return inTime && ending !== undefined ? ending : { kind: 'timeout', timeoutMs };
}

/** The same without a deadline. A fault of the host is thrown as it is. */
function callExport(state: InstanceState, exportName: string, preview1: Preview1): Ending {
  try {
    const code = state.function(exportName)();
    // A guest with exception handling can catch what ends it, and return.
    if (preview1.ending !== undefined) return preview1.ending;
    return code === undefined || code === 0 ? { kind: 'ok' } : { kind: 'exit', exitCode: Number(code) };
  } catch (thrown) {
    const ending = preview1.ending ?? trapOf(thrown);
    if (ending === undefined) throw thrown;
    return ending;
  }
}
