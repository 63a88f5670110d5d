/** One suite of invocations for every way in: in this thread, on worker threads, over HTTP, through the command. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Bench, bytesOf, MIB, patternOf, textOf, type SuiteTarget } from './suite-bench.ts';
import { loudLoop, loudOutput } from './loud-loop.ts';
import { describeLimits, describeMounts } from './suite-limits.ts';

export type { SuiteAnswer, SuiteCall, SuiteTarget } from './suite-bench.ts';

/** Runs the suite against what `open` answers; it is closed afterwards. `skip` says why it cannot be here. */
export function invocationSuite(name: string, open: () => Promise<SuiteTarget>, skip: string | false = false): void {
  describe(`invoke() ${name}`, { skip }, () => {
    const bench = new Bench(open);
    before(() => bench.begin());
    after(() => bench.end());
    describeEndings(bench);
    describeStreams(bench);
    describeLimits(bench);
    describeMounts(bench);
    describeState(bench);
  });
}

function describeEndings(bench: Bench): void {
  it('is ok for exit code 0', async () => {
    const invoke = await bench.deploy('fibonacci');
    const { kind, stdout } = await invoke({ input: bytesOf('30') });
    assert.deepEqual([kind, textOf(stdout).trimEnd()], ['ok', '832040']);
  });

  it('tells an exit code, with what was written before', async () => {
    const { kind, exitCode, stdout, stderr } = await (await bench.deploy('guests/exit-3'))();
    assert.deepEqual([kind, exitCode], ['exit', 3]);
    if (stdout !== undefined) assert.equal(textOf(stdout), 'before the exit\n');
    if (stderr !== undefined) assert.equal(textOf(stderr), 'exits with 3\n');
  });

  it('tells a trap and its reason', async () => {
    const trapped = await (await bench.deploy('guests/trap-unreachable'))();
    assert.deepEqual([trapped.kind, trapped.reason], ['trap', 'unreachable']);
    if (trapped.stderr !== undefined) assert.equal(textOf(trapped.stderr), 'before the trap\n');
    const overflown = await (await bench.deploy('guests/stack-overflow'))();
    assert.deepEqual([overflown.kind, overflown.reason], ['trap', 'stack-overflow']);
  });

  it('tells what a guest had written when it was stopped at its deadline', async () => {
    for (const chunks of [0, 3, 200]) {
      const path = join(bench.directory, `loud-loop-${chunks}.wasm`);
      writeFileSync(path, await loudLoop(chunks));
      const { kind, stdout, stderr } = await (await bench.deploy(path, { limits: { timeoutMs: 1000 } }))();
      assert.equal(kind, 'timeout');
      // HTTP tells the end of stderr of a function that shows its failures, and no output of one that failed.
      if (stdout !== undefined) assert.equal(textOf(stdout), loudOutput(chunks));
      assert.equal(textOf(stderr), 'err');
    }
  });

  it('answers as before after a trap, an exit and a timeout of the same function', async () => {
    const invoke = await bench.deploy('guests/spin-then-answer', { limits: { timeoutMs: 5_000 } });
    assert.equal((await invoke({ input: bytesOf('no number') })).kind, 'exit');
    assert.equal((await invoke({ input: bytesOf('60000'), timeoutMs: 40 })).kind, 'timeout');
    assert.equal(textOf((await invoke({ input: bytesOf('1') })).stdout), 'spun for 1 ms\n');
  });

  it('is denied where the manifest says that what is not granted ends the guest', async () => {
    const capabilities = {
      denial: 'end',
      mounts: [{ guest: '/data', files: { inside: 'here' }, access: 'read-only' }],
    } as const;
    assert.equal((await (await bench.deploy('guests/open-outside', { capabilities }))()).kind, 'denied');
  });
}

