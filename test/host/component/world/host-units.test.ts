/** What a component's host functions cost a guest that counts units: the same, however often one is tried. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveCapabilities } from '../../../../host/capabilities/capabilities.ts';
import { Host } from '../../../../host/component/world/host.ts';
import { resolveLimits } from '../../../../host/limits.ts';
import { monotonicNs } from '../../../../host/monotonic.ts';
import { Suspension } from '../../../../host/waiting/suspension.ts';
import { Turns } from '../../../../host/waiting/turns.ts';
import { Account } from '../../../../host/wasi/session/account.ts';
import { callTerms } from '../../../../host/wasi/session/terms.ts';

/** Wakes at once, whatever is waited for. */
class Restless extends Suspension {
  override changed(): Promise<void> {
    return Promise.resolve();
  }
}

const ARGUMENT_BYTES = 65_536;

/** Units of one host function with a large argument that is woken so often before what it waits for is there. */
async function unitsOf(wakings: number): Promise<number> {
  const limits = resolveLimits();
  const account = new Account(limits);
  account.connect({ units: new WebAssembly.Global({ value: 'i32', mutable: true }, 0), askFor: () => undefined });
  const options = { programName: 'test', limits, capabilities: resolveCapabilities(), account };
  const host = new Host(options, [], new Restless(new Turns()));
  host.begin({ input: new Uint8Array(), arguments: [], environment: {} });
  account.begin(host, callTerms({ askedMs: 0, limitMs: 0 }, 0, monotonicNs()));
  let tries = 0;
  const ready = { isReady: () => true, readyAtMs: 0 };
  const call = (): boolean => {
    host.values.beginArguments();
    host.values.countArgument(ARGUMENT_BYTES);
    host.enter();
    const isThere = tries++ === wakings;
    let asked = 0;
    const once = { isReady: () => asked++ > 0, readyAtMs: performance.now() + 1e6 };
    return host.waitSuspended([isThere ? ready : once]);
  };
  await host.enterSuspendable(async () => host.callSuspendable(call));
  account.end();
  assert.equal(tries, wakings + 1);
  return account.used.units;
}

test('Host charges a function once for its arguments, however often it is tried', async () => {
  const once = await unitsOf(0);
  assert.ok(once >= ARGUMENT_BYTES / 32, String(once));
  assert.equal(await unitsOf(1), once);
  assert.equal(await unitsOf(5), once);
});
