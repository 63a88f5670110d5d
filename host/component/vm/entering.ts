/** Enters a component's exports, and says how what was entered has ended. */

import { runWithin } from '../../deadline.ts';
import type { Ending } from '../../outcome.ts';
import { trapOf } from '../../trap.ts';
import { GuestStop } from '../world/guest-stop.ts';
import { type Host, withHost } from '../world/host.ts';
import type { CoreInstances } from './core-instances.ts';
import type { CapturedCall, SuspendableCalls } from './glue-exports.ts';
import { LIFT_LOWER_VALUES, trapOfAccess } from './lift-lower.ts';
import { requireSettled } from './settled.ts';

/** How a guest that can be suspended is entered. */
export interface SuspendableEntry {
  /** Has the glue call what it exports, and answers what that calls of the core instances, which is not done. */
  readonly capture: (call: () => void) => CapturedCall;
  /** Does it; the guest has run when what it answers settles. */
  readonly enter: (captured: CapturedCall) => Promise<unknown>;
}

/** How a guest ends that did nothing else. */
export const OK: Ending = { kind: 'ok' };

/** An entry that calls what is not to answer a promise. */
export function runnable(run: () => unknown): () => void {
  return () => {
    requireSettled(run());
  };
}

/** How functions of the glue's are called for a guest that can be suspended, of the host that there is then. */
export function suspendableCalls(host: () => Host): SuspendableCalls {
  return {
    suspendable: (call) => host().callSuspendable(call),
    begin: (call) => host().beginSuspendable(call),
    finish: () => host().finishSuspendable(),
    plain: (call, values) => host().callPlain(call, values),
    isUnanswered: () => host().isUnanswered,
  };
}

/** Runs within `timeoutMs`, or without a limit where that is 0. @throws a fault of the host */
export function runEntry(host: Host, entry: () => void, timeoutMs: number): Ending {
  if (timeoutMs === 0) return enter(host, entry);
  let ending: Ending | undefined;
  const inTime = runWithin(timeoutMs, () => {
    ending = enter(host, entry);
  });
  return inTime && ending !== undefined ? ending : { kind: 'timeout', timeoutMs };
}

/** Runs to the end. @throws a fault of the host */
export function enter(host: Host, entry: () => void): Ending {
  try {
    entry();
    return host.ending ?? OK;
  } catch (thrown) {
    return endingOfThrown(host, thrown);
  }
}

/** The same of a guest that may be suspended meanwhile. */
export async function endingOf(host: Host, entry: () => Promise<void>): Promise<Ending> {
  try {
    await entry();
    return host.ending ?? OK;
  } catch (thrown) {
    return endingOfThrown(host, thrown);
  }
}

function endingOfThrown(host: Host, thrown: unknown): Ending {
  if (host.ending !== undefined) return host.ending;
  const ending = trapOf(thrown) ?? trapOfAccess(thrown);
  if (ending !== undefined) return ending;
  // What a result's `err` case becomes: the value itself.
  if (!(thrown instanceof Error) || thrown instanceof GuestStop) return { kind: 'exit', exitCode: 1 };
  throw inert(thrown);
}

/** How guests of these core instances are entered, for the host that they have then. */
export function suspendableEntry(host: Host, cores: CoreInstances): SuspendableEntry {
  return {
    capture(call) {
      const captured = withHost(host, () => cores.capture(call));
      if (captured === undefined) throw new Error('the glue called no core instance');
      return captured;
    },
    enter: ({ enter: run, values }) => host.enterSuspendable(() => run(...values)),
  };
}

/** Runs a command that can be suspended. */
export async function runSuspendable(
  host: Host,
  command: () => unknown,
  { capture, enter: run }: SuspendableEntry,
): Promise<void> {
  concludeRun(host, await run(capture(() => void requireSettled(command()))));
}

/** The discriminant of a `result` without values, as the core function answers it. Throws what the glue does for others. */
function concludeRun(host: Host, discriminant: unknown): void {
  if (discriminant === 0) return;
  if (discriminant === 1) host.stop({ kind: 'exit', exitCode: 1 });
  else throw LIFT_LOWER_VALUES.trap('invalid variant discriminant for expected');
}

/** An error that can be read later, when no deadline holds: reading one of the glue's could run more of it. */
function inert(error: Error): Error {
  const message: unknown = Object.getOwnPropertyDescriptor(error, 'message')?.value;
  return typeof message === 'string' ? error : new Error('the glue threw an error without words');
}
