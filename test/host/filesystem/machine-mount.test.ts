import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountMachine } from '../../../host/filesystem/machine-mount.ts';
import { skip } from './machine-fixture.ts';

const mount = (machine: string) => (): unknown => mountMachine({ guest: '/data', machine, access: 'read-only' });

test('mountMachine() says what is wrong with a directory it cannot mount', { skip }, () => {
  const code = 'ERR_NEBULA_MOUNT_UNAVAILABLE';
  assert.throws(mount('/no/such/directory'), { code, message: /ENOENT/ });
  assert.throws(mount('/proc/self/status'), { code, message: /ENOTDIR/ });
  assert.throws(mount('/a\0b'), { code, message: /null bytes/ });
});
