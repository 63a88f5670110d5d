/** One suite of invocations for every way in: in this thread, on worker threads, over HTTP, through the command. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DeployOptions } from '../lib/api.ts';
import { modulePath } from './definition.ts';
import { tableGrower } from './table-grower.ts';

export interface SuiteCall {
  readonly input?: Uint8Array;
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** An outcome as far as the way in shows it. `stdout` of a guest that failed and `stderr` may be undefined. */
export interface SuiteAnswer {
  readonly kind: string;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly limit?: string;
  readonly allowed?: number;
  readonly timeoutMs?: number;
  readonly stdout: Uint8Array | undefined;
  readonly stderr: Uint8Array | undefined;
}

/** A way in. A failure of Nebula's is an error whose `code` is the table's. */
export interface SuiteTarget {
  /** Deploys the module at a path under `options.name`, with what else a manifest may say. */
  deploy(path: string, options: DeployOptions & { readonly name: string }): Promise<unknown>;
  invoke(name: string, call?: SuiteCall): Promise<SuiteAnswer>;
  close(): Promise<unknown>;
}

const MIB = 1024 * 1024;

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Bytes of every value in no simple order, the same each time. */
function patternOf(sizeBytes: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: sizeBytes }, () => (state = (state * 48_271) % 2_147_483_647) & 0xff);
}

/** Holds a target and a directory while the suite runs, and deploys a function per case. */
class Bench {
  readonly #open: () => Promise<SuiteTarget>;
  #target: SuiteTarget | undefined;
  #directory = '';
  #cases = 0;

  constructor(open: () => Promise<SuiteTarget>) {
    this.#open = open;
  }

  async begin(): Promise<void> {
    this.#target = await this.#open();
    this.#directory = mkdtempSync(join(tmpdir(), 'nebula-suite-'));
  }

  async end(): Promise<void> {
    await this.#target?.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get directory(): string {
    return this.#directory;
  }

