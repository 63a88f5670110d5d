/** Which addresses are of the public internet, by a table of each special-purpose range's first, last and next address. */

import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isPublicAddress } from '../../../../host/capabilities/http/public-address.ts';

/** First and last address of a range that is not public, and the public ones beside it, where there are. */
const RANGES: readonly (readonly [name: string, first: string, last: string, beside: readonly string[]])[] = [
  ['this network', '0.0.0.0', '0.255.255.255', ['1.0.0.0']],
  ['private 10/8', '10.0.0.0', '10.255.255.255', ['9.255.255.255', '11.0.0.0']],
  ['carrier-grade NAT', '100.64.0.0', '100.127.255.255', ['100.63.255.255', '100.128.0.0']],
  ['loopback', '127.0.0.0', '127.255.255.255', ['126.255.255.255', '128.0.0.0']],
  ['link-local', '169.254.0.0', '169.254.255.255', ['169.253.255.255', '169.255.0.0']],
  ['private 172.16/12', '172.16.0.0', '172.31.255.255', ['172.15.255.255', '172.32.0.0']],
  ['protocol assignments', '192.0.0.0', '192.0.0.255', ['191.255.255.255', '192.0.1.0']],
  ['TEST-NET-1', '192.0.2.0', '192.0.2.255', ['192.0.1.255', '192.0.3.0']],
  ['6to4 relays', '192.88.99.0', '192.88.99.255', ['192.88.98.255', '192.88.100.0']],
  ['private 192.168/16', '192.168.0.0', '192.168.255.255', ['192.167.255.255', '192.169.0.0']],
  ['benchmarking 198.18/15', '198.18.0.0', '198.19.255.255', ['198.17.255.255', '198.20.0.0']],
  ['TEST-NET-2', '198.51.100.0', '198.51.100.255', ['198.51.99.255', '198.51.101.0']],
  ['TEST-NET-3', '203.0.113.0', '203.0.113.255', ['203.0.112.255', '203.0.114.0']],
  ['multicast and reserved', '224.0.0.0', '255.255.255.255', ['223.255.255.255']],
  ['unspecified, loopback, compatible', '::', '::ffff:ffff', []],
  ['IPv4-translated', '::ffff:0:0:0', '::ffff:0:ffff:ffff', []],
  ['local-use NAT64', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff', []],
  ['discard only', '100::', '100::ffff:ffff:ffff:ffff', []],
  ['below global unicast', '1000::', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', []],
  ['Teredo and protocol assignments', '2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', ['2001:200::']],
  ['documentation', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', ['2001:db7::', '2001:db9::']],
  ['6to4', '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['2003::']],
  ['documentation, the larger', '3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff', ['3ffe::', '3fff:1000::']],
  ['above global unicast', '4000::', 'fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['2606:2800:220:1::1']],
  ['segment routing', '5f00::', '5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff', []],
  ['unique local', 'fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', []],
  ['link-local and site-local', 'fe80::', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', []],
  ['multicast of IPv6', 'ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', []],
];

for (const [name, first, last, beside] of RANGES) {
  test(`isPublicAddress() tells ${name} from what lies beside it`, () => {
    assert.equal(isPublicAddress(first), false, first);
    assert.equal(isPublicAddress(last), false, last);
    for (const address of beside) assert.equal(isPublicAddress(address), true, address);
  });
}

test('isPublicAddress() takes IPv4 in IPv6 for the IPv4 it is, mapped or translated, in every notation', () => {
  for (const [, first, last, beside] of RANGES.filter(([, address]) => !address.includes(':'))) {
    for (const [address, isPublic] of [
      [first, false],
      [last, false],
      ...beside.map((each) => [each, true] as const),
    ] as const) {
      const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
      const groups = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
      for (const prefix of ['::ffff:', '::FFFF:', '0:0:0:0:0:ffff:', '64:ff9b::', '64:ff9b:0:0:0:0:']) {
        assert.equal(isPublicAddress(prefix + address), isPublic, prefix + address);
        assert.equal(isPublicAddress(prefix + groups), isPublic, prefix + groups);
      }
    }
  }
  assert.equal(isPublicAddress('64:ff9b::'), false);
  assert.equal(isPublicAddress('::ffff:808:0'), true);
});

test('isPublicAddress() takes nothing for public that is no address in its usual notation', () => {
  for (const text of [
    'example.com',
    'localhost',
    '',
    '8.8.8',
    '127.1',
    '2130706433',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '08.8.8.8',
    '8.8.8.8.',
    '8.8.8.8:80',
    '[2606:2800::1]',
    '2606:2800::1%1',
    'fe80::1%eth0',
    '::ffff:8.8.8.8%lo',
  ]) {
    assert.equal(isPublicAddress(text), false, text);
  }
});

test('isPublicAddress() of any IPv4 address is the same alone, mapped and translated', () => {
  const reserved = new BlockList();
  for (const [, first, last] of RANGES.filter(([, address]) => !address.includes(':'))) reserved.addRange(first, last);
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const isPublic = !reserved.check(address);
      assert.equal(isPublicAddress(address), isPublic);
      assert.equal(isPublicAddress(`::ffff:${address}`), isPublic);
      assert.equal(isPublicAddress(`64:ff9b::${address}`), isPublic);
    }),
    { numRuns: 2000 },
  );
});
