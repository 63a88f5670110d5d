/**
 * Manifests and records as JSON, and back. JSON writes binary files of an in-memory mount as `{"base64": "..."}`; everything
 * else is as in the types.
 */

import type { FunctionRecord } from '../schema/function-record.ts';
import type { Manifest } from '../schema/manifest.ts';
import { isObject, toBase64 } from './json.ts';

type Mount = NonNullable<NonNullable<Manifest['capabilities']>['mounts']>[number];

/** A manifest whose binary files are written as `{ base64 }`. */
export type ManifestJson = Readonly<Record<string, unknown>>;

/** A manifest, or what has one, as JSON can hold it; fields that are undefined are left out. */
export function toManifestJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: toBase64(value) };
  if (Array.isArray(value)) return value.map((item) => toManifestJson(item));
  if (typeof value !== 'object' || value === null) return value;
  // Object.fromEntries defines properties, so that a key "__proto__" stays a key and is refused as unknown.
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, toManifestJson(item)]),
  );
}

/** The manifest in JSON that its schema takes. */
export function fromManifestJson(json: ManifestJson): Manifest {
  const { $schema: _, ...rest } = json;
  const manifest = rest as unknown as Manifest;
  const { capabilities } = manifest;
  if (capabilities?.mounts === undefined) return manifest;
  return { ...manifest, capabilities: { ...capabilities, mounts: capabilities.mounts.map(decodeFiles) } };
}

/** The record that a server wrote with `toManifestJson`. */
export function fromRecordJson(json: FunctionRecord): FunctionRecord {
  return isObject(json?.manifest) ? { ...json, manifest: fromManifestJson(json.manifest) } : json;
}

function decodeFiles(mount: Mount): Mount {
  if (!('files' in mount)) return mount;
  const files = Object.fromEntries(
    Object.entries(mount.files as Readonly<Record<string, string | { readonly base64: string }>>).map(
      ([path, content]) => [
        path,
        typeof content === 'string' ? content : new Uint8Array(Buffer.from(content.base64, 'base64')),
      ],
    ),
  );
  return { ...mount, files };
}
