/** Addresses that a component may connect to or bind to: `address:port` or `address:*`. */

import { isIP, SocketAddress } from 'node:net';

/** Sockets of one invocation that may be open. */
export const MOST_SOCKETS = 64;

const HIGHEST_PORT = 65_535;

/** An address in `canonicalAddress`'s notation, with a port. */
export interface Address {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  readonly port: number;
}

/** The one way to write an address that is one. */
export function canonicalAddress(address: string, family: Address['family']): string {
  return new SocketAddress({ address, family }).address;
}

/** Whether a grant names an address that exists. */
export function isGrant(grant: string): boolean {
  const { host, port } = read(grant);
  return isIP(host) !== 0 && (port === '*' || Number(port) <= HIGHEST_PORT);
}

/** Whether one of the grants names this address. */
export function isGranted(grants: readonly string[], { family, address, port }: Address): boolean {
  return grants.some((grant) => {
    const granted = read(grant);
    if (isIP(granted.host) !== (family === 'ipv6' ? 6 : 4)) return false;
    if (canonicalAddress(granted.host, family) !== address) return false;
    return granted.port === '*' || Number(granted.port) === port;
  });
}

function read(grant: string): { readonly host: string; readonly port: string } {
  const at = grant.lastIndexOf(':');
  return { host: grant.slice(0, at).replace(/^\[|\]$/g, ''), port: grant.slice(at + 1) };
}
