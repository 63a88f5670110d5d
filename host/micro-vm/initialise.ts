/** Takes a function's snapshot: instantiates its module, runs its initialisation once, reads the state. */

import { NO_BYTES, UTF8_DECODER, UTF8_ENCODER } from '../bytes.ts';
import { UNCOUNTED, type AddressSpace } from '../linux/address-space.ts';
import { grantedBindings } from '../bindings/link.ts';
import type { FunctionDefinition } from '../definition/definition.ts';
import { callWithin } from './guest-call.ts';
import { monotonicNs } from '../monotonic.ts';
import { Account, type CountingInstance } from '../wasi/session/account.ts';
import { initialTerms } from '../wasi/session/terms.ts';
import { isNebulaError, messageOf, NebulaError } from '../errors.ts';
import { mountAll, closeAll } from '../filesystem/mounts.ts';
import { describeEnding, type Ending } from '../outcome.ts';
import { releaseMemory } from '../linux/memory.ts';
import { STATE } from '../module/state-names.ts';
import { Preview1 } from '../preview1/preview1.ts';
import type { GuestCall } from '../wasi/session/guest.ts';
import { nonZeroPages, type Snapshot } from '../snapshot/snapshot.ts';
import { InstanceState } from '../snapshot/state.ts';

/** What the initialisation came to. Plain data. */
export interface Initialised {
  readonly snapshot: Snapshot;
  /** Sources it read that differ from call to call. */
  readonly reads: readonly ('random' | 'clock')[];
  readonly initialiseNs: number;
}

/** The initialisation export that existing tools agree on: github.com/bytecodealliance/wizer. */
export const WIZER_EXPORT = 'wizer.initialize';

/**
 * Runs a function's initialisation with init-time capabilities only and takes its snapshot.
 * @throws NebulaError INIT_FAILED, INIT_NONDETERMINISTIC, SNAPSHOT_UNSUPPORTED, MOUNT_UNAVAILABLE, ADDRESS_SPACE
 */
export function initialise(definition: FunctionDefinition, space: AddressSpace = UNCOUNTED): Initialised {
  const startedMs = performance.now();
  const { init, prepared, limits, capabilities } = definition;
  const granted = { ...capabilities, mounts: init.allow.includes('mounts') ? capabilities.mounts : [] };
  const mounts = mountAll(granted.mounts, limits);
  try {
    const account = prepared.info.hasBudget ? new Account(limits) : undefined;
    const missing = prepared.info.missingImports;
    const preview1 = new Preview1(
      {
        programName: definition.name,
        limits,
        capabilities: granted,
        missing,
        account,
        bindings: grantedBindings(definition),
      },
      mounts,
    );
    const state = instantiate(definition, preview1, space);
    account?.connect(state.counting as CountingInstance);
    const segmentPages = nonZeroPages(state.bytes);
    const reads = runSteps(definition, preview1, state, account);
    refuseReads(definition, reads);
    const snapshot = state.read(prepared.digest, segmentPages);
    for (const memory of state.memories) releaseMemory(memory);
    return { snapshot, reads, initialiseNs: Math.round((performance.now() - startedMs) * 1e6) };
  } finally {
    closeAll(mounts);
  }
}

function instantiate(definition: FunctionDefinition, preview1: Preview1, space: AddressSpace): InstanceState {
  try {
    const state = InstanceState.create(definition.prepared, definition.name, preview1.imports, space);
    preview1.bind(state.memory, state.sized);
    return state;
  } catch (cause) {
    if (isNebulaError(cause)) throw cause;
    throw new NebulaError('INIT_FAILED', { name: definition.name, detail: messageOf(cause) }, { cause });
  }
}

type Read = 'random' | 'clock';

function runSteps(
  definition: FunctionDefinition,
  preview1: Preview1,
  state: InstanceState,
  account: Account | undefined,
): Read[] {
  const { init, prepared, entry } = definition;
  const reads = new Set<Read>();
  const call: GuestCall = { input: NO_BYTES, arguments: [], environment: init.environment };
  const step = (exportName: string, given: GuestCall): void => {
    preview1.begin(given);
    account?.begin(preview1.session, initialTerms(definition.limits.timeoutMs, monotonicNs()));
    const ending = callStep(definition, state, exportName, preview1);
    account?.end();
    if (preview1.reads.random) reads.add('random');
    if (preview1.reads.clock) reads.add('clock');
    const stderr = UTF8_DECODER.decode(preview1.stderr()).trim();
    preview1.end();
    if (ending.kind !== 'ok') {
      const named = exportName === STATE.start ? 'its start function' : exportName;
      const detail = `${named} ended with ${describeEnding(ending)}${stderr === '' ? '' : `: ${stderr.slice(-500)}`}`;
      throw new NebulaError('INIT_FAILED', { name: definition.name, detail });
    }
  };
  if (prepared.info.hasStartFunction) step(STATE.start, call);
  if (prepared.info.kind !== 'command' && prepared.info.hasInitialize) step('_initialize', call);
  const named = init.export ?? (state.hasFunction(WIZER_EXPORT) ? WIZER_EXPORT : undefined);
  if (named !== undefined) {
    if (!state.hasFunction(named)) {
      throw new NebulaError('INIT_FAILED', {
        name: definition.name,
        detail: `the module exports no function "${named}"`,
      });
    }
    step(named, call);
  }
  if (prepared.info.kind === 'library' && init.warmUp.length > 0) {
    const detail =
      'init.warmUp must be left out: the module exports neither "_start" nor "handle", which would take its inputs';
    throw new NebulaError('INIT_FAILED', { name: definition.name, detail });
  }
  for (const input of prepared.info.kind === 'reactor' ? init.warmUp : []) {
    step(entry, { ...call, input: UTF8_ENCODER.encode(input) });
  }
  return [...reads];
}

function callStep(
  definition: FunctionDefinition,
  state: InstanceState,
  exportName: string,
  preview1: Preview1,
): Ending {
  const fail = (detail: string, cause?: unknown): never => {
    throw new NebulaError('INIT_FAILED', { name: definition.name, detail }, { cause });
  };
  const { restorable, restorableReason } = definition.prepared.info;
  if (!restorable) {
    const detail = `${restorableReason}, so what its initialisation leaves there cannot be kept`;
    throw new NebulaError('SNAPSHOT_UNSUPPORTED', { detail });
  }
  if (state.function(exportName).length > 0) fail(`${exportName} takes parameters: expected the type () -> ()`);
  try {
    // Also what counts units: nobody else would end a host function that does not return.
    return callWithin(state.function(exportName), preview1, definition.limits.timeoutMs);
  } catch (cause) {
    return fail(`${exportName} cannot be called: ${messageOf(cause)}`, cause);
  }
}

function refuseReads(definition: FunctionDefinition, reads: readonly Read[]): void {
  const refused = reads.filter((source) => !definition.init.allow.includes(source));
  if (refused.length === 0) return;
  const sources = refused.map((source) => (source === 'random' ? 'randomness' : 'a clock')).join(' and ');
  throw new NebulaError('INIT_NONDETERMINISTIC', { name: definition.name, sources });
}
