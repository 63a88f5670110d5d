/** What becomes of manifests before they are in force: their mounts found, options put over them. */

import { isAbsolute, resolve } from 'node:path';
import type { Mount } from '../../host/capabilities/mounts/schema.ts';
import { NebulaError } from '../../host/errors.ts';
import type { Manifest } from '../schema/manifest.ts';

/**
 * The manifest with the machine's paths of its mounts made absolute, relative to `folder`.
 * @throws NebulaError MANIFEST_INVALID for a relative path when there is no folder
 */
export function resolveMounts(manifest: Manifest, folder: string | undefined): Manifest {
  const { capabilities } = manifest;
  if (capabilities?.mounts === undefined) return manifest;
  const mounts = capabilities.mounts.map((mount, index): Mount => {
    if (!('machine' in mount)) return mount;
    if (folder !== undefined) return { ...mount, machine: resolve(folder, mount.machine) };
    if (isAbsolute(mount.machine)) return mount;
    const detail = `field "capabilities.mounts.${index}.machine" must be an absolute path where no folder holds the manifest, got ${JSON.stringify(mount.machine)}`;
    throw new NebulaError('MANIFEST_INVALID', { detail });
  });
  return { ...manifest, capabilities: { ...capabilities, mounts } };
}

/** `over` in place of `manifest`, field by field; limits, capabilities, init and http one level deeper. */
export function mergeManifests(manifest: Partial<Manifest>, over: Partial<Manifest>): Partial<Manifest> {
  const merged: Record<string, unknown> = { ...manifest };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const base = merged[key];
    const nested = isRecord(base) && isRecord(value);
    merged[key] = nested ? { ...base, ...value } : value;
  }
  return merged;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
