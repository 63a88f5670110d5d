/** wasi:cli: arguments, environment, exit and the standard streams. Source: WASI 0.2, wasi:cli/imports. */

import { NO_BYTES } from '../../bytes.ts';
import type { OutputBuffer } from '../../wasi/session/stdio.ts';
import type { Host } from './host.ts';
import type { Imports } from './interfaces.ts';
import { type ByteSink, type ByteSource, CHUNK_BYTES, InputStream, OutputStream } from './io.ts';
import { Resource } from './resource.ts';

/** Never handed out: no stream of a function is a terminal. */
class Terminal extends Resource {}

type Status = { readonly tag: 'ok' | 'err' };

/** The interfaces of wasi:cli: environment, exit, the standard streams and no terminals. */
export function createCli(host: Host): Imports {
  return {
    'wasi:cli/environment': {
      getEnvironment: () => Object.entries(host.environment),
      getArguments: () => [host.options.programName, ...host.arguments],
      initialCwd: () => undefined,
    },
    'wasi:cli/exit': {
      exit: (status: Status) => exit(host, status.tag === 'ok' ? 0 : 1),
      exitWithCode: (code: number) => exit(host, code),
    },
    'wasi:cli/stdin': { getStdin: () => new InputStream(host, stdinSource(host)), InputStream },
    'wasi:cli/stdout': { getStdout: () => new OutputStream(host, outputSink(host, host.stdout)), OutputStream },
    'wasi:cli/stderr': { getStderr: () => new OutputStream(host, outputSink(host, host.stderr)), OutputStream },
    'wasi:cli/terminal-input': { TerminalInput: Terminal },
    'wasi:cli/terminal-output': { TerminalOutput: Terminal },
    'wasi:cli/terminal-stdin': { getTerminalStdin: () => undefined, TerminalInput: Terminal },
    'wasi:cli/terminal-stdout': { getTerminalStdout: () => undefined, TerminalOutput: Terminal },
    'wasi:cli/terminal-stderr': { getTerminalStderr: () => undefined, TerminalOutput: Terminal },
  };
}

function exit(host: Host, exitCode: number): never {
  host.enter();
  throw host.exit(exitCode);
}

function stdinSource(host: Host): ByteSource {
  return {
    isReady: () => true,
    take(most) {
      const { stdin } = host;
      const left = stdin.readableBytes();
      if (left === 0) return most === 0 ? NO_BYTES : undefined;
      const bytes = new Uint8Array(Math.min(most, left));
      stdin.readInto(bytes, 0, bytes.length);
      return bytes;
    },
  };
}

function outputSink(host: Host, output: OutputBuffer): ByteSink {
  return {
    isReady: () => true,
    room: () => CHUNK_BYTES,
    put(bytes) {
      if (output.append(bytes, 0, bytes.length) === bytes.length) return;
      throw host.stopForOutput(output);
    },
  };
}
