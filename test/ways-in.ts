/** The ways in that are not this process: over HTTP and through the command. What a call may not say there, its manifest says. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeployOptions } from '../lib/schema/manifest.ts';
import type { NebulaOptions } from '../lib/schema/nebula-options.ts';
import { NebulaClient } from '../lib/client/client.ts';
import { startServer } from '../lib/triggers/http/server.ts';
import { toManifestJson } from '../lib/wire/manifest-json.ts';
import { createNebula } from '../lib/nebula.ts';
import { DEFAULT_LIMITS } from '../host/limits.ts';
import { nebula } from './lib/cli/command.ts';
import type { SuiteAnswer, SuiteCall, SuiteTarget } from './suite-bench.ts';

type Given = DeployOptions & { readonly name: string };

interface Deployed {
  readonly path: string;
  readonly options: Given;
}

/** The function with what one call says of arguments, variables and deadline in its manifest; itself for a plain call. */
function forCall({ path, options }: Deployed, call: SuiteCall, name: string): Deployed {
  const { capabilities = {}, limits = {} } = options;
  if (call.arguments === undefined && call.environment === undefined && call.timeoutMs === undefined) {
    return { path, options };
  }
  const timeoutMs = Math.min(call.timeoutMs ?? Infinity, limits.timeoutMs ?? DEFAULT_LIMITS.timeoutMs);
  return {
    path,
    options: {
      ...options,
      name,
      limits: { ...limits, timeoutMs },
      capabilities: {
        ...capabilities,
        ...(call.arguments === undefined ? {} : { arguments: call.arguments }),
        environment: { ...capabilities.environment, ...call.environment },
      },
    },
  };
}

/** A server with worker threads, and a client of it. */
export async function overHttp(options: NebulaOptions = { threads: 2 }): Promise<SuiteTarget> {
  const served = await createNebula(options);
  const server = await startServer(served, {});
  const client = new NebulaClient({ url: server.url, timeoutMs: 60_000 });
  const deployed = new Map<string, Deployed>();
  let calls = 0;
  const deploy = async ({ path, options }: Deployed): Promise<void> => {
    const { name, snapshot: _, ...rest } = options;
    await client.deploy(name, await readFile(path), rest);
  };
  return {
    async deploy(path, options) {
      deployed.set(options.name, { path, options });
      await deploy({ path, options });
    },
    async invoke(name, call = {}) {
      const own = deployed.get(name) as Deployed;
      const meant = forCall(own, call, `${name}.call-${calls++}`);
      if (meant.options.name !== name) await deploy(meant);
      const outcome = await client.invoke(meant.options.name, call.input);
      const { kind, stdout, stderr } = outcome;
      return {
        ...outcome,
        stdout: kind === 'ok' ? stdout : undefined,
        stderr: stderr.length > 0 ? stderr : undefined,
      };
    },
    suspended: () => served.stats().executor.suspended,
    async close() {
      await client.close();
      await server.close();
      await served.close();
    },
  };
}

type Shown = Omit<SuiteAnswer, 'stdout' | 'stderr'> & { readonly stdout: Text; readonly stderr: Text };
type Text = string | { readonly base64: string };

const toBytes = (text: Text): Uint8Array =>
  typeof text === 'string' ? new TextEncoder().encode(text) : Buffer.from(text.base64, 'base64');

/** The command, in a process for each call. */
export function throughCommand(): Promise<SuiteTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-command-'));
  const deployed = new Map<string, Deployed>();
  const run = async (verb: string, { path, options }: Deployed, input?: Uint8Array): Promise<string> => {
    const manifest = join(folder, `${options.name}.json`);
    writeFileSync(manifest, JSON.stringify(toManifestJson({ ...options, module: path })));
    const { stdout, stderr } = await nebula([verb, manifest, '--json'], input === undefined ? {} : { input });
    // A guest's own exit code 3 comes with an outcome, a failure of Nebula's without one.
    if (stdout === '') throw Object.assign(new Error(stderr), (JSON.parse(stderr) as { error: object }).error);
    return stdout;
  };
  return Promise.resolve({
    async deploy(path, options) {
      deployed.set(options.name, { path, options });
      await run('inspect', { path, options });
    },
    async invoke(name, call = {}) {
      const meant = forCall(deployed.get(name) as Deployed, call, name);
      const shown = JSON.parse(await run('invoke', meant, call.input)) as Shown;
      return { ...shown, stdout: toBytes(shown.stdout), stderr: toBytes(shown.stderr) };
    },
    close() {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  });
}
