/** A recording of a power source that goes on while something is measured, in a process of its own. */

import { fork, type ChildProcess } from 'node:child_process';
import { extname, join } from 'node:path';
import type { SourceProperties } from '../../hardware/meter/power-source.ts';
import type { RecordingCounts } from './trace-writer.ts';

/** What the recording process says. */
export type FromRecorder =
  | { readonly kind: 'ready'; readonly properties: SourceProperties }
  | { readonly kind: 'done'; readonly counts: RecordingCounts }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string };

/** What became of a recording. */
export interface RecordingEnd {
  readonly properties: SourceProperties;
  readonly counts: RecordingCounts | undefined;
  /** Why it ended before it was asked to. */
  readonly error: string | undefined;
}

/** How long a source may take to give its first value: a meter behind a broker may report every ten seconds. */
const FIRST_VALUE_MS = 60_000;
const STOP_MS = 30_000;

/** A failure of a source, as its own process told it. */
class RecordingError extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.name = 'RecordingError';
    this.code = code;
  }
}

/** Records a source in a process of its own, so that this one's load does not delay a reading. */
export class Recorder {
  readonly properties: SourceProperties;
  readonly #child: ChildProcess;
  readonly #ended: Promise<{ counts?: RecordingCounts; error?: string }>;

  private constructor(
    child: ChildProcess,
    properties: SourceProperties,
    ended: Promise<{ counts?: RecordingCounts; error?: string }>,
  ) {
    this.#child = child;
    this.properties = properties;
    this.#ended = ended;
  }

  /**
   * Starts recording a source into a file, its sidecar beside it; resolves with its first value.
   * @throws the source's own error, or one that says that no value came
   */
  static async start(source: string, path: string): Promise<Recorder> {
    const script = join(import.meta.dirname, `recorder-process${extname(import.meta.filename)}`);
    const child = fork(script, [source, path], { execArgv: ['--no-warnings'], serialization: 'advanced' });
    let end: { counts?: RecordingCounts; error?: string } = {};
    const ended = new Promise<typeof end>((resolve) => {
      child.once('exit', (code, signal) => {
        const told = end.counts !== undefined || end.error !== undefined;
        resolve(told ? end : { error: `its process ended with ${signal ?? `code ${code}`}` });
      });
    });
    const properties = await new Promise<SourceProperties>((resolve, reject) => {
      const late = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new RecordingError(`Cannot record ${source}: no value in ${FIRST_VALUE_MS / 1000} s`, ''));
      }, FIRST_VALUE_MS);
      child.on('message', (message: FromRecorder) => {
        if (message.kind === 'ready') resolve(message.properties);
        else if (message.kind === 'done') end = { counts: message.counts };
        else {
          end = { error: message.message };
          reject(new RecordingError(message.message, message.code));
        }
        clearTimeout(late);
      });
      void ended.then(({ error = 'it ended without a value' }) => {
        clearTimeout(late);
        reject(new RecordingError(`Cannot record ${source}: ${error}`, ''));
      });
    });
    return new Recorder(child, properties, ended);
  }

  /** Ends the recording and waits until it is on disk. */
  async stop(): Promise<RecordingEnd> {
    const { properties } = this;
    if (this.#child.connected) this.#child.send('stop', () => undefined);
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    const { counts, error } = await this.#ended;
    clearTimeout(late);
    return { properties, counts, error };
  }
}
