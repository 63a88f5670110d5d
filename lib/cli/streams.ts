/** The process' standard streams as whole byte strings. */

import { createReadStream, fstatSync, type BigIntStats } from 'node:fs';
import { NebulaError } from '../../host/errors.ts';
import { GatheredBytes } from '../../host/gathered-bytes.ts';
import { printableLines } from '../wire/printable.ts';

const STDIN = 0;

/**
 * All of stdin; of a terminal, what is typed until its end (Ctrl-D).
 * @throws NebulaError INPUT_TOO_LARGE as soon as there is more than `limitBytes`; FILE_UNREADABLE
 */
export async function readInput(limitBytes: number): Promise<Uint8Array> {
  const gathered = new GatheredBytes();
  for await (const chunk of openInput()) {
    gathered.add(chunk);
    if (gathered.sizeBytes > limitBytes) throw new NebulaError('INPUT_TOO_LARGE', { limitBytes });
  }
  return gathered.whole();
}

// Node takes what it does not know how to read for empty.
function openInput(): AsyncIterable<Uint8Array> {
  const stats = statInput();
  if (stats?.isDirectory() === true) {
    throw new NebulaError('FILE_UNREADABLE', { path: 'standard input', detail: 'it is a directory' });
  }
  return stats?.isBlockDevice() === true ? createReadStream('', { fd: STDIN, autoClose: false }) : process.stdin;
}

function statInput(): BigIntStats | undefined {
  try {
    // Of a pipe the other kind would have Node take symbolic links for files from then on: its realpathSync looks at what the last
    // such call found, and modules behind links, as pnpm has them, would be loaded under two names.
    return fstatSync(STDIN, { bigint: true });
  } catch {
    // Closed: Node has put /dev/null in its place, or reads nothing.
    return undefined;
  }
}

const heard: WeakSet<NodeJS.WriteStream> = new WeakSet();

/** Writes everything before it returns; false where the reader went away, as `head` does, which is no failure. */
export async function writeAll(stream: NodeJS.WriteStream, content: Uint8Array | string): Promise<boolean> {
  if (content.length === 0) return true;
  // The stream tells a broken pipe twice; unheard, the second time would end the process.
  if (!heard.has(stream)) stream.on('error', () => undefined);
  heard.add(stream);
  return new Promise<boolean>((done, fail) => {
    stream.write(content, (error) => {
      if (!error) done(true);
      else if ('code' in error && error.code === 'EPIPE') done(false);
      else fail(error);
    });
  });
}

/** Prints a line for people or, with `--json`, an object for programs. */
export async function print(json: boolean, value: unknown, text: () => string): Promise<void> {
  await writeAll(process.stdout, `${json ? JSON.stringify(value, undefined, 2) : printableLines(text())}\n`);
}
