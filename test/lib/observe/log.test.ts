import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NebulaError } from '../../../host/errors.ts';
import { NO_USAGE, type Ending, type Outcome } from '../../../host/outcome.ts';
import { NO_PHASES } from '../../../host/phases.ts';
import { followLog } from '../../../lib/observe/follow-log.ts';
import { KEPT_CHARACTERS, KEPT_RECORDS } from '../../../lib/observe/record-ring.ts';
import { KEPT_GONE, Log } from '../../../lib/observe/log.ts';
import { RECORDS_AT_ONCE } from '../../../lib/observe/pace.ts';
import { KEPT_LINES, LINE_CHARACTERS } from '../../../lib/observe/stderr-lines.ts';
import type { LogRecord } from '../../../lib/schema/log-record.ts';
import type { Call } from '../../../lib/observe/observer.ts';

function callOf(name: string, requestId?: string): Call {
  const invocation = { input: new Uint8Array(), ...(requestId === undefined ? {} : { requestId }) };
  return { function: { name, version: 2, observers: [] }, invocation };
}

function outcomeOf(ending: Ending, stderr = ''): Outcome {
  const phases = { ...NO_PHASES, run: 3_000_000 };
  return { ...ending, stdout: new Uint8Array(), stderr: Buffer.from(stderr), start: 'ready', phases, usage: NO_USAGE };
}

const OK = { kind: 'ok' } as const;

function messages(records: readonly LogRecord[]): string[] {
  return records.map(({ event, message }) => `${event}: ${message}`);
}

describe('Log', () => {
  it('has nothing of a call that ended ok and wrote nothing to stderr', () => {
    const log = new Log();
    log.end(callOf('f'), outcomeOf(OK));
    assert.deepEqual(log.read(), []);
  });

  it('has each line of stderr, then how the guest ended, with the id and version of the call', () => {
    const log = new Log();
    log.end(callOf('f', 'an-id'), outcomeOf({ kind: 'exit', exitCode: 3 }, 'one\r\n\ntwo'));
    const records = log.read();
    assert.deepEqual(messages(records), ['stderr: one', 'stderr: two', 'failure: The guest ended with exit code 3']);
    assert.deepEqual(
      records.map(({ sequence, name, version, requestId }) => [sequence, name, version, requestId]),
      [1, 2, 3].map((sequence) => [sequence, 'f', 2, 'an-id']),
    );
    assert.deepEqual([records[2]?.outcome, records[2]?.durationMs, records[2]?.level], ['exit', 3, 'warn']);
  });

  it('lets nothing that a guest wrote pass for another line, or move a cursor', () => {
    const log = new Log();
    const forged = 'a\u001B[2J{"level":50}\u0085b\u2028c\u0000\u009B31m';
    log.end(callOf('f'), outcomeOf({ kind: 'trap', reason: 'other', message: `x\n${forged}` }, forged));
    for (const { message } of log.read()) assert.doesNotMatch(message, /[\p{Cc}\p{Zl}\p{Zp}]/u);
    assert.equal(log.read().length, 2);
  });

  it('has the end of a stderr that is long, and says how many lines it left out', () => {
    const log = new Log();
    const written = Array.from({ length: 5000 }, (_, at) => `line ${at}`).join('\n');
    log.end(callOf('f'), outcomeOf(OK, written));
    const lines = log.read().filter(({ event }) => event === 'stderr');
    assert.equal(lines.length, KEPT_LINES);
    assert.equal(lines.at(-1)?.message, 'line 4999');
    const leftOut = log.read().find(({ event }) => event === 'left-out');
    assert.match(String(leftOut?.message), new RegExp(`^${5000 - KEPT_LINES} records were left out`));
    log.end(callOf('g'), outcomeOf(OK, 'y'.repeat(LINE_CHARACTERS * 2)));
    assert.equal(log.read({ name: 'g' })[0]?.message, `${'y'.repeat(LINE_CHARACTERS)}…`);
  });

  it('takes so many records of a function at once, and counts the others; its guests write no failure out of it', () => {
    const log = new Log();
    const calls = RECORDS_AT_ONCE * 50;
    for (let at = 0; at < calls; at++) log.end(callOf('loud'), outcomeOf(OK, 'noise'));
    log.fail(callOf('loud'), new NebulaError('QUEUE_FULL', { limit: 1 }));
    log.end(callOf('quiet'), outcomeOf(OK, 'heard'));
    const records = log.read({ name: 'loud' });
    const refusal = records.at(-1);
    assert.deepEqual([refusal?.event, refusal?.code], ['refusal', 'ERR_NEBULA_QUEUE_FULL']);
    const told = records.filter(({ event }) => event === 'stderr').length;
    const leftOut = records
      .filter(({ event }) => event === 'left-out')
      .reduce((sum, { message }) => sum + Number.parseInt(message, 10), 0);
    assert.equal(told + leftOut, calls);
    assert.ok(leftOut > calls / 2, `${leftOut} of ${calls}`);
    assert.deepEqual(messages(log.read({ name: 'quiet' })), ['stderr: heard']);
  });

  it('keeps so many records and characters of a function', (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: 0 });
    const log = new Log();
    for (let at = 0; at < KEPT_RECORDS + 7; at++) {
      context.mock.timers.tick(1000);
      log.end(callOf('f'), outcomeOf(OK, `${at}`));
    }
    assert.equal(log.read().length, KEPT_RECORDS);
    assert.equal(log.read()[0]?.message, '7');
    assert.equal(log.missedBy({ name: 'f', after: 3 }), 7);
    assert.equal(log.missedBy({ name: 'f', after: 7 }), 0);
    for (let at = 0; at < 40; at++) {
      context.mock.timers.tick(1000);
      log.end(callOf('f'), outcomeOf(OK, 'z'.repeat(LINE_CHARACTERS)));
    }
    const characters = log.read().reduce((sum, { message }) => sum + message.length, 0);
    assert.ok(characters <= KEPT_CHARACTERS && characters > KEPT_CHARACTERS / 2, `${characters}`);
  });

  it('keeps the records of the functions that were removed last', () => {
    const log = new Log();
    for (let at = 0; at <= KEPT_GONE; at++) log.removed(`f${at}`);
    assert.equal(log.has('f0'), false);
    assert.deepEqual(messages(log.read({ name: `f${KEPT_GONE}` })), ['remove: Removed']);
  });

  it('keeps no more of functions whose calls end after they were removed', () => {
    const log = new Log();
    const names = Array.from({ length: KEPT_GONE * 3 }, (_, at) => `f${at}`);
    for (const name of names) log.removed(name);
    for (const name of names) log.end(callOf(name), outcomeOf(OK, 'late'));
    assert.equal(names.filter((name) => log.has(name)).length, KEPT_GONE);
  });

  it('lets nothing that guests write take the place of a failure', (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: 0 });
    const log = new Log();
    log.end(callOf('f'), outcomeOf({ kind: 'exit', exitCode: 3 }));
    for (let at = 0; at < KEPT_RECORDS; at++) {
      context.mock.timers.tick(1000);
      log.end(callOf('f'), outcomeOf(OK, '\u0001'.repeat(700)));
    }
    assert.deepEqual([log.read()[0]?.event, log.read()[0]?.outcome], ['failure', 'exit']);
  });

  it('reads all to who was at a record of another log, which was not reached here', () => {
    const log = new Log();
    log.end(callOf('f'), outcomeOf(OK, 'here'));
    assert.deepEqual(messages(log.read({ after: 5000 })), ['stderr: here']);
  });

  it('counts what an asynchronous onLog rejects with', async () => {
    const log = new Log(() => Promise.reject(new Error('later')) as unknown as void);
    log.end(callOf('f'), outcomeOf(OK, 'a'));
    await Promise.resolve();
    assert.deepEqual(log.stats().log, { records: 1, failures: 1, firstFailure: 'later' });
  });

  it('reads by function, sequence and time', (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: 1000 });
    const log = new Log();
    log.end(callOf('a'), outcomeOf(OK, '1'));
    context.mock.timers.setTime(2000);
    log.end(callOf('b'), outcomeOf(OK, '2'));
    log.end(callOf('a'), outcomeOf(OK, '3'));
    const read = (query: Parameters<Log['read']>[0]): string =>
      log
        .read(query)
        .map((each) => each.message)
        .join('');
    assert.deepEqual(
      [read({}), read({ name: 'a' }), read({ after: 1 }), read({ sinceMs: 2000 }), read({ name: 'c' })],
      ['123', '13', '23', '23', ''],
    );
  });

  it('tells onLog of each, and counts what that throws', () => {
    const told: string[] = [];
    const log = new Log(({ message }) => {
      told.push(message);
      throw new Error('full');
    });
    log.end(callOf('f'), outcomeOf(OK, 'a\nb'));
    assert.deepEqual(told, ['a', 'b']);
    assert.deepEqual(log.stats().log, { records: 2, failures: 2, firstFailure: 'full' });
  });
});

