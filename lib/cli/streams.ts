/** The process' standard streams as whole byte strings. */

import { NebulaError } from '../../host/errors.ts';

/**
 * All of stdin. A terminal counts as empty, so that a function without input needs no end-of-file.
 * @throws NebulaError INPUT_TOO_LARGE as soon as there is more than `limitBytes`
 */
export async function readInput(limitBytes: number): Promise<Uint8Array> {
  if (process.stdin.isTTY) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) throw new NebulaError('INPUT_TOO_LARGE', { limitBytes });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}

/** Writes everything before it returns. A reader that went away, as `head` does, is no failure. */
export async function writeAll(stream: NodeJS.WriteStream, content: Uint8Array | string): Promise<void> {
  if (content.length === 0) return;
  const written = new Promise<void>((done, fail) => {
    const settle = (error?: Error | null): void => {
      if (!error || ('code' in error && error.code === 'EPIPE')) done();
      else fail(error);
    };
    // The stream tells a broken pipe twice; unheard, the second time would end the process.
    stream.once('error', settle);
    stream.write(content, settle);
  });
  await written;
}

/** Prints a line for people or, with `--json`, an object for programs. */
export async function print(json: boolean, value: unknown, text: () => string): Promise<void> {
  await writeAll(process.stdout, `${json ? JSON.stringify(value, undefined, 2) : text()}\n`);
}
