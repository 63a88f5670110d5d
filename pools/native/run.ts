/** One invocation of a native guest under way, as its executor sees it. */

import type { Ending, EngineUsage, Outcome, Start } from '../../host/outcome.ts';
import { NO_PHASES } from '../../host/phases.ts';
import type { PhaseTimes } from './backend.ts';

/** A call under way. */
export interface NativeRun {
  /** @throws NebulaError when the guest could not be launched, or was lost */
  readonly outcome: Promise<Outcome>;
  /** Settles, and never rejects, when nothing of the run is left to clear away. */
  readonly gone: Promise<void>;
  /** Kills the guest, whose ending is then the one given; the first call counts. */
  stop(ending: Ending): void;
}

/** What a call came to, before it is told as an Outcome. */
export interface RunResult {
  readonly ending: Ending;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly start: Start;
  readonly inputBytes: number;
  readonly times: PhaseTimes;
  /** Of the calls that launched their guest. */
  readonly engine: EngineUsage | undefined;
}

/** The memory of a native guest is not measured: its usage reads 0, and so do the calls that only Wasm guests make. */
export function outcomeOf(result: RunResult): Outcome {
  const { ending, stdout, stderr, start, inputBytes, times, engine } = result;
  return {
    ...ending,
    stdout,
    stderr,
    start,
    phases: { ...NO_PHASES, ...times },
    usage: { memoryBytes: 0, inputBytes, hostCalls: 0, ...(engine === undefined ? {} : { engine }) },
  };
}
