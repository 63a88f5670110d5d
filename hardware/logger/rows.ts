/** Lines out of chunks, so that a log of any size passes through little memory. */

/** A file's stream, or anything else that gives a log in pieces. */
export type Chunks = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/** A longer line is no row of most logs: it is given out cut, and no parser takes it. */
const MAX_LINE = 1 << 20;

/**
 * Calls back for each line that is not empty, without its end and without a byte order mark.
 * @param maxLine in characters; a longer line is given out cut
 */
export async function eachRow(chunks: Chunks, row: (line: string) => void, maxLine = MAX_LINE): Promise<void> {
  const decoder = new TextDecoder();
  // Pieces of a line that goes on: joined once, so that a long one costs no more than its length.
  let pieces: string[] = [];
  let length = 0;
  const give = (end: string): void => {
    const line = pieces.length === 0 ? end : pieces.join('') + end;
    pieces = [];
    length = 0;
    const bare = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (bare.trim() !== '') row(bare);
  };
  for await (const chunk of chunks) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      give(text.slice(from, end));
      from = end + 1;
    }
    if (from === text.length) continue;
    pieces.push(text.slice(from));
    length += text.length - from;
    if (length > maxLine) {
      row(pieces.join('').slice(0, maxLine));
      pieces = [];
      length = 0;
    }
  }
  give(decoder.decode());
}
