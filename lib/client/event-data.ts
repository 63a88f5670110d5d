/** Server-sent events in a stream of bytes. Source: HTML, section 9.2.6, as far as Nebula's server writes them. */

/** Characters of an event that has not ended; what is longer is none of Nebula's. */
const EVENT_CHARACTERS = 1024 * 1024;

/** The data of each event. @throws RangeError for an event without end */
export async function* eventData(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    rest += decoder.decode(piece, { stream: true });
    const events = rest.split('\n\n');
    rest = events.pop() ?? '';
    if (rest.length > EVENT_CHARACTERS) throw new RangeError(`An event has more than ${EVENT_CHARACTERS} characters`);
    for (const event of events) {
      const data = event.split('\n').filter((line) => line.startsWith('data: '));
      if (data.length > 0) yield data.map((line) => line.slice('data: '.length)).join('\n');
    }
  }
}