  get target(): SuiteTarget {
    assert.ok(this.#target !== undefined);
    return this.#target;
  }

  /** Deploys a function by its folder, or a module by its path, and answers how it is invoked. */
  async deploy(from: string, options: DeployOptions = {}): Promise<(call?: SuiteCall) => Promise<SuiteAnswer>> {
    this.#cases += 1;
    const name = `case-${this.#cases}`;
    const path = from.endsWith('.wasm') ? from : modulePath(from);
    await this.target.deploy(path, { http: { showFailures: true }, ...options, name });
    return (call) => this.target.invoke(name, call);
  }
}

/** Runs the suite against what `open` answers; it is closed afterwards. */
export function invocationSuite(name: string, open: () => Promise<SuiteTarget>): void {
  describe(`invoke() ${name}`, () => {
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

function describeLimits(bench: Bench): void {
  const reaches = async (from: string, limits: NonNullable<DeployOptions['limits']>): Promise<SuiteAnswer> =>
    (await bench.deploy(from, { limits }))();

  it('stops at timeoutMs, the limit and the shorter one of a call', async () => {
    const invoke = await bench.deploy('guests/forever', { limits: { timeoutMs: 80 } });
    const first = await invoke();
    assert.deepEqual([first.kind, first.timeoutMs], ['timeout', 80]);
    const shorter = await invoke({ timeoutMs: 30 });
    assert.deepEqual([shorter.kind, shorter.timeoutMs], ['timeout', 30]);
    const longer = await invoke({ timeoutMs: 60_000 });
    assert.deepEqual([longer.kind, longer.timeoutMs], ['timeout', 80]);
  });

  it('stops at memoryBytes', async () => {
    const { kind, limit, allowed } = await reaches('guests/grow-forever', { memoryBytes: 16 * MIB });
    assert.deepEqual([kind, limit, allowed], ['limit', 'memoryBytes', 16 * MIB]);
  });

  it('stops at outputBytes and at stderrBytes', async () => {
    const { kind, limit, allowed, stdout } = await reaches('guests/write-forever', { outputBytes: 100_000 });
    assert.deepEqual([kind, limit, allowed], ['limit', 'outputBytes', 100_000]);
    assert.ok((stdout?.length ?? 0) <= 100_000);
    const second = await reaches('guests/trap-unreachable', { stderrBytes: 6 });
    assert.deepEqual([second.kind, second.limit, second.allowed], ['limit', 'stderrBytes', 6]);
    if (second.stderr !== undefined) assert.equal(textOf(second.stderr), 'before');
  });

  it('lets no table grow beyond tableElements', async () => {
    const path = join(bench.directory, 'table-grower.wasm');
    writeFileSync(path, tableGrower());
    const { kind, exitCode } = await reaches(path, { tableElements: 40 });
    assert.deepEqual([kind, exitCode], ['exit', 40]);
  });

  it('opens no more than openFiles', async () => {
    const options = (openFiles: number): DeployOptions => ({
      limits: { openFiles },
      capabilities: { mounts: [{ guest: '/data', files: { a: 'text' }, access: 'read-only' }] },
    });
    const input = bytesOf('/data/a');
    const enough = await (await bench.deploy('guests/read-file', options(5)))({ input });
    assert.deepEqual([enough.kind, textOf(enough.stdout)], ['ok', 'text']);
    const tooFew = await (await bench.deploy('guests/read-file', options(4)))({ input });
    assert.deepEqual([tooFew.kind, tooFew.exitCode], ['exit', 1]);
  });

  it('holds no more than filesystemBytes and filesystemEntries in memory', async () => {
    const capabilities = { mounts: [{ guest: '/data', files: {}, access: 'read-write' }] } as const;
    const input = bytesOf(`/data/new\n${'x'.repeat(1000)}`);
    for (const [limits, kind] of [
      [{ filesystemBytes: 1000, filesystemEntries: 1 }, 'ok'],
      [{ filesystemBytes: 999, filesystemEntries: 1 }, 'exit'],
      [{ filesystemBytes: 1000, filesystemEntries: 0 }, 'exit'],
    ] as const) {
      const answer = await (await bench.deploy('guests/write-file', { limits, capabilities }))({ input });
      assert.equal(answer.kind, kind, JSON.stringify(limits));
    }
  });

  it('takes no input above inputBytes, and no module above moduleBytes', async () => {
    const invoke = await bench.deploy('echo', { limits: { inputBytes: 10 } });
    assert.equal((await invoke({ input: new Uint8Array(10) })).kind, 'ok');
    await assert.rejects(invoke({ input: new Uint8Array(11) }), { code: 'ERR_NEBULA_INPUT_TOO_LARGE' });
    const deploying = bench.deploy('echo', { limits: { moduleBytes: 1000 } });
    await assert.rejects(deploying, { code: 'ERR_NEBULA_MODULE_TOO_LARGE' });
  });
}

function describeMounts(bench: Bench): void {
  it('reads and writes a directory of the machine as far as it was granted', async () => {
    const machine = mkdtempSync(join(bench.directory, 'mount-'));
    writeFileSync(join(machine, 'a'), 'on the machine');
    const granted = (access: 'read-only' | 'read-write'): DeployOptions => ({
      capabilities: { mounts: [{ guest: '/data', machine, access }] },
    });
    const read = await bench.deploy('guests/read-file', granted('read-only'));
    assert.equal(textOf((await read({ input: bytesOf('/data/a') })).stdout), 'on the machine');
    const refused = await bench.deploy('guests/write-file', granted('read-only'));
    assert.equal((await refused({ input: bytesOf('/data/b\nno') })).kind, 'exit');
    const write = await bench.deploy('guests/write-file', granted('read-write'));
    assert.equal((await write({ input: bytesOf('/data/b\nyes') })).kind, 'ok');
    assert.equal(readFileSync(join(machine, 'b'), 'utf8'), 'yes');
  });

  it('makes a tree in memory anew for each call', async () => {
    const granted = (access: 'read-only' | 'read-write'): DeployOptions => ({
      capabilities: { mounts: [{ guest: '/data', files: { 'sub/a': 'text' }, access }] },
    });
    const read = await bench.deploy('guests/read-file', granted('read-only'));
    assert.equal(textOf((await read({ input: bytesOf('/data/sub/a') })).stdout), 'text');
    const refused = await bench.deploy('guests/write-file', granted('read-only'));
    assert.equal((await refused({ input: bytesOf('/data/b\nno') })).kind, 'exit');
    const write = await bench.deploy('guests/write-file', granted('read-write'));
    assert.equal((await write({ input: bytesOf('/data/b\nyes') })).kind, 'ok');
    const list = await bench.deploy('guests/list-directory', granted('read-write'));
    for (let call = 0; call < 3; call++) {
      assert.equal(textOf((await list({ input: bytesOf('/data') })).stdout), 'sub directory\n');
    }
  });

  it('opens nothing outside of its mounts', async () => {
    const machine = mkdtempSync(join(bench.directory, 'mount-'));
    writeFileSync(join(bench.directory, 'outside'), 'secret of the machine');
    for (const mount of [
      { guest: '/data', machine, access: 'read-write' },
      { guest: '/data', files: {}, access: 'read-write' },
    ] as const) {
      const invoke = await bench.deploy('guests/open-outside', { capabilities: { mounts: [mount] } });
      const { kind, stdout } = await invoke();
      assert.equal(kind, 'ok');
      const told = textOf(stdout).trim().split('\n');
      assert.equal(told.length, 8 * 4);
      for (const line of told) assert.match(line, / errno \d+$/);
    }
  });
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
    const draw = async (random?: { kind: 'seeded'; seed: number }): Promise<string[]> => {
      const capabilities = random === undefined ? {} : { random };
      const invoke = await bench.deploy('guests/random-dump', { capabilities });
      return [textOf((await invoke()).stdout), textOf((await invoke()).stdout)];
    };
    const [first, second] = await draw({ kind: 'seeded', seed: 7 });
    assert.match(first ?? '', /^[0-9a-f]{64}\n[0-9a-f]{16}\n$/);
    assert.equal(first, second);
    assert.equal((await draw({ kind: 'seeded', seed: 7 }))[0], first);
    assert.notEqual((await draw({ kind: 'seeded', seed: 8 }))[0], first);
    assert.equal(new Set([...(await draw()), ...(await draw())]).size, 4);
  });
}
