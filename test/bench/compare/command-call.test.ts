import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callCommand } from '../../../bench/compare/targets/command-call.ts';

const shell = (script: string): { command: string; arguments: string[] } => ({
  command: 'sh',
  arguments: ['-c', script],
});

test('callCommand() hands input through, and tells how the command ended', async () => {
  const ok = await callCommand(shell('cat; echo stamp >&2'), Buffer.from('some'));
  assert.deepEqual([ok.outcome, String(ok.stdout), String(ok.stderr)], ['ok', 'some', 'stamp\n']);
  const failed = await callCommand(shell('exit 3'), Buffer.from('not read'));
  assert.deepEqual([failed.outcome, failed.reason], ['exit', 'exit code 3']);
  await assert.rejects(callCommand({ command: '/no/such/command', arguments: [] }, Buffer.alloc(0)), {
    code: 'ENOENT',
  });
});

test('callCommand() ends a command at its limit that heeds no signal, and what others run for it, and never calls that ok', async () => {
  let stopped = 0;
  const call = {
    ...shell("trap '' TERM; while :; do sleep 0.1; done"),
    timeoutMs: 300,
    onTimeout: () => void stopped++,
  };
  const { outcome, reason } = await callCommand(call, Buffer.alloc(0));
  assert.deepEqual([outcome, reason, stopped], ['timeout', 'no end within 300 ms', 1]);
});

test('callCommand() ends a command whose output does not end', async () => {
  const { outcome, stdout } = await callCommand({ command: 'yes', arguments: [] }, Buffer.alloc(0));
  assert.equal(outcome, 'limit');
  assert.ok(stdout.length <= 64 * 1024 * 1024);
});
