import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { hostFields, hostOf, isSameHost, readHost } from '../../../hardware/instrument/host.ts';

function machine(context: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'nebula-host-'));
  context.after(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const BOOT = 'a20d44fb-f857-4ddc-b7ed-9e5d4765318c';
const FILES = {
  'proc/sys/kernel/random/boot_id': `${BOOT}\n`,
  'etc/machine-id': '3d1219c7c4c5404aaa1f6d2a48adfda4\n',
  'proc/self/timens_offsets': 'monotonic           0         0\nboottime            0         0\n',
};

test('readHost() tells boards, starts of one board and time namespaces apart, and not the id of the machine', (context) => {
  const here = readHost(machine(context, FILES));
  assert.equal(here?.bootId, BOOT);
  assert.match(here?.machineId ?? '', /^[0-9a-f]{32}$/);
  assert.ok(!FILES['etc/machine-id'].startsWith(here?.machineId ?? ''));
  assert.ok(isSameHost(here, readHost(machine(context, FILES))));
  for (const change of [
    { 'proc/sys/kernel/random/boot_id': 'b20d44fb-f857-4ddc-b7ed-9e5d4765318c\n' },
    { 'etc/machine-id': '4d1219c7c4c5404aaa1f6d2a48adfda4\n' },
    { 'proc/self/timens_offsets': 'monotonic        -100         0\nboottime         -100         0\n' },
  ]) {
    assert.ok(!isSameHost(here, readHost(machine(context, { ...FILES, ...change }))), JSON.stringify(change));
  }
});

test('readHost() of a machine without an id goes by its boot id, and of one without that is undefined', (context) => {
  const { 'etc/machine-id': _, ...without } = FILES;
  const here = readHost(machine(context, without));
  assert.ok(isSameHost(here, readHost(machine(context, without))));
  assert.ok(!isSameHost(here, readHost(machine(context, FILES))));
  assert.equal(readHost(machine(context, { 'etc/machine-id': 'a' })), undefined);
  assert.ok(!isSameHost(undefined, undefined));
});

test('hostOf() reads what hostFields() wrote, and nothing where one of both is missing', () => {
  const here = readHost();
  assert.deepEqual(hostOf(hostFields(here)), here);
  assert.deepEqual(hostFields(undefined), {});
  for (const fields of [
    {},
    { boot_id: 'a' },
    { machine_id: 'a' },
    { boot_id: '', machine_id: 'a' },
    { boot_id: 1, machine_id: 'a' },
  ]) {
    assert.equal(hostOf(fields), undefined);
  }
  if (process.platform === 'linux') {
    assert.ok(here?.bootId.startsWith(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()));
  }
});
