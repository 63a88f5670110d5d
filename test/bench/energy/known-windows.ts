/** Which pulse of the made-up logger belongs to which marked window of an energy run. */

import { BURST_PULSES } from '../../../hardware/analysis/sync-burst.ts';
import type { KnownPulse } from './known-pulse.ts';

/**
 * The pulse of each marked window by its id. Windows and pulses have one order; the closing burst comes after the last window.
 * @param windows text of windows.ndjson
 */
export function pulsesById(windows: string, pulses: readonly KnownPulse[]): Map<string, KnownPulse> {
  const ids = windows
    .trimEnd()
    .split('\n')
    .map((row) => JSON.parse(row) as { kind: string; id: string })
    .filter(({ kind }) => kind !== 'guard')
    .map(({ id }) => id);
  const ofWindows = pulses.slice(-BURST_PULSES - ids.length, -BURST_PULSES);
  return new Map(ids.map((id, index) => [id, ofWindows[index] as KnownPulse]));
}
