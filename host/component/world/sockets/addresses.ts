/** Addresses of wasi:sockets, as text. Source: WASI 0.2, wasi:sockets/network. */

import { isIP } from 'node:net';
import { canonicalAddress } from '../../../capabilities/sockets/allow-list.ts';
import type { SocketAddress } from '../../outgoing/messages.ts';

type Ipv4 = readonly [number, number, number, number];
type Ipv6 = readonly [number, number, number, number, number, number, number, number];

/** `ip-address`: four numbers of 8 bits, or eight of 16. */
export type IpAddress = { readonly tag: 'ipv4'; readonly val: Ipv4 } | { readonly tag: 'ipv6'; readonly val: Ipv6 };

/** `ip-socket-address`. */
export type IpSocketAddress =
  | { readonly tag: 'ipv4'; readonly val: { readonly port: number; readonly address: Ipv4 } }
  | {
      readonly tag: 'ipv6';
      readonly val: {
        readonly port: number;
        readonly flowInfo: number;
        readonly address: Ipv6;
        readonly scopeId: number;
      };
    };

/** An address that a guest gave, as Node has it. */
export function fromGuest({ tag, val }: IpSocketAddress): SocketAddress {
  const text = tag === 'ipv4' ? val.address.join('.') : val.address.map((group) => group.toString(16)).join(':');
  return { family: tag, address: canonicalAddress(text, tag), port: val.port };
}

/** An address of Node's, as a guest has it. */
export function toGuest({ family, address, port }: SocketAddress): IpSocketAddress {
  const ip = toIpAddress(address);
  if (ip?.tag === 'ipv6') return { tag: 'ipv6', val: { port, flowInfo: 0, address: ip.val, scopeId: 0 } };
  if (ip?.tag === 'ipv4') return { tag: 'ipv4', val: { port, address: ip.val } };
  throw new Error(`"${address}" is no ${family} address`);
}

/** An address in numbers; undefined for a name. */
export function toIpAddress(text: string): IpAddress | undefined {
  const plain = text.replace(/^\[|\]$/g, '');
  const family = isIP(plain);
  if (family === 4) return { tag: 'ipv4', val: plain.split('.').map(Number) as unknown as Ipv4 };
  return family === 6 ? { tag: 'ipv6', val: toGroups(plain) } : undefined;
}

function toGroups(text: string): Ipv6 {
  // URL writes an address that ends as IPv4 in groups too.
  const written = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [head = '', tail] = written.split('::');
  const [before, after] = [readGroups(head), readGroups(tail ?? '')];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after] as unknown as Ipv6;
}

function readGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => parseInt(group, 16));
}
