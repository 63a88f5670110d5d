/**
 * Reads manifests: files, `deploy` options and HTTP bodies, all by the schema of schema/manifest.ts.
 * A manifest in JSON writes binary files of an in-memory mount as `{"base64": "..."}`; everything else is the `Manifest` type.
 */

import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import type { Capabilities, Mount } from '../host/capabilities.ts';
import { NebulaError } from '../host/errors.ts';
import type { Manifest } from './api.ts';
import { manifestSchema } from './schema/manifest.ts';
import { createCheck, describeMisfit, showValue } from './schema/validation.ts';

const findMisfit = createCheck(manifestSchema);

function isSocketAddress(text: string): boolean {
  const at = text.lastIndexOf(':');
  const [host, port] = [text.slice(0, at).replace(/^\[|\]$/g, ''), text.slice(at + 1)];
  return isIP(host) !== 0 && (port === '*' || Number(port) <= 65_535);
}

/**
 * Checks a manifest as JSON gave it, or as a caller built it (binary files then may be a Uint8Array).
 * @throws NebulaError MANIFEST_INVALID that names the field, what was expected and what was given
 */
export function parseManifest(value: unknown): Manifest {
  const json = toManifestJson(value);
  const misfit = findMisfit(json);
  if (misfit !== undefined) throw new NebulaError('MANIFEST_INVALID', { detail: describeMisfit(misfit) });
  const parsed = fromManifestJson(json as ManifestJson);
  refuseNoAddresses(parsed.capabilities ?? {});
  return parsed;
}

/** Origins and addresses that have their pattern and are none: a port or a number too large. */
function refuseNoAddresses({ http, sockets }: Partial<Capabilities>): void {
  const lists: readonly (readonly [string, readonly string[] | undefined, (text: string) => boolean])[] = [
    ['http.origins', http?.origins, (text) => URL.canParse(text)],
    ['sockets.connect', sockets?.connect, isSocketAddress],
    ['sockets.bind', sockets?.bind, isSocketAddress],
  ];
  for (const [field, list = [], isOne] of lists) {
    const index = list.findIndex((text) => !isOne(text));
    if (index < 0) continue;
    const kind = field === 'http.origins' ? 'an origin' : 'an address';
    const detail = `field "capabilities.${field}.${index}" must be ${kind} that exists, got ${showValue(list[index])}`;
    throw new NebulaError('MANIFEST_INVALID', { detail });
  }
}

/** Reads a manifest's text. @throws NebulaError MANIFEST_INVALID */
export function parseManifestText(source: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    throw new NebulaError(
      'MANIFEST_INVALID',
      { detail: `it is not JSON: ${(error as SyntaxError).message}` },
      { cause: error },
    );
  }
  return parseManifest(value);
}

/** A manifest whose binary files are written as `{ base64 }`. */
export type ManifestJson = Readonly<Record<string, unknown>>;

/** The manifest as JSON can hold it; fields that are undefined are left out. */
export function toManifestJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map((item) => toManifestJson(item));
  if (typeof value !== 'object' || value === null) return value;
  // Object.fromEntries defines properties, so that a key "__proto__" stays a key and is refused as unknown.
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, toManifestJson(item)]),
  );
}

function fromManifestJson(json: ManifestJson): Manifest {
  const { $schema: _, ...manifest } = json;
  const capabilities = manifest['capabilities'] as Partial<Capabilities> | undefined;
  if (capabilities?.mounts === undefined) return manifest as unknown as Manifest;
  const mounts = capabilities.mounts.map((mount) => decodeFiles(mount));
  return { ...manifest, capabilities: { ...capabilities, mounts } } as unknown as Manifest;
}

function decodeFiles(mount: Mount): Mount {
  if (!('files' in mount)) return mount;
  const files = Object.fromEntries(
    Object.entries(mount.files as Readonly<Record<string, string | { base64: string }>>).map(([path, content]) => [
      path,
      typeof content === 'string' ? content : new Uint8Array(Buffer.from(content.base64, 'base64')),
    ]),
  );
  return { ...mount, files };
}

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
