/**
 * Records a power source into a file, in a process of its own: what is measured on the other side neither delays its readings
 * nor pays for them in its own thread. Its times are of CLOCK_MONOTONIC, which all processes share. Run by recorder.ts.
 */

import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { messageOf } from '../../host/errors.ts';
import { openSource } from '../../hardware/meter/sources.ts';
import { TraceWriter } from './trace-writer.ts';
import type { FromRecorder } from './recorder.ts';

const [text = '', path = ''] = process.argv.slice(2);

const tell = (message: FromRecorder): void => void process.send?.(message);

async function record(): Promise<void> {
  const source = await openSource(text);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.on('message', stop);
  process.once('disconnect', stop);
  // Ctrl-C reaches the whole group; the run decides when its recording ends.
  process.on('SIGINT', () => undefined);
  const stream = createWriteStream(path);
  let failure: Error | undefined;
  stream.on('error', (error) => {
    failure = error;
    stop();
  });
  const writer = new TraceWriter(source.properties);
  await writeFile(`${path}.json`, `${JSON.stringify(writer.sidecar, null, 2)}\n`);
  try {
    for await (const reading of source.readings(stopping.signal)) {
      if (writer.counts.values === 0 && reading.kind === 'value')
        tell({ kind: 'ready', properties: source.properties });
      const rows = writer.rowsOf(reading);
      if (rows !== '' && !stream.write(rows)) await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
    }
  } finally {
    await source.close();
  }
  stream.end(writer.end());
  if (!stream.closed) await once(stream, 'close');
  if (failure !== undefined) throw failure;
  tell({ kind: 'done', counts: writer.counts });
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}

try {
  await record();
} catch (error) {
  tell({ kind: 'failed', message: messageOf(error), code: codeOf(error) });
  process.exitCode = 1;
}
process.disconnect?.();
