/** One suite of invocations for every backend of native guests. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { resolveLimits, type Limits } from '../../../host/limits.ts';
import type { Invocation, Outcome } from '../../../host/outcome.ts';
import type { Executor } from '../../../pools/executor.ts';
import type { NativeDefinition } from '../../../pools/native/backend.ts';

/** What a test gives a function in place of the defaults. */
export interface NativeOverrides extends Partial<Omit<NativeDefinition, 'id' | 'name' | 'limits'>> {
  readonly limits?: Partial<Limits>;
}

export interface NativeSuiteOptions<Definition extends NativeDefinition> {
  readonly skip: string | false;
  readonly open: () => Executor<Definition>;
  /** A definition of a function or guest built by functions/build.sh. */
  readonly define: (name: string, overrides?: NativeOverrides) => Definition;
  /** How long after its deadline a guest's outcome may come, in milliseconds. */
  readonly killBoundMs: number;
}

let made = 0;

/** The part of a definition that all backends share. */
export function nativeDefinition(name: string, { limits, ...rest }: NativeOverrides = {}): NativeDefinition {
  made++;
  return {
    id: `${name}#${made}`,
    name,
    mode: 'cold',
    limits: resolveLimits(limits),
    arguments: [],
    environment: {},
    idleTimeoutMs: 0,
    ...rest,
  };
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

export function call(text = '', rest: Omit<Invocation, 'input'> = {}): Invocation {
  return { input: bytesOf(text), ...rest };
}

export function endingOf({ stdout: _o, stderr: _e, start: _s, phases: _p, usage: _u, ...ending }: Outcome): unknown {
  return ending;
}

function patternOf(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 31 + (index >>> 8)) & 0xff);
}

