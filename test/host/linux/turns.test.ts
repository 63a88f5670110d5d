import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { turnOf } from '../../../host/linux/turns.ts';

const HOST = join(import.meta.dirname, '..', '..', '..', 'host');

test('takeTurnsOf() is for each thread of its process, also for those started later, and changes no priority', (context) => {
  // Before Linux 6.12 no thread has turns of its own.
  if (turnOf(process.pid) === undefined || turnOf(process.pid) === 0) return context.skip('no turns here');
  const source = `
    import { readdirSync } from 'node:fs';
    import { getPriority, setPriority } from 'node:os';
    import { Worker } from 'node:worker_threads';
    import { takeTurnsOf, turnOf } from ${JSON.stringify(join(HOST, 'linux/turns.js'))};
    setPriority(process.pid, 7);
    takeTurnsOf(5e6);
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    worker.once('online', () => {
      const threads = readdirSync('/proc/self/task').map(Number);
      console.log(threads.length > 5, new Set(threads.map(turnOf)), getPriority());
      process.exit();
    });`;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
  assert.equal(said, 'true Set(1) { 5000000 } 7\n');
});
