/** How the end of a native guest reads as the ending of an invocation. */

import type { Limits } from '../../host/limits.ts';
import type { Ending, TrapReason } from '../../host/outcome.ts';
import type { GuestEnd } from './backend.ts';

/** Signals a program brings upon itself. Numbers as on Linux: an engine tells a signal only as exit code 128 + number. */
const FAULTS: Readonly<Record<string, readonly [number: number, reason: TrapReason]>> = {
  SIGILL: [4, 'unreachable'],
  SIGTRAP: [5, 'unreachable'],
  SIGABRT: [6, 'other'],
  SIGBUS: [7, 'memory-out-of-bounds'],
  SIGFPE: [8, 'integer-divide-by-zero'],
  SIGSEGV: [11, 'memory-out-of-bounds'],
  SIGSYS: [31, 'other'],
};

/** The signal of an exit code as shells and engines write it, if it is one of those above. */
export function faultOfExitCode(exitCode: number): string | undefined {
  return Object.keys(FAULTS).find((signal) => FAULTS[signal]?.[0] === exitCode - 128);
}

/** The ending of an invocation whose guest ended so; undefined when the guest was lost through no fault of its own. */
export function endingOf(end: GuestEnd, limits: Limits): Ending | undefined {
  switch (end.kind) {
    case 'exit':
      return end.exitCode === 0 ? { kind: 'ok' } : { kind: 'exit', exitCode: end.exitCode };
    case 'memory':
      return { kind: 'limit', limit: 'memoryBytes', allowed: limits.memoryBytes };
    case 'signal': {
      const fault = FAULTS[end.signal];
      return fault === undefined ? undefined : { kind: 'trap', reason: fault[1], message: `signal ${end.signal}` };
    }
    case 'lost':
      return undefined;
    default:
      return end satisfies never;
  }
}

/** Why `endingOf` has no ending, in words. */
export function lossOf(end: GuestEnd): string {
  if (end.kind === 'lost') return end.detail;
  return end.kind === 'signal' ? `killed from outside with ${end.signal}` : 'it ended without an answer';
}
