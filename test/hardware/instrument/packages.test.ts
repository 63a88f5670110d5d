import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInstalled, requirePackage } from '../../../hardware/instrument/packages.ts';

test('requirePackage() passes what is installed and names what is not', () => {
  assert.equal(isInstalled('koffi'), true);
  assert.equal(isInstalled('no-such-package-of-nebula'), false);
  requirePackage('koffi');
  assert.throws(() => requirePackage('no-such-package-of-nebula'), {
    key: 'PACKAGE_MISSING',
    remedy: /npm install no-such-package-of-nebula/,
  });
});
