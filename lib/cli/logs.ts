/** `nebula logs`: what happened to the functions of a server, and what their guests wrote to stderr. */

import { NebulaClient } from '../client/client.ts';
import type { LogRecord } from '../schema/log-record.ts';
import type { ServerAccess } from './options.ts';
import { printable } from '../wire/printable.ts';
import { writeAll } from './streams.ts';

/** Options of `logs`. */
export interface LogsOptions extends ServerAccess {
  readonly follow?: boolean;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly json?: boolean;
}

/** Prints a line for each record, of one function or of all; with `follow` until the server ends. */
export async function logs(options: LogsOptions, name?: string): Promise<void> {
  const { url, token, since } = options;
  const client = new NebulaClient({ url, ...(token === undefined ? {} : { token }) });
  const query = { ...(name === undefined ? {} : { name }), ...(since === undefined ? {} : { sinceMs: since }) };
  try {
    const records = options.follow === true ? client.followLogs(query) : await client.logs(query);
    for await (const record of records) {
      const line = options.json === true ? JSON.stringify(record) : describe(record);
      // A server is not to be trusted with a terminal.
      if (!(await writeAll(process.stdout, `${printable(line)}\n`))) break;
    }
  } finally {
    await client.close();
  }
}

function describe({ timeMs, level, event, name, version, requestId, message, durationMs }: LogRecord): string {
  const time = new Date(timeMs).toISOString();
  const which = version === undefined ? name : `${name}@${version}`;
  const took = durationMs === undefined ? '' : `, ${durationMs.toFixed(1)} ms`;
  const id = requestId === undefined ? '' : ` [${requestId}]`;
  return event === 'stderr'
    ? `${time} ${which}${id} | ${message}`
    : `${time} ${which}${id} ${level} ${event}: ${message}${took}`;
}
