import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NebulaError } from '../../../host/errors.ts';
import { NO_USAGE, type Ending, type Outcome } from '../../../host/outcome.ts';
import { NO_PHASES } from '../../../host/phases.ts';
import type { FunctionRecord } from '../../../lib/schema/function-record.ts';
import {
  failureMembers,
  failureOf,
  okFields,
  outcomeFields,
  showsFailures,
  parseOutcome,
  STDERR_TAIL_BYTES,
  type RemoteReply,
} from '../../../lib/wire/outcome.ts';
import { toProblem } from '../../../lib/wire/problem.ts';

const PHASES = { ...NO_PHASES, queue: 1500, run: 2_000_000 };

/** What is counted of a guest, which is told as it is. */
const COUNTED = { units: 123_456_789, cpuNs: 1_500_000 };

function outcomeOf(ending: Ending): Outcome {
  const [stdout, stderr] = [Buffer.from('out'), Buffer.from('err')];
  return { ...ending, stdout, stderr, start: 'restored', phases: PHASES, usage: { ...NO_USAGE, ...COUNTED } };
}

function recordOf(showFailures: boolean): FunctionRecord {
  return { name: 'f', version: 3, manifest: { name: 'f', http: { showFailures } } } as FunctionRecord;
}

function replyOf(record: FunctionRecord, outcome: Outcome): RemoteReply {
  const fields = outcome.kind === 'ok' ? okFields(record, outcome) : outcomeFields(record, outcome);
  const headers: Record<string, string> = {};
  for (let at = 0; at < fields.length; at += 2) headers[String(fields[at]).toLowerCase()] = String(fields[at + 1]);
  if (outcome.kind === 'ok') return { status: 200, headers, body: outcome.stdout };
  const isShowing = showsFailures(record);
  const problem = toProblem(failureOf(record, outcome, isShowing), 'an-id', failureMembers(outcome, isShowing));
  return { status: problem.status, headers, body: Buffer.from(JSON.stringify(problem)) };
}

const ENDINGS: readonly Ending[] = [
  { kind: 'ok' },
  { kind: 'exit', exitCode: 7 },
  { kind: 'trap', reason: 'unreachable', message: 'it said so' },
  { kind: 'timeout', timeoutMs: 50 },
  { kind: 'limit', limit: 'outputBytes', allowed: 9 },
  { kind: 'denied', capability: 'mounts' },
  { kind: 'aborted' },
];

describe('parseOutcome()', () => {
  it('reads a problem whose fields are null, as a server that is not ours may send them', () => {
    const headers = { 'nebula-outcome': 'timeout' };
    const body = Buffer.from('{"code":"ERR_NEBULA_DEADLINE","status":504,"detail":"late","fields":null}');
    const { kind } = parseOutcome('http://h', { status: 504, headers, body });
    assert.equal(kind, 'timeout');
  });

  for (const ending of ENDINGS) {
    it(`reads what is written of ${ending.kind}, where failures are shown`, () => {
      const read = parseOutcome('http://h', replyOf(recordOf(true), outcomeOf(ending)));
      const { stdout, stderr, start, phases, usage, version, ...told } = read;
      assert.deepEqual(told, ending);
      assert.deepEqual(usage, COUNTED);
      assert.deepEqual([start, phases, version], ['restored', PHASES, 3]);
      const isOk = ending.kind === 'ok';
      assert.deepEqual(
        [Buffer.from(stdout).toString(), Buffer.from(stderr).toString()],
        isOk ? ['out', ''] : ['', 'err'],
      );
    });

    it(`reads what is written of ${ending.kind}, where they are not`, () => {
      const { kind, stderr } = parseOutcome('http://h', replyOf(recordOf(false), outcomeOf(ending)));
      assert.equal(kind, ending.kind === 'exit' || ending.kind === 'trap' ? 'failed' : ending.kind);
      assert.equal(stderr.length, 0);
    });
  }

  it('throws the failure of an answer that has no outcome', () => {
    const problem = toProblem(new NebulaError('QUEUE_FULL', { name: 'f', limit: 1 }), 'an-id');
    const reply = { status: 503, headers: {}, body: Buffer.from(JSON.stringify(problem)) };
    assert.throws(() => parseOutcome('http://h', reply), {
      code: 'ERR_NEBULA_QUEUE_FULL',
      fields: { name: 'f', limit: 1 },
    });
  });

  it('refuses answers that are none of Nebula', () => {
    for (const reply of [
      { status: 200, headers: {}, body: Buffer.from('x') },
      { status: 404, headers: {}, body: Buffer.from('<html>') },
      { status: 500, headers: { 'nebula-outcome': 'trap' }, body: Buffer.from('') },
    ]) {
      assert.throws(() => parseOutcome('http://h', reply), { code: 'ERR_NEBULA_SERVER_ANSWER' });
    }
  });
});

describe('failureMembers()', () => {
  it('has the end of a long stderr', () => {
    const stderr = Buffer.from(`${'a'.repeat(STDERR_TAIL_BYTES)}b`);
    const outcome = { ...outcomeOf({ kind: 'exit', exitCode: 1 }), stderr };
    assert.ok(outcome.kind === 'exit');
    const members = failureMembers(outcome, true);
    assert.equal(members.stderr, `${'a'.repeat(STDERR_TAIL_BYTES - 1)}b`);
  });
});
