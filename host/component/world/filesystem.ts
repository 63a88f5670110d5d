/** wasi:filesystem over the descriptors that preview1 uses too. Source: WASI 0.2, wasi:filesystem/types and preopens. */

import { Descriptor } from './descriptor.ts';
import { DirectoryEntryStream } from './directory-entries.ts';
import { OpenFile } from './file-streams.ts';
import type { Host } from './host.ts';
import type { Imports } from './interfaces.ts';
import { InputStream, IoError, OutputStream } from './io.ts';

/** The interfaces of wasi:filesystem, over the mounts of the host. */
export function createFilesystem(host: Host): Imports {
  return {
    'wasi:filesystem/preopens': {
      Descriptor,
      getDirectories() {
        host.enterLong();
        return host.mounts.map((mount, at) => {
          const isWritable = host.options.capabilities.mounts[at]?.access === 'read-write';
          const open = new OpenFile(host, mount.open(host.sources));
          return [new Descriptor(host, open, { read: true, mutateDirectory: isWritable }), mount.guestPath];
        });
      },
    },
    'wasi:filesystem/types': {
      Descriptor,
      DirectoryEntryStream,
      InputStream,
      OutputStream,
      Error: IoError,
      filesystemErrorCode: (error: IoError) => error.code,
    },
  };
}
