import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { errnoName } from '../errno-name.ts';
import { skip } from './machine-fixture.ts';

/**
 * A process whose filter answers openat2 (437) with an errno, as container runtimes do that do not know the call.
 * The filter is four classic BPF instructions: load the number, compare, refuse, allow.
 */
const SOURCE = `
  import koffi from 'koffi';
  const [, machine, errno] = process.argv;
  const library = koffi.load(null);
  const filter = new DataView(new ArrayBuffer(32));
  [[0x20, 0, 0, 0], [0x15, 0, 1, 437], [0x06, 0, 0, 0x50000 + Number(errno)], [0x06, 0, 0, 0x7fff0000]].forEach(
    ([code, yes, no, constant], index) => {
      filter.setUint16(index * 8, code, true);
      filter.setUint8(index * 8 + 2, yes);
      filter.setUint8(index * 8 + 3, no);
      filter.setUint32(index * 8 + 4, constant, true);
    });
  const program = new BigUint64Array([4n, koffi.address(filter)]);
  const refused = library.func('int prctl(int, ulong, ulong, ulong, ulong)')(38, 1, 0, 0, 0)
    || library.func('int prctl(int, ulong, void *, ulong, ulong)')(22, 2, program, 0, 0);
  const { mountMachine } = await import(MODULE);
  const mount = { guest: '/d', machine, access: 'read-only' };
  const root = mountMachine(mount).open();
  const stat = (path) => root.statAt(new TextEncoder().encode(path), true, { stat: {} });
  let code = 'none';
  try { mountMachine(mount, { resolver: 'kernel' }); } catch (error) { code = error.code; }
  console.log(JSON.stringify({ refused, inside: stat('file'), outside: stat('../'), code }));`;

for (const [name, errno] of [
  ['EPERM', 1],
  ['ENOSYS', 38],
] as const) {
  test(`mountMachine() walks where openat2 is refused with ${name}`, { skip }, (context) => {
    const machine = mkdtempSync(join(tmpdir(), 'nebula-seccomp-'));
    writeFileSync(join(machine, 'file'), 'x');
    const module = new URL('../../../host/filesystem/machine-mount.js', import.meta.url).href;
    const source = SOURCE.replace('MODULE', JSON.stringify(module));
    const arguments_ = ['--input-type=module', '-e', source, machine, String(errno)];
    const cwd = new URL('.', import.meta.url);
    const answers = JSON.parse(execFileSync(process.execPath, arguments_, { encoding: 'utf8', cwd })) as {
      refused: number;
      inside: number;
      outside: number;
      code: string;
    };
    rmSync(machine, { recursive: true });
    if (answers.refused !== 0) {
      context.skip('the machine takes no seccomp filter');
      return;
    }
    assert.equal(errnoName(answers.inside), 'success');
    assert.equal(errnoName(answers.outside), 'notcapable');
    assert.equal(answers.code, 'ERR_NEBULA_MOUNT_UNAVAILABLE');
  });
}
