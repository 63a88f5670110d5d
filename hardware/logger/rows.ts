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
  let rest = '';
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
      const line = rest.slice(from, rest[end - 1] === '\r' ? end - 1 : end);
      if (line.trim() !== '') row(line);
      from = end + 1;
    }
    rest = rest.slice(from);
    if (rest.length > maxLine) {
      row(rest.slice(0, maxLine));
      rest = '';
    }
  }
  rest += decoder.decode();
  if (rest.trim() !== '') row(rest.endsWith('\r') ? rest.slice(0, -1) : rest);
}