function describeStreams(bench: Bench): void {
  it('hands input through and back, from nothing to 16 MiB', async () => {
    const invoke = await bench.deploy('echo', { limits: { memoryBytes: 256 * MIB, timeoutMs: 30_000 } });
    for (const sizeBytes of [0, 1, 65_535, 65_536, MIB, 16 * MIB, MIB, 1]) {
      const input = patternOf(sizeBytes);
      const { kind, stdout } = await invoke({ input });
      assert.equal(kind, 'ok');
      assert.ok(Buffer.compare(input, stdout ?? new Uint8Array()) === 0, `${sizeBytes} bytes`);
      assert.equal(input.length, sizeBytes, "the caller keeps its input's bytes");
    }
  });

  it("gives the manifest's arguments and variables, and the call's in place of and beside them", async () => {
    const capabilities = { arguments: ['from the manifest'], environment: { KEPT: 'å', CHANGED: 'no' } };
    const invoke = await bench.deploy('guests/env-dump', { capabilities });
    const [, ...granted] = textOf((await invoke()).stdout)
      .trim()
      .split('\n');
    assert.deepEqual(granted, ['argument "from the manifest"', 'variable "CHANGED" "no"', 'variable "KEPT" "å"']);
    const call = { arguments: ['ø', 'a b'], environment: { CHANGED: 'yes', ADDED: '1' } };
    const [, ...given] = textOf((await invoke(call)).stdout)
      .trim()
      .split('\n');
    const variables = ['variable "ADDED" "1"', 'variable "CHANGED" "yes"', 'variable "KEPT" "å"'];
    assert.deepEqual(given, ['argument "ø"', 'argument "a b"', ...variables]);
    const [, ...again] = textOf((await invoke()).stdout)
      .trim()
      .split('\n');
    assert.deepEqual(again, granted);
  });

  it('gives nothing that the manifest does not grant', async () => {
    const [program, ...rest] = textOf((await (await bench.deploy('guests/env-dump'))()).stdout)
      .trim()
      .split('\n');
    assert.match(program ?? '', /^argument "case-\d+"$/);
    assert.deepEqual(rest, []);
  });
}

/** What two calls of a function print that draws from this source. */
async function draw(bench: Bench, random?: { kind: 'seeded'; seed: number }): Promise<string[]> {
  const capabilities = random === undefined ? {} : { random };
  const invoke = await bench.deploy('guests/random-dump', { capabilities });
  return [textOf((await invoke()).stdout), textOf((await invoke()).stdout)];
}

function describeState(bench: Bench): void {
  it('finds nothing of the call before', async () => {
    const count = await bench.deploy('guests/count-calls');
    for (let call = 0; call < 5; call++) assert.equal(textOf((await count()).stdout), '1 1\n');
    const keep = await bench.deploy('guests/keep-secret', { entry: 'handle' });
    for (let call = 0; call < 5; call++) {
      const { stdout } = await keep({ input: bytesOf(`secret ${call}`) });
      assert.equal(textOf(stdout), 'static ""\nheap ""\n');
    }
  });

  it('answers from what the initialisation of a reactor built', async () => {
    const options = { entry: 'handle', init: { export: 'nebula_init', environment: { LOOKUP_MIB: '2' } } };
    const invoke = await bench.deploy('lookup', options);
    for (let call = 0; call < 3; call++) {
      assert.equal(textOf((await invoke({ input: bytesOf('0') })).stdout), '0 e220a8397b1dcdaf\n');
    }
    assert.match(textOf((await invoke({ input: bytesOf('262143') })).stdout), /^262143 [0-9a-f]{16}\n$/);
    assert.equal((await invoke({ input: bytesOf('262144') })).kind, 'exit');
  });

  it('shows the clocks that were granted', async () => {
    const epochMs = 1_234_567_890_123;
    const fixed = await bench.deploy('guests/clock-dump', { capabilities: { clocks: { kind: 'fixed', epochMs } } });
    assert.match(textOf((await fixed()).stdout), /^realtime 1234567890123000000 0\nmonotonic 0\n$/);
    const clocks = { kind: 'coarse', grainNs: 1e9 } as const;
    const coarse = await bench.deploy('guests/clock-dump', { capabilities: { clocks } });
    const [, realtimeNs = '', movedNs = ''] = /^realtime (\d+) (\d+)\n/.exec(textOf((await coarse()).stdout)) ?? [];
    assert.equal(BigInt(realtimeNs) % 1_000_000_000n, 0n);
    assert.ok(movedNs === '0' || movedNs === '1000000000', movedNs);
    assert.ok(Math.abs(Number(realtimeNs) / 1e6 - Date.now()) < 10_000);
  });

  it('draws the same numbers from a seed, and never the same without one', async () => {
    const [first, second] = await draw(bench, { kind: 'seeded', seed: 7 });
    assert.match(first ?? '', /^[0-9a-f]{64}\n[0-9a-f]{16}\n$/);
    assert.equal(first, second);
    assert.equal((await draw(bench, { kind: 'seeded', seed: 7 }))[0], first);
    assert.notEqual((await draw(bench, { kind: 'seeded', seed: 8 }))[0], first);
    assert.equal(new Set([...(await draw(bench)), ...(await draw(bench))]).size, 4);
  });
}
