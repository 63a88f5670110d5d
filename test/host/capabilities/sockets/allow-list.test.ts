import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalAddress, isGrant, isGranted } from '../../../../host/capabilities/sockets/allow-list.ts';

test('isGranted() compares addresses, however they are written', () => {
  const local = { family: 'ipv6', address: '::1', port: 80 } as const;
  assert.equal(isGranted(['[0:0:0:0:0:0:0:1]:80'], local), true);
  assert.equal(isGranted(['[::1]:81', '127.0.0.1:80'], local), false);
});

test('isGranted() takes * for any port, and the address itself must be named', () => {
  const address = { family: 'ipv4', address: '192.0.2.1', port: 5432 } as const;
  assert.equal(isGranted(['192.0.2.1:*'], address), true);
  assert.equal(isGranted(['192.0.2.2:*', '192.0.2.1:543'], address), false);
  assert.equal(isGranted(['[::ffff:192.0.2.1]:*'], address), false);
  assert.equal(isGranted([], address), false);
});

test('isGrant() tells addresses that exist from what only looks like one', () => {
  for (const grant of ['192.0.2.1:5432', '192.0.2.1:65535', '[::1]:*', '[2001:db8::1]:0']) {
    assert.equal(isGrant(grant), true, grant);
  }
  for (const grant of ['192.0.2.256:1', '192.0.2.1:65536', '[::1::2]:1', 'localhost:1']) {
    assert.equal(isGrant(grant), false, grant);
  }
});

test('canonicalAddress() has one notation for each address', () => {
  assert.equal(canonicalAddress('0:0:0:0:0:0:0:1', 'ipv6'), '::1');
  assert.equal(canonicalAddress('192.0.2.1', 'ipv4'), '192.0.2.1');
});
