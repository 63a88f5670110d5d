/** The container engine of tests, definitions of container functions, and what an engine holds of Nebula's. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Docker from 'dockerode';
import { CONTAINER_DEFAULTS, type ContainerDefinition } from '../../../pools/container/definition.ts';
import { OWNER_LABEL } from '../../../pools/container/owner.ts';
import { nativePath, skipWithoutNative } from '../../functions/native.ts';
import { requirePart } from '../../require.ts';
import { nativeDefinition, type NativeOverrides } from '../native/native-suite.ts';

export const SOCKET = '/var/run/docker.sock';

/** What node:test takes as `skip` for a test that needs an engine and the native binaries. */
export async function skipWithoutDocker(): Promise<string | false> {
  const reason = await new Docker({ socketPath: SOCKET }).ping().then(
    () => '',
    (error: unknown) => String(error),
  );
  const skip = requirePart('docker', reason === '', `no engine answers on ${SOCKET}: ${reason}`);
  return skip === false ? skipWithoutNative() : skip;
}

export interface ContainerOverrides
  extends NativeOverrides,
    Partial<Pick<ContainerDefinition, 'source' | 'network' | 'cpus' | 'pids' | 'mounts'>> {}

/** A definition of a function built by functions/build.sh, in an image of its own unless `source` says otherwise. */
export function define(name: string, overrides: ContainerOverrides = {}): ContainerDefinition {
  const { source, network, cpus, pids, mounts, ...rest } = overrides;
  return {
    ...nativeDefinition(name, rest),
    source: source ?? { binary: readFileSync(nativePath(name)) },
    network: network ?? CONTAINER_DEFAULTS.network,
    cpus: cpus ?? CONTAINER_DEFAULTS.cpus,
    pids: pids ?? CONTAINER_DEFAULTS.pids,
    mounts: mounts ?? [],
  };
}

export interface Holdings {
  readonly containers: string[];
  readonly images: string[];
  readonly networks: string[];
}

/** Ids of everything on an engine that has an owner's label. `isOwner` chooses among owners. */
export async function holdings(docker: Docker, isOwner: (owner: string) => boolean): Promise<Holdings> {
  const filters = { label: [OWNER_LABEL] };
  const ids = (found: { Id: string; Labels?: Record<string, string> }[]): string[] =>
    found.filter(({ Labels }) => isOwner(Labels?.[OWNER_LABEL] ?? '')).map(({ Id }) => Id);
  return {
    containers: ids(await docker.listContainers({ all: true, filters })),
    images: ids(await docker.listImages({ filters })),
    networks: ids((await docker.listNetworks({ filters })) as { Id: string; Labels?: Record<string, string> }[]),
  };
}

/** Whether an owner's id is that of a process. */
export function ownedBy(pid: number): (owner: string) => boolean {
  return (owner) => owner.split('/')[3] === String(pid);
}

/** Waits until something holds. */
export async function eventually(what: string, holds: () => Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    assert.ok(performance.now() < endMs, `not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
