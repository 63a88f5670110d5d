/** The log of a Nebula, for triggers: what they find out of a call's answer belongs to it, and is no caller's to write. */

import type { Log } from './log.ts';

const logs: WeakMap<object, Log> = new WeakMap();

/** Says which log a Nebula has. */
export function tellLog(nebula: object, log: Log): void {
  logs.set(nebula, log);
}

/** The log of a Nebula; undefined for one of somebody else's making. */
export function logOf(nebula: object): Log | undefined {
  return logs.get(nebula);
}
