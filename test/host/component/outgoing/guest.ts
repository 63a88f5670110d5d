/** A guest thread of the tests: makes the requests it is told to make, waits for them as a guest does, and tells how they went. */

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { resolveCapabilities } from '../../../../host/capabilities/capabilities.ts';
import { shareOutgoing } from '../../../../host/component/outgoing/outgoing.ts';
import { Host, withHost } from '../../../../host/component/world/host.ts';
import { Fields } from '../../../../host/component/world/http/fields.ts';
import { OutgoingRequest } from '../../../../host/component/world/http/outgoing.ts';
import { createOutgoingHandler } from '../../../../host/component/world/http/outgoing-handler.ts';
import { createSockets } from '../../../../host/component/world/sockets/network.ts';
import type { TcpSocket } from '../../../../host/component/world/sockets/tcp.ts';
import { resolveLimits } from '../../../../host/limits.ts';

/** What a guest thread is given, and told to do. */
export interface GuestData {
  readonly losses: SharedArrayBuffer;
  readonly port: number;
}

export interface Task {
  readonly path: string;
  readonly requests: number;
  readonly sockets: number;
}

const { losses, port } = workerData as GuestData;

shareOutgoing({ losses, connect: (far: MessagePort) => parentPort?.postMessage({ far }, [far]) });

function begun(): Host {
  const capabilities = resolveCapabilities({
    http: { origins: [`http://127.0.0.1:${port}`], private: true },
    sockets: { connect: [`127.0.0.1:${port}`] },
  });
  const host = new Host({ programName: 'test', limits: resolveLimits(), capabilities }, []);
  host.begin({ input: new Uint8Array(), arguments: [], environment: {} });
  return host;
}

function connect(host: Host): void {
  const world = createSockets(host);
  const network = (world['wasi:sockets/instance-network'] as { instanceNetwork: () => never }).instanceNetwork();
  const { createTcpSocket } = world['wasi:sockets/tcp-create-socket'] as {
    createTcpSocket: (family: 'ipv4') => TcpSocket;
  };
  const socket = createTcpSocket('ipv4');
  socket.startConnect(network, { tag: 'ipv4', val: { port, address: [127, 0, 0, 1] } });
  socket.subscribe().block();
  socket.finishConnect();
}

function run({ path, requests, sockets }: Task): string[] {
  const host = begun();
  const answers = withHost(host, () => {
    for (let count = 0; count < sockets; count++) connect(host);
    const handle = createOutgoingHandler(host);
    const futures = Array.from({ length: requests }, () => {
      const request = new OutgoingRequest(Fields.fromList([]));
      request.setScheme({ tag: 'HTTP' });
      request.setAuthority(`127.0.0.1:${port}`);
      request.setPathWithQuery(path);
      return handle(request, undefined);
    });
    return futures.map((future) => {
      future.subscribe().block();
      const result = future.get();
      const answered = result?.tag === 'ok' ? result.val : undefined;
      return answered?.tag === 'ok' ? String(answered.val.status()) : String(answered?.val.tag);
    });
  });
  host.end();
  return answers;
}

parentPort?.on('message', (task: Task) => parentPort?.postMessage({ answers: run(task) }));
