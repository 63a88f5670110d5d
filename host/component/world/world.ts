/** Everything a component may import, made for one instance under its own capabilities. */

import type { Imports } from '../glue.ts';
import { createCli } from './cli.ts';
import { createClocks } from './clocks.ts';
import { createFilesystem } from './filesystem.ts';
import { createHttp } from './http/types.ts';
import type { Host } from './host.ts';
import { InputStream, IoError, OutputStream, poll, Pollable } from './io.ts';
import { createRandom } from './random.ts';
import { createSockets } from './sockets.ts';

export function createWorld(host: Host): Imports {
  return {
    'wasi:io/error': { Error: IoError },
    'wasi:io/poll': { Pollable, poll: (pollables: readonly Pollable[]) => poll(host, pollables) },
    'wasi:io/streams': { InputStream, OutputStream, Error: IoError, Pollable },
    ...createCli(host),
    ...createClocks(host),
    ...createFilesystem(host),
    ...createHttp(host),
    ...createRandom(host),
    ...createSockets(host),
  };
}
