/** `sock_*`: a guest is given no socket, so an open descriptor is NOTSOCK and any other BADF. */

import { ERRNO } from '../wasi/errno.ts';
import type { HostFunctions } from './abi.ts';
import type { Context } from './context.ts';

/**
 * `sock_accept`, `sock_recv`, `sock_send`, `sock_shutdown`. Source: WASI preview1, docs.md#sock_accept, #sock_recv,
 * #sock_send, #sock_shutdown.
 */
export function createSockFunctions(context: Context): HostFunctions {
  const refuse = (fd: number): number => {
    context.enter();
    context.deny('sockets');
    return context.table.get(fd >>> 0) === undefined ? ERRNO.badf : ERRNO.notsock;
  };
  return { sock_accept: refuse, sock_recv: refuse, sock_send: refuse, sock_shutdown: refuse };
}
