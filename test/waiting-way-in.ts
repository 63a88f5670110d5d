/**
 * A way in whose guests wait: each is suspended several times, two calls of it are under way at once, and in the same thread
 * others wait, whose memory must stay theirs.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CAN_SUSPEND } from '../host/waiting/jspi.ts';
import { requirePart } from './require.ts';
import { bytesOf, textOf, type SuiteAnswer, type SuiteTarget } from './suite-bench.ts';
import { waitingModule } from './waiting-module.ts';
import { assemble } from './wat.ts';

/** Nodes that have no way to suspend a guest. */
const FIRST_MAJOR = 24;

/** Why guests cannot wait without a thread here, or false. */
export function waitingSkip(): string | false {
  const isOld = Number(process.versions.node.split('.')[0]) < FIRST_MAJOR;
  const reason = `Node ${process.version} cannot suspend a guest`;
  return isOld ? `${reason}: JSPI is there from Node ${FIRST_MAJOR} on` : requirePart('jspi', CAN_SUSPEND, reason);
}

const NEIGHBOURS = 3;

/** Reads its input, waits 30 times for 2 ms, each time after it has added one to the first byte in memory, and writes it. */
const NEIGHBOUR = `(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $left i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 100))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))
    (local.set $left (i32.const 30))
    (loop $again
      (i32.store8 (i32.const 1024) (i32.add (i32.load8_u (i32.const 1024)) (i32.const 1)))
      (i32.store (i32.const 144) (i32.const 1))
      (i64.store (i32.const 152) (i64.const 2000000))
      (drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 320)))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;

const NAME = 'neighbour';

/** The neighbours of a way in, as many at a time as there are to be. */
class Neighbours {
  readonly #target: SuiteTarget;
  readonly #underWay: Set<Promise<void>> = new Set();
  #calls = 0;
  #failure: unknown;

  constructor(target: SuiteTarget) {
    this.#target = target;
  }

  keep(): void {
    while (this.#underWay.size < NEIGHBOURS) {
      const call = this.#call(`! is number ${this.#calls++}`).catch((error: unknown) => void (this.#failure ??= error));
      this.#underWay.add(call);
      void call.finally(() => this.#underWay.delete(call));
    }
  }

  /** @throws what went wrong with any of them */
  async end(): Promise<void> {
    await Promise.all(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  async #call(text: string): Promise<void> {
    const { kind, stdout } = await this.#target.invoke(NAME, { input: bytesOf(text) });
    assert.deepEqual([kind, textOf(stdout)], ['ok', `?${text.slice(1)}`]);
  }
}

/** The same way in, of one thread, where guests wait; it has to tell how many do. */
export async function waitingWayIn(open: () => Promise<SuiteTarget>): Promise<SuiteTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-waiting-'));
  const target = await open();
  const neighbour = join(folder, 'neighbour.wasm');
  writeFileSync(neighbour, await assemble(NEIGHBOUR));
  await target.deploy(neighbour, { name: NAME });
  const neighbours = new Neighbours(target);
  let most = 0;
  return {
    async deploy(path, options) {
      const waiting = join(folder, `${options.name}.wasm`);
      writeFileSync(waiting, waitingModule(readFileSync(path)));
      await target.deploy(waiting, options);
    },
    async invoke(name, call) {
      neighbours.keep();
      const both = [target.invoke(name, call), target.invoke(name, call)] as const;
      const looking = setInterval(() => (most = Math.max(most, target.suspended?.() ?? 0)), 1);
      const [first, second] = await Promise.allSettled(both);
      clearInterval(looking);
      if (first.status === 'rejected') throw first.reason as Error;
      assert.equal((second as PromiseFulfilledResult<SuiteAnswer>).value.kind, first.value.kind);
      return first.value;
    },
    async close() {
      await neighbours.end();
      await target.close();
      rmSync(folder, { recursive: true, force: true });
      assert.ok(most > NEIGHBOURS, `at most ${most} were suspended at once`);
    },
  };
}
