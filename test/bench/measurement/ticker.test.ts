import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';

// Compiled to dist/test/bench/measurement.
const ticker = join(import.meta.dirname, '..', '..', '..', 'bench', 'measurement', 'ticker.js');

test('startTicker() tells every two seconds what is done while the thread is busy, until it is stopped', () => {
  const program = `import { startTicker } from ${JSON.stringify(pathToFileURL(ticker).href)};
    const stop = startTicker('bench x');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5000);
    await stop();`;
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  assert.match(stderr, /^(bench x, \d+ s\n){2,}$/);
});
