/** wasi:sockets, of which nothing is granted: there are no sockets to be had. Source: WASI 0.2, wasi:sockets. */

import { WasiError } from '../guest-stop.ts';
import type { Imports } from '../glue.ts';
import type { Host } from './host.ts';
import { Resource } from './resource.ts';

class Network extends Resource {}

/** Never handed out: making a socket or looking up a name is refused. */
class Socket extends Resource {}

export function createSockets(host: Host): Imports {
  const refuse = (): never => {
    host.enter();
    host.deny('sockets');
    throw new WasiError('access-denied');
  };
  return {
    'wasi:sockets/instance-network': { instanceNetwork: () => new Network(host) },
    'wasi:sockets/network': { Network, networkErrorCode: () => undefined },
    'wasi:sockets/ip-name-lookup': { resolveAddresses: refuse, ResolveAddressStream: Socket },
    'wasi:sockets/tcp': { TcpSocket: Socket },
    'wasi:sockets/tcp-create-socket': { createTcpSocket: refuse },
    'wasi:sockets/udp': { UdpSocket: Socket, IncomingDatagramStream: Socket, OutgoingDatagramStream: Socket },
    'wasi:sockets/udp-create-socket': { createUdpSocket: refuse },
  };
}
