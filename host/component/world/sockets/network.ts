/** wasi:sockets: TCP to and at the addresses that were granted, and nothing else. Source: WASI 0.2, wasi:sockets. */

import { WasiError } from '../guest-stop.ts';
import type { Imports } from '../interfaces.ts';
import type { Host } from '../host.ts';
import { type IoError, Pollable } from '../io.ts';
import { Resource } from '../resource.ts';
import { type IpAddress, toIpAddress } from './addresses.ts';
import { TcpSocket } from './tcp.ts';

class Network extends Resource {}

/** Never handed out: there is no UDP. */
class UdpSocket extends Resource {}

/** An address in numbers, which needs no looking up. */
class ResolveAddressStream extends Resource {
  #address: IpAddress | undefined;

  constructor(host: Host, address: IpAddress) {
    super(host);
    this.#address = address;
  }

  resolveNextAddress(): IpAddress | undefined {
    this.host.enter();
    const address = this.#address;
    this.#address = undefined;
    return address;
  }

  subscribe(): Pollable {
    this.host.enter();
    return new Pollable(this.host, { isReady: () => true });
  }
}

/** The interfaces of wasi:sockets. Without the capability each is there and refuses. */
export function createSockets(host: Host): Imports {
  const { sockets } = host.options.capabilities;
  const refuse = (): never => {
    host.enter();
    host.deny('sockets');
    throw new WasiError('access-denied');
  };
  return {
    'wasi:sockets/instance-network': { instanceNetwork: () => new Network(host) },
    'wasi:sockets/network': {
      Network,
      networkErrorCode: (error: IoError) => (typeof error.code === 'string' ? error.code : undefined),
    },
    'wasi:sockets/ip-name-lookup': {
      resolveAddresses: (_network: Network, name: string) => {
        const address = sockets === undefined ? undefined : toIpAddress(name);
        return address === undefined ? refuse() : new ResolveAddressStream(host, address);
      },
      ResolveAddressStream,
    },
    'wasi:sockets/tcp': { TcpSocket },
    'wasi:sockets/tcp-create-socket': {
      createTcpSocket: (family: 'ipv4' | 'ipv6') => (sockets === undefined ? refuse() : new TcpSocket(host, family)),
    },
    'wasi:sockets/udp': { UdpSocket, IncomingDatagramStream: UdpSocket, OutgoingDatagramStream: UdpSocket },
    'wasi:sockets/udp-create-socket': { createUdpSocket: refuse },
  };
}
