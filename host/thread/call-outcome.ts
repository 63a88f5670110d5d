/** The outcome of a call, of what its micro-VM has left when the guest has ended. */

import { monotonicNs } from '../monotonic.ts';
import type { Ending, Outcome, Start } from '../outcome.ts';
import type { Guest } from '../wasi/session/guest.ts';

/** When a call came so far, on the clock of `monotonicNs`. */
export interface CallTimes {
  readonly calledNs: number;
  readonly arrivedNs: number;
  readonly restoredNs: number;
  readonly readyNs: number;
}

/** What a guest that has ended just now has come to. */
export function outcomeOf(
  ending: Ending,
  vm: Guest,
  start: Start,
  { calledNs, arrivedNs, restoredNs, readyNs }: CallTimes,
): Outcome {
  const endedNs = monotonicNs();
  const stdout = vm.stdout();
  const stderr = vm.stderr();
  const usage = vm.usage();
  const collectedNs = monotonicNs();
  const phases = {
    queue: Math.max(0, arrivedNs - calledNs),
    compile: 0,
    instantiate: readyNs - restoredNs,
    restore: restoredNs - arrivedNs,
    run: endedNs - readyNs,
    collect: collectedNs - endedNs,
  };
  // Without a spread where the guest ended normally: spreading costs more than such a guest.
  if (ending.kind === 'ok') {
    const { values } = vm;
    if (values === undefined) return { kind: 'ok', stdout, stderr, start, phases, usage };
    return { kind: 'ok', stdout, stderr, start, phases, usage, values };
  }
  if (ending.kind === 'exit') return { kind: 'exit', exitCode: ending.exitCode, stdout, stderr, start, phases, usage };
  return { ...ending, stdout, stderr, start, phases, usage };
}
