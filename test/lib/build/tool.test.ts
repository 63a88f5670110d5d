/** Tools that build, and that are asked whether they can. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNebula } from '../cli/command.ts';
import { temporaryDirectory } from '../tiny-module.ts';

for (const [tool, source] of [
  ['clang', 'f.c'],
  ['cargo', 'Cargo.toml'],
] as const) {
  test(`askTool() ends ${tool} with the command, and no other is asked in its place`, async (context) => {
    const root = temporaryDirectory(context);
    const folder = join(root, 'f');
    mkdirSync(folder);
    writeFileSync(join(folder, source), '');
    writeFileSync(join(root, tool), '#!/bin/sh\necho $$ > pid.new; mv pid.new pid; sleep 5; echo late > late\n');
    chmodSync(join(root, tool), 0o755);
    const child = startNebula(['build', folder], { environment: { PATH: `${root}:${process.env['PATH']}` } });
    context.after(() => child.kill('SIGKILL'));
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    while (!existsSync(join(folder, 'pid'))) await sleep(20);
    const pid = readFileSync(join(folder, 'pid'), 'utf8').trim();
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number | null];
    assert.ok(!existsSync(join(folder, 'late')));
    assert.equal(code, 3);
    assert.match(complaint, /^nebula: Ended by SIGINT/m);
    for (let looks = 0; existsSync(`/proc/${pid}`) && looks < 500; looks += 1) await sleep(20);
    assert.ok(!existsSync(`/proc/${pid}`));
  });
}
