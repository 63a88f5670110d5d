/** The commands that ask a server: deploy, list, remove, rollback. */

import { resolve } from 'node:path';
import { isComponent } from '../../host/component/prepare/binary.ts';
import type { FunctionRecord } from '../schema/function-record.ts';
import { NebulaClient } from '../client/client.ts';
import { loadSource } from '../registry/source.ts';
import { applyOptions, type FunctionOptions, type ServerAccess } from './options.ts';
import { withProgress } from './progress.ts';
import { print } from './streams.ts';

/** Options of `list`, `remove` and `rollback`. */
export interface RemoteOptions extends ServerAccess {
  readonly json?: boolean;
}

/** Options of `deploy`. */
export interface DeployCommandOptions extends RemoteOptions, FunctionOptions {
  readonly name?: string;
  readonly snapshot?: string;
}

async function withClient<T>({ url, token }: RemoteOptions, use: (client: NebulaClient) => Promise<T>): Promise<T> {
  const client = new NebulaClient({ url, ...(token === undefined ? {} : { token }) });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** Reads the function here and sends it, its snapshot too; its mounts are directories of the server's machine. */
export async function deploy(options: DeployCommandOptions, target: string): Promise<void> {
  const loaded = await loadSource(resolve(target), {
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.snapshot === undefined ? {} : { snapshot: options.snapshot }),
  });
  const { module, snapshot } = loaded;
  const { name, snapshot: _path, ...manifest } = applyOptions(loaded.manifest, options);
  const sent = snapshot === undefined ? manifest : { ...manifest, snapshot };
  const what = `Deploying ${name}: the server ${isComponent(module) ? 'transpiles and compiles the component' : 'prepares it'}`;
  const record = await withProgress(what, () => withClient(options, (client) => client.deploy(name, module, sent)));
  await print(options.json === true, record, () => `Deployed ${describe(record)}`);
}

/** Prints a line for each function. */
export async function list(options: RemoteOptions): Promise<void> {
  const records = await withClient(options, (client) => client.list());
  if (records.length === 0 && options.json !== true) return;
  await print(options.json === true, records, () => records.map((record) => describe(record)).join('\n'));
}

/** Removes a function with all its versions. */
export async function remove(options: RemoteOptions, name: string): Promise<void> {
  await withClient(options, (client) => client.undeploy(name));
  await print(options.json === true, { removed: name }, () => `Removed ${name}`);
}

/** Returns to the version before. */
export async function rollback(options: RemoteOptions, name: string): Promise<void> {
  const record = await withClient(options, (client) => client.rollback(name));
  await print(options.json === true, record, () => `Rolled back to ${describe(record)}`);
}

function describe({ name, version, digest, sizeBytes, deployedAt, report }: FunctionRecord): string {
  const size = `${(sizeBytes / 1024).toFixed(0)} KiB`;
  return `${name} version ${version}, ${digest.slice(0, 12)}, ${size}, ${report.strategy}, ${deployedAt}`;
}
