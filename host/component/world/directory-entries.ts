/** The entries of a directory, one after the other, without `.` and `..`. */

import { UTF8_DECODER } from '../../bytes.ts';
import type { DirectoryEntry as Entry } from '../../filesystem/descriptor.ts';
import { settle } from './file-errors.ts';
import { fileType, type FileType } from './file-stat.ts';
import type { OpenFile } from './file-streams.ts';
import type { Host } from './host.ts';
import { Resource } from './resource.ts';

/** `directory-entry`: a name in a directory and what it is of. */
export interface DirectoryEntry {
  readonly type: FileType;
  readonly name: string;
}

/** Entries read at once. */
const BATCH = 256;

/** `directory-entry-stream`: the entries of one directory, `.` and `..` left out. */
export class DirectoryEntryStream extends Resource {
  readonly #open: OpenFile;
  #entries: Entry[] = [];
  #at = 0;
  #cookie = 0n;

  constructor(host: Host, open: OpenFile) {
    super(host);
    this.#open = open;
  }

  readDirectoryEntry(): DirectoryEntry | undefined {
    this.host.enterLong();
    for (;;) {
      const entry = this.#next();
      if (entry === undefined) return undefined;
      const name = UTF8_DECODER.decode(entry.name);
      if (name !== '.' && name !== '..') return { type: fileType(entry.filetype), name };
    }
  }

  #next(): Entry | undefined {
    if (this.#at === this.#entries.length) {
      this.#entries = [];
      this.#at = 0;
      settle(this.host, this.#open.file.readEntries(this.#cookie, this.#entries, BATCH));
      this.#cookie += BigInt(this.#entries.length);
    }
    return this.#entries[this.#at++];
  }

  protected override release(): void {
    this.#open.leave();
  }
}
