/** Everything a component may import, made for one instance under its own capabilities. */

import type { Imports } from '../world/interfaces.ts';
import { createCli } from '../world/cli.ts';
import { createClocks } from '../world/clocks.ts';
import { createFilesystem } from '../world/filesystem.ts';
import { createHttp } from '../world/http/types.ts';
import type { Host } from '../world/host.ts';
import { InputStream, IoError, OutputStream, poll, Pollable } from '../world/io.ts';
import { createRandom } from '../world/random.ts';
import { Resource } from '../world/resource.ts';
import { createSockets } from '../world/sockets/network.ts';

/** What makes the interfaces of a package. */
const PACKAGES: Readonly<Record<string, (host: Host) => Imports>> = {
  'wasi:io': (host) => ({
    'wasi:io/error': { Error: IoError },
    'wasi:io/poll': { Pollable, poll: (pollables: readonly Pollable[]) => poll(host, pollables) },
    'wasi:io/streams': { InputStream, OutputStream, Error: IoError, Pollable },
  }),
  'wasi:cli': createCli,
  'wasi:clocks': createClocks,
  'wasi:filesystem': createFilesystem,
  'wasi:http': createHttp,
  'wasi:random': createRandom,
  'wasi:sockets': createSockets,
};

/** Packages whose classes this thread has frozen. */
const frozen: Set<string> = new Set();

/** The interfaces of the packages that are asked for: they are made for each call, the others need not be. */
export function createImports(host: Host, packages: readonly string[]): Imports {
  const world: Record<string, object> = {};
  for (const name of packages) {
    const made = PACKAGES[name]?.(host) ?? {};
    if (!frozen.has(name)) freezeClasses(name, made);
    Object.assign(world, made);
  }
  // They are there for as long as the instance is: no call of it may leave anything in them.
  for (const each of Object.values(world)) freezeAll(each);
  return world;
}

function freezeAll(namespace: object): void {
  if (Object.isFrozen(namespace)) return;
  for (const value of Object.values(namespace) as unknown[]) if (typeof value === 'function') Object.freeze(value);
  Object.freeze(namespace);
}

/** Every glue of a thread has the same classes: none may change what another sees. Their prototypes no glue gets at (prepare/glue/check.ts). */
function freezeClasses(name: string, made: Imports): void {
  const values = Object.values(made).flatMap((each) => Object.values(each) as unknown[]);
  for (const value of values) {
    if (typeof value === 'function' && value.prototype instanceof Resource) Object.freeze(value);
  }
  frozen.add(name);
}
