import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Capabilities, resolveCapabilities } from '../../../../host/capabilities/capabilities.ts';
import { Host } from '../../../../host/component/world/host.ts';
import { resolveLimits } from '../../../../host/limits.ts';
import { Context } from '../../../../host/preview1/context.ts';
import { CLOCKID } from '../../../../host/wasi/clock-id.ts';
import { ERRNO } from '../../../../host/wasi/errno.ts';
import { RunReader } from '../../../../host/wasi/session/run-reader.ts';
import { RunRecord } from '../../../../host/wasi/session/run-record.ts';
import { Session, type SessionCall, type SessionOptions } from '../../../../host/wasi/session/session.ts';

const STOPPED = { stopped: true };
const CALL: SessionCall = { input: Buffer.from('input'), arguments: ['a'], environment: { KEY: 'value' } };

function optionsOf(capabilities: Partial<Capabilities> = {}): SessionOptions {
  const limits = resolveLimits({ outputBytes: 1000, stderrBytes: 1000 });
  return { programName: 'test', limits, capabilities: resolveCapabilities(capabilities) };
}

function sessionOf(capabilities: Partial<Capabilities> = {}): Session<object> {
  const session = new Session<object>(optionsOf(capabilities), [], STOPPED);
  session.begin(CALL);
  return session;
}

const isStop = (error: unknown): boolean => error === STOPPED;

test('Session.enter() counts calls, and lets a guest that was stopped get no further', () => {
  const session = sessionOf();
  session.enter();
  session.enter();
  assert.equal(session.hostCalls, 2);
  assert.equal(session.stop({ kind: 'exit', exitCode: 3 }), STOPPED);
  assert.throws(() => session.enter(), isStop);
  session.stop({ kind: 'exit', exitCode: 4 });
  assert.deepEqual(session.ending, { kind: 'exit', exitCode: 3 }, 'the first ending stays');
  session.begin(CALL);
  assert.equal(session.ending, undefined);
  assert.equal(session.hostCalls, 0);
  session.enter();
});

test('Session.exit() tells a success from every other code', () => {
  for (const exitCode of [0, 1, 255]) {
    const session = sessionOf();
    assert.equal(session.exit(exitCode), STOPPED);
    assert.deepEqual(session.ending, exitCode === 0 ? { kind: 'ok' } : { kind: 'exit', exitCode });
  }
});

test('Session.settle() ends a guest that lacks a capability, only where the manifest asks for that', () => {
  for (const errno of [ERRNO.success, ERRNO.noent, ERRNO.acces, ERRNO.notcapable, ERRNO.rofs]) {
    assert.equal(sessionOf().settle(errno, 'filesystem'), errno);
    const ending = sessionOf({ denial: 'end' });
    if (errno === ERRNO.notcapable || errno === ERRNO.rofs) {
      assert.throws(() => ending.settle(errno, 'filesystem'), isStop);
      assert.deepEqual(ending.ending, { kind: 'denied', capability: 'filesystem' });
    } else {
      assert.equal(ending.settle(errno, 'filesystem'), errno);
      assert.equal(ending.ending, undefined);
    }
  }
});

test('Session.reads tells of clocks and randomness until the next begin(), devices included', () => {
  const session = sessionOf({ clocks: { kind: 'fixed', epochMs: 5 } });
  assert.deepEqual(session.reads, { random: false, clock: false });
  assert.equal(session.sources.nowNs(), 5_000_000n);
  assert.deepEqual(session.reads, { random: false, clock: false }, 'times of files are no reading of a clock');
  assert.equal(session.readClock(CLOCKID.monotonic), 5_000_000n);
  session.sources.fillRandom(new Uint8Array(4));
  assert.deepEqual(session.reads, { random: true, clock: true });
  session.begin(CALL);
  assert.deepEqual(session.reads, { random: false, clock: false });
});

test('Session.begin() counts in the memory of a record, which tells whoever ends the thread', () => {
  const session = sessionOf();
  const reader = new RunReader();
  const record = new RunRecord(reader.shared, (buffer) => reader.add(buffer));
  record.run = 7;
  session.begin({ ...CALL, record }, 65_536);
  session.enter();
  session.stdin.readInto(new Uint8Array(3), 0, 3);
  session.stdout.append(Buffer.from('told'), 0, 4);
  const recorded = reader.read(7, () => undefined);
  assert.deepEqual(recorded?.usage, { memoryBytes: 65_536, inputBytes: 3, hostCalls: 1 });
  assert.equal(Buffer.from(recorded?.stdout ?? []).toString(), 'told');
});

test('Session.end() lets go of the input and keeps what is told of the invocation', () => {
  const session = sessionOf();
  session.stdin.readInto(new Uint8Array(2), 0, 2);
  session.stdout.append(Buffer.from('out'), 0, 3);
  session.exit(2);
  session.end();
  assert.equal(session.stdin.readableBytes(), 0);
  assert.equal(session.stdin.bytesRead, 2);
  assert.equal(Buffer.from(session.stdout.take()).toString(), 'out');
  assert.deepEqual(session.ending, { kind: 'exit', exitCode: 2 });
});

for (const [name, create] of [
  ['Context of preview1', (options: SessionOptions) => new Context(options, [])],
  ['Host of components', (options: SessionOptions) => new Host(options, [])],
] as const) {
  test(`${name} is a session: the same endings, counts and streams`, () => {
    const session: Session<object> = create(optionsOf({ denial: 'end' }));
    session.begin(CALL);
    session.enter();
    assert.deepEqual([session.arguments, session.environment], [['a'], { KEY: 'value' }]);
    assert.equal(session.stdout.append(new Uint8Array(1001), 0, 1001), 1000);
    const signal = session.stopForOutput(session.stdout);
    assert.deepEqual(session.ending, { kind: 'limit', limit: 'outputBytes', allowed: 1000 });
    assert.throws(
      () => session.enter(),
      (error) => error === signal,
    );
    session.end();
    session.begin(CALL);
    assert.deepEqual([session.ending, session.hostCalls, session.stdout.take().length], [undefined, 0, 0]);
    assert.throws(
      () => session.deny('sockets'),
      (error) => error === signal,
    );
    assert.deepEqual(session.ending, { kind: 'denied', capability: 'sockets' });
  });
}