describe('followLog()', () => {
  it('has what is kept, then each that comes, until the log is closed', async () => {
    const log = new Log();
    log.end(callOf('f'), outcomeOf(OK, 'before'));
    const seen: string[] = [];
    for await (const { message } of followLog(log, {})) {
      seen.push(message);
      if (message === 'before') setImmediate(() => log.end(callOf('g'), outcomeOf(OK, 'after')));
      if (message === 'after') setImmediate(() => log.close());
    }
    assert.deepEqual(seen, ['before', 'after']);
  });

  it('tells a reader who was at a record of another log that it missed some, and then all', async () => {
    const log = new Log();
    log.end(callOf('f'), outcomeOf(OK, 'here'));
    const following = followLog(log, { after: 5000 });
    const events = [(await following.next()).value?.event, (await following.next()).value?.message];
    assert.deepEqual(events, ['left-out', 'here']);
    await following.return(undefined);
  });

  it('ends when its signal aborts while nothing comes, and leaves no listener', async () => {
    const log = new Log();
    const controller = new AbortController();
    const following = followLog(log, {}, controller.signal);
    const next = following.next();
    controller.abort();
    assert.equal((await next).done, true);
  });

  it('tells a reader who is slow of what it missed, once', async (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: 0 });
    const log = new Log();
    const write = (text: string): void => {
      context.mock.timers.tick(1000);
      log.end(callOf('f'), outcomeOf(OK, text));
    };
    write('first');
    const following = followLog(log, { name: 'f' });
    assert.equal((await following.next()).value?.message, 'first');
    for (let at = 0; at < KEPT_RECORDS + 10; at++) write(`${at}`);
    const missed = (await following.next()).value;
    assert.equal(missed?.event, 'left-out');
    const seen: string[] = [];
    for (let at = 0; at < KEPT_RECORDS; at++) seen.push(String((await following.next()).value?.message));
    assert.deepEqual([seen[0], seen.at(-1)], ['10', `${KEPT_RECORDS + 9}`]);
    await following.return(undefined);
  });
});
