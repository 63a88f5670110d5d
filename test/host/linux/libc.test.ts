import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** What the files of host/linux answer in a process of its own, after `preparation` made libc unreachable. */
function askWithout(preparation: string): Record<string, unknown> {
  const host = new URL('../../../host/', import.meta.url).href;
  const source = `
    import os from 'node:os';
    import Module, { syncBuiltinESMExports } from 'node:module';
    ${preparation}
    syncBuiltinESMExports();
    const load = (path) => import(${JSON.stringify(host)} + path);
    const [libc, memory, pagemap, limits, mount] = await Promise.all(
      ['linux/libc.js', 'linux/memory.js', 'linux/pagemap.js', 'linux/limits.js', 'filesystem/machine-mount.js'].map(load));
    const codeOf = (act) => { try { act(); return 'none'; } catch (error) { return error.code + ' ' + error.message; } };
    process.stdout.write(JSON.stringify({
      loaded: libc.loadLibc() !== undefined,
      cow: memory.hasCow(),
      scan: pagemap.hasPagemapScan(),
      unlimited: limits.getLimits().addressSpaceBytes === Infinity,
      memfd: codeOf(() => memory.memfdCreate('x')),
      mount: codeOf(() => mount.mountMachine({ guest: '/d', machine: '/', access: 'read-only' })),
    }));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
  return JSON.parse(output) as Record<string, unknown>;
}

for (const [name, preparation, reason] of [
  ['another system', `os.platform = () => 'darwin';`, /darwin on \w+, not Linux/],
  ['another processor', `os.arch = () => 's390x';`, /linux on s390x, not Linux on x64 or arm64/],
  [
    'no koffi',
    `const resolve = Module._resolveFilename;
     Module._resolveFilename = function (name, ...rest) {
       if (name === 'koffi') throw new Error('no koffi here');
       return resolve.call(this, name, ...rest);
     };`,
    /koffi cannot be loaded: no koffi here/,
  ],
] as const) {
  test(`loadLibc() gives nothing and throws nothing on a machine with ${name}`, {
    skip: process.platform !== 'linux',
  }, () => {
    const answers = askWithout(preparation);
    const cow = answers['cow'] as { ok: boolean; reason: string };
    assert.deepEqual([answers['loaded'], cow.ok, answers['scan'], answers['unlimited']], [false, false, false, true]);
    assert.match(cow.reason, reason);
    assert.match(String(answers['memfd']), /^ENOSYS Cannot reach the C library/);
    assert.match(String(answers['mount']), /^ERR_NEBULA_MOUNT_UNAVAILABLE Cannot mount "\/" at "\/d"/);
    assert.match(String(answers['mount']), reason);
  });
}