export function nativeSuite<Definition extends NativeDefinition>(
  title: string,
  options: NativeSuiteOptions<Definition>,
): void {
  const { define, killBoundMs } = options;
  describe(title, { skip: options.skip }, () => {
    let executor: Executor<Definition>;
    before(() => {
      executor = options.open();
    });
    after(() => executor.close(0));

    /** Deploys, runs once, undeploys. */
    async function once(name: string, invocation: Invocation, overrides?: NativeOverrides): Promise<Outcome> {
      const definition = define(name, overrides);
      await executor.deploy(definition);
      try {
        return await executor.invoke(definition, invocation);
      } finally {
        await executor.undeploy(definition.id);
      }
    }

    /** The only guest a function may have is busy: a call of it waits, and ends at its deadline without running. */
    async function waitsUntilDeadline(mode: 'cold' | 'warm'): Promise<void> {
      const definition = define('sleep', { mode, limits: { concurrency: 1 } });
      await executor.deploy(definition);
      let isFirstEnded = false;
      const first = executor.invoke(definition, call('3')).finally(() => (isFirstEnded = true));
      const startedMs = performance.now();
      const waiting = await executor.invoke(definition, call('0', { timeoutMs: 200 }));
      const tookMs = performance.now() - startedMs;
      assert.deepEqual(endingOf(waiting), { kind: 'timeout', timeoutMs: 200 });
      assert.equal(isFirstEnded, false, 'it ends while the one before it runs');
      assert.ok(tookMs >= 190, `it took ${tookMs} ms`);
      assert.deepEqual([waiting.phases.run, executor.stats().waiting], [0, 0]);
      assert.ok(waiting.phases.queue >= 190e6, `it waited for ${waiting.phases.queue} ns`);
      assert.deepEqual(endingOf(await first), { kind: 'ok' });
      await executor.undeploy(definition.id);
    }

    async function runsForWhatIsLeft(mode: 'cold' | 'warm'): Promise<void> {
      const definition = define('sleep', { mode, limits: { concurrency: 1 } });
      await executor.deploy(definition);
      const first = executor.invoke(definition, call('3'));
      const outcome = await executor.invoke(definition, call('30', { timeoutMs: 4_000 }));
      assert.deepEqual(endingOf(await first), { kind: 'ok' });
      assert.deepEqual(endingOf(outcome), { kind: 'timeout', timeoutMs: 4_000 });
      assert.ok(outcome.phases.run < outcome.phases.queue, 'it ran for what the wait left of its time');
      await executor.undeploy(definition.id);
    }

    coldCases();
    warmCases();

    function coldCases(): void {
      it('invoke() answers with the guest’s stdout, whatever its bytes and length', async () => {
        for (const sizeBytes of [0, 1, 1_500_000]) {
          const input = patternOf(sizeBytes);
          const outcome = await once('echo', { input });
          assert.deepEqual(endingOf(outcome), { kind: 'ok' });
          assert.ok(
            Buffer.from(outcome.stdout).equals(input),
            `${sizeBytes} bytes came back as ${outcome.stdout.length}`,
          );
          assert.equal(outcome.start, 'cold');
          assert.ok((outcome.phases.start ?? 0) > 0 && outcome.phases.run > 0);
        }
      });

      it('invoke() tells an exit code with both streams', async () => {
        const outcome = await once('exit-3', call());
        assert.deepEqual(endingOf(outcome), { kind: 'exit', exitCode: 3 });
        assert.deepEqual([textOf(outcome.stdout), textOf(outcome.stderr)], ['before the exit\n', 'exits with 3\n']);
      });

      it('invoke() tells a fault as a trap', async () => {
        const outcome = await once('trap-unreachable', call());
        assert.equal(outcome.kind, 'trap');
      });

      it('invoke() gives arguments and variables, and no others', async () => {
        const outcome = await once('env-dump', call('', { environment: { B: '2' } }), { environment: { A: '1' } });
        const variables = [...textOf(outcome.stdout).matchAll(/^variable "(.*)" "(.*)"$/gm)].map(([, name, value]) => [
          name,
          value,
        ]);
        // An engine sets these itself.
        const given = variables.filter(([name]) => !['HOME', 'HOSTNAME', 'PATH'].includes(name ?? ''));
        assert.deepEqual(given, [
          ['A', '1'],
          ['B', '2'],
        ]);
        const called = await once('env-dump', call('', { arguments: ['x', 'y z'] }), { arguments: ['not these'] });
        assert.match(textOf(called.stdout), /argument "x"\nargument "y z"\n/);
        assert.doesNotMatch(textOf(called.stdout), /not these/);
      });

      it('invoke() kills a guest at its deadline, and other calls go on', async () => {
        const definition = define('forever', { limits: { timeoutMs: 1500 } });
        await executor.deploy(definition);
        const startedMs = performance.now();
        const [outcome, other] = await Promise.all([
          executor.invoke(definition, call()),
          once('echo', call('goes on')),
        ]);
        const tookMs = performance.now() - startedMs;
        assert.deepEqual(endingOf(outcome), { kind: 'timeout', timeoutMs: 1500 });
        assert.ok(tookMs >= 1490 && tookMs < 1500 + killBoundMs, `took ${tookMs} ms`);
        assert.equal(textOf(other.stdout), 'goes on');
        await executor.undeploy(definition.id);
      });

      it('invoke() takes a deadline shorter than the limit', async () => {
        const outcome = await once('forever', call('', { timeoutMs: 1000 }));
        assert.deepEqual(endingOf(outcome), { kind: 'timeout', timeoutMs: 1000 });
      });

      it("invoke() ends a call that waits when its caller's time is up", async () => {
        await waitsUntilDeadline('cold');
      });

      it("invoke() takes what a call waited off its caller's time", async () => {
        await runsForWhatIsLeft('cold');
      });

      it('invoke() stops a guest at its output limit', async () => {
        const outcome = await once('write-forever', call(), { limits: { outputBytes: 100_000 } });
        assert.deepEqual(endingOf(outcome), { kind: 'limit', limit: 'outputBytes', allowed: 100_000 });
        assert.equal(outcome.stdout.length, 100_000);
      });

      it('invoke() stops a guest when its signal is aborted, and one that waits', async () => {
        const definition = define('forever', { limits: { concurrency: 1 } });
        await executor.deploy(definition);
        const running = new AbortController();
        const waiting = new AbortController();
        const first = executor.invoke(definition, call(), running.signal);
        const second = executor.invoke(definition, call(), waiting.signal);
        waiting.abort();
        assert.deepEqual(endingOf(await second), { kind: 'aborted' });
        setTimeout(() => running.abort(), 700);
        assert.deepEqual(endingOf(await first), { kind: 'aborted' });
        assert.equal((await executor.invoke(definition, call(), AbortSignal.abort())).kind, 'aborted');
        await executor.undeploy(definition.id);
      });

      it('invoke() runs as many as the concurrency at once, queues as many as the queue takes, refuses the rest', async () => {
        const definition = define('echo', { limits: { concurrency: 2, queueLength: 1 } });
        await executor.deploy(definition);
        const calls = [1, 2, 3].map((number) => executor.invoke(definition, call(String(number))));
        await assert.rejects(executor.invoke(definition, call('4')), { code: 'ERR_NEBULA_QUEUE_FULL' });
        const outcomes = await Promise.all(calls);
        assert.deepEqual(
          outcomes.map(({ stdout }) => textOf(stdout)),
          ['1', '2', '3'],
        );
        assert.ok((outcomes[2]?.phases.queue ?? 0) > 0);
        await executor.undeploy(definition.id);
      });

      it('undeploy() waits for calls in flight, and forgets the version', async () => {
        const definition = define('echo');
        await executor.deploy(definition);
        const outcome = executor.invoke(definition, call('in flight'));
        await executor.undeploy(definition.id);
        assert.equal(textOf((await outcome).stdout), 'in flight');
        await assert.rejects(executor.invoke(definition, call()), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
      });
    }

    function warmCases(): void {
      it('invoke() has a kept guest answer call after call', async () => {
        const definition = define('echo', { mode: 'warm' });
        const report = await executor.deploy(definition);
        assert.equal(report.strategy, 'warm');
        const large = patternOf(1_500_000);
        for (const input of [bytesOf('one'), new Uint8Array(), large, bytesOf('two')]) {
          const outcome = await executor.invoke(definition, { input });
          assert.deepEqual(endingOf(outcome), { kind: 'ok' });
          assert.ok(Buffer.from(outcome.stdout).equals(input));
          assert.equal(outcome.start, 'ready');
          assert.equal(outcome.phases.start, undefined);
        }
        assert.equal(executor.stats().units, 1);
        await executor.undeploy(definition.id);
        assert.equal(executor.stats().units, 0);
      });

      it('invoke() tells a refusal in a frame, and the guest stays', async () => {
        const definition = define('factorial', { mode: 'warm' });
        await executor.deploy(definition);
        const refused = await executor.invoke(definition, call('35'));
        assert.deepEqual(endingOf(refused), { kind: 'exit', exitCode: 1 });
        assert.match(textOf(refused.stderr), /expected a whole number/);
        assert.equal((await executor.invoke(definition, call('5'))).start, 'ready');
        await executor.undeploy(definition.id);
      });

      it('invoke() refuses arguments and variables for a kept guest', async () => {
        const definition = define('echo', { mode: 'warm' });
        await executor.deploy(definition);
        const given = [{ environment: { A: '1' } }, { arguments: ['a'] }];
        for (const rest of given) {
          await assert.rejects(executor.invoke(definition, call('', rest)), { code: 'ERR_NEBULA_ARGUMENT' });
        }
        await executor.undeploy(definition.id);
      });

      it("invoke() ends a call that waits for a kept guest when its caller's time is up", async () => {
        await waitsUntilDeadline('warm');
      });

      it("invoke() takes what a call waited for a kept guest off its caller's time", async () => {
        await runsForWhatIsLeft('warm');
      });

      it('invoke() replaces a kept guest that its deadline killed', async () => {
        const definition = define('sleep', { mode: 'warm', limits: { timeoutMs: 5000 } });
        await executor.deploy(definition);
        assert.equal((await executor.invoke(definition, call('0'))).kind, 'ok');
        const killed = await executor.invoke(definition, call('30', { timeoutMs: 300 }));
        assert.deepEqual(endingOf(killed), { kind: 'timeout', timeoutMs: 300 });
        assert.equal((await executor.invoke(definition, call('0'))).kind, 'ok');
        await executor.undeploy(definition.id);
      });

      it('invoke() kills a kept guest that answers more than its output limit, and the next call has another', async () => {
        const definition = define('count-calls', { mode: 'warm', limits: { outputBytes: 4 } });
        await executor.deploy(definition);
        const texts: string[] = [];
        for (let number = 1; number < 10; number++) {
          texts.push(textOf((await executor.invoke(definition, call())).stdout));
        }
        // It keeps its state: this is no way to run a function for callers that must not see each other.
        assert.deepEqual(texts.slice(0, 3), ['1 1\n', '2 2\n', '3 3\n']);
        const over = await executor.invoke(definition, call());
        assert.deepEqual(endingOf(over), { kind: 'limit', limit: 'outputBytes', allowed: 4 });
        assert.equal(textOf((await executor.invoke(definition, call())).stdout), '1 1\n');
        assert.equal(executor.stats().units, 1);
        await executor.undeploy(definition.id);
      });

      it('invoke() tells a trap of a kept guest', async () => {
        const definition = define('trap-unreachable', { mode: 'warm' });
        await executor.deploy(definition);
        const outcomes = [await executor.invoke(definition, call()), await executor.invoke(definition, call())];
        assert.deepEqual(
          outcomes.map(({ kind }) => kind),
          ['trap', 'trap'],
        );
        await executor.undeploy(definition.id);
      });

      it('invoke() says that a guest does not serve frames', async () => {
        const definition = define('write-forever', { mode: 'warm' });
        // It may be found out while it is deployed already.
        const deployAndCall = async (): Promise<unknown> => {
          await executor.deploy(definition);
          return executor.invoke(definition, call());
        };
        await assert.rejects(deployAndCall(), /expected one frame|ended before the call/);
        await executor.undeploy(definition.id);
      });

      it('drops a kept guest at its idle timeout, and the next call launches one', async () => {
        const definition = define('echo', { mode: 'warm', idleTimeoutMs: 100 });
        await executor.deploy(definition);
        await sleep(400);
        assert.equal(executor.stats().units, 0);
        const outcome = await executor.invoke(definition, call('again'));
        assert.deepEqual([textOf(outcome.stdout), outcome.start], ['again', 'cold']);
        await executor.undeploy(definition.id);
      });
    }

    it('deploy() refuses what is no program for this machine', async () => {
      const refused = {
        ...define('echo'),
        binary: bytesOf('#!/bin/sh\necho'),
        source: { binary: new Uint8Array(100) },
      };
      await assert.rejects(executor.deploy(refused), { code: 'ERR_NEBULA_BINARY_INVALID' });
    });

    it('close() ends calls in flight, refuses those that wait and those to come', async () => {
      const other = options.open();
      const definition = define('forever', { limits: { concurrency: 1 } });
      await other.deploy(definition);
      const running = other.invoke(definition, call());
      const waiting = assert.rejects(other.invoke(definition, call()), { code: 'ERR_NEBULA_CLOSED' });
      await sleep(600);
      await other.close(0);
      assert.equal((await running).kind, 'aborted');
      await waiting;
      await assert.rejects(other.invoke(definition, call()), { code: 'ERR_NEBULA_CLOSED' });
    });
  });
}
