/** Which addresses a guest may connect to. Source: IANA special-purpose address registries (RFC 6890 and its updates). */

import { BlockList, isIP } from 'node:net';

type Network = readonly [network: string, prefix: number];

const NOT_PUBLIC_IPV4: readonly Network[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** All that is handed out as global unicast: what lies outside is local, multicast or unassigned. */
const GLOBAL_UNICAST: Network = ['2000::', 3];

/** Inside of it: protocol assignments with Teredo, documentation, 6to4. */
const NOT_PUBLIC_IPV6: readonly Network[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

/** Translators' prefix of RFC 6052: such an address is as public as the IPv4 address at its end. */
const NAT64: Network = ['64:ff9b::', 96];
const MAPPED: Network = ['::ffff:0.0.0.0', 96];

function listOf(family: 'ipv4' | 'ipv6', networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, family);
  return list;
}

const notPublicIpv4 = listOf('ipv4', NOT_PUBLIC_IPV4);
const notPublicIpv6 = listOf('ipv6', NOT_PUBLIC_IPV6);
const globalUnicast = listOf('ipv6', [GLOBAL_UNICAST]);
const embedding = listOf('ipv6', [NAT64, MAPPED]);

/**
 * Whether an address is one of the public internet; IPv4 in IPv6 counts as the IPv4 it is. False for what is no address in
 * its usual notation (a name, `127.1`, `0177.0.0.1`, an address with a zone).
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return false;
  if (family === 4) return !notPublicIpv4.check(address, 'ipv4');
  if (embedding.check(address, 'ipv6')) return !notPublicIpv4.check(lastIpv4(address), 'ipv4');
  return globalUnicast.check(address, 'ipv6') && !notPublicIpv6.check(address, 'ipv6');
}

/** The last 32 bits of an IPv6 address, as IPv4. */
function lastIpv4(address: string): string {
  // URL writes an address that ends as IPv4 in groups too.
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(':').slice(-2);
  const [high = 0, low = 0] = groups.map((group) => (group === '' ? 0 : parseInt(group, 16)));
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}
