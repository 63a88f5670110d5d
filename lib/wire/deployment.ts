/**
 * A deployment outside the process: a module with its manifest, and a snapshot where there is one. It goes either as the bare
 * module, with the manifest as percent-encoded JSON in the `Nebula-Manifest` field, or as JSON `{ manifest, module, snapshot }`
 * with module and snapshot in base64.
 */

import { NebulaError } from '../../host/errors.ts';
import { isObject, textOf, toBase64 } from './json.ts';
import { toManifestJson } from './manifest-json.ts';

/** The field that holds the manifest beside a bare module. */
export const MANIFEST_FIELD = 'nebula-manifest';

/** Bytes a snapshot may have. In base64 beside a module of the default size it still fits into a string of V8's (2^29 - 24). */
export const SNAPSHOT_LIMIT_BYTES: number = 256 * 1024 * 1024;

/** Characters a manifest may take in a field: a server's parser bounds all fields together. */
const FIELD_LENGTH = 4096;

/** Bytes a manifest may have beside its module in JSON. */
const MANIFEST_BYTES = 1024 * 1024;

/** A deployment as a request carries it. */
export interface DeploymentMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/** What a deployment holds, its manifest not checked yet. */
export interface Deployment {
  readonly module: Uint8Array;
  readonly manifest: unknown;
  readonly snapshot?: Uint8Array;
}

/** Writes a deployment: bare where that will do. */
export function encodeDeployment({ module, manifest, snapshot }: Deployment): DeploymentMessage {
  const json = JSON.stringify(toManifestJson(manifest));
  const field = snapshot === undefined ? encodeURIComponent(json) : undefined;
  if (field !== undefined && field.length < FIELD_LENGTH) {
    return { headers: { 'content-type': 'application/wasm', [MANIFEST_FIELD]: field }, body: module };
  }
  const stored = snapshot === undefined ? '' : `,"snapshot":"${toBase64(snapshot)}"`;
  return {
    headers: { 'content-type': 'application/json' },
    body: `{"manifest":${json},"module":"${toBase64(module)}"${stored}}`,
  };
}

/** Reads the field beside a bare module; a manifest without fields where there is none. @throws NebulaError MANIFEST_INVALID */
export function decodeManifestField(field: string | undefined): unknown {
  if (field === undefined) return {};
  try {
    return JSON.parse(decodeURIComponent(field));
  } catch (error) {
    const detail = 'the Nebula-Manifest header is not percent-encoded JSON';
    throw new NebulaError('MANIFEST_INVALID', { detail }, { cause: error });
  }
}

/** Bytes that JSON may have whose module has at most `moduleBytes`. */
export function deploymentLimitBytes(moduleBytes: number): number {
  return base64Bytes(moduleBytes) + base64Bytes(SNAPSHOT_LIMIT_BYTES) + MANIFEST_BYTES;
}

/** Characters that bytes take in base64, which writes 3 bytes as 4. */
function base64Bytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 3) * 4;
}

/** Refuses a part of a deployment, before the next one is decoded. */
export interface DeploymentChecks {
  readonly manifest?: (manifest: unknown) => void;
  readonly module?: (bytes: Uint8Array) => void;
}

/**
 * Reads a deployment in JSON: its manifest, its module, its snapshot. What is wrong with the first is told first.
 * @throws NebulaError MANIFEST_INVALID, MODULE_INVALID, SNAPSHOT_CORRUPT, INPUT_TOO_LARGE; what the checks throw
 */
export function decodeDeployment(body: Uint8Array, checks: DeploymentChecks = {}): Deployment {
  const { module, manifest = {}, snapshot, ...unknown } = parseBody(body);
  const extra = Object.keys(unknown)[0];
  if (extra !== undefined) {
    const detail = `unknown field "${extra}": expected module, manifest and snapshot`;
    throw new NebulaError('MANIFEST_INVALID', { detail });
  }
  refuseNoText('module', module);
  checks.manifest?.(manifest);
  const bytes = decodeBase64(module, (offset) => {
    throw new NebulaError('MODULE_INVALID', { detail: FOREIGN_CHARACTER, offset });
  });
  checks.module?.(bytes);
  if (snapshot === undefined) return { module: bytes, manifest };
  refuseNoText('snapshot', snapshot);
  const stored = decodeBase64(snapshot, (offset) => {
    throw new NebulaError('SNAPSHOT_CORRUPT', { detail: `${FOREIGN_CHARACTER}, at character ${offset}` });
  });
  if (stored.byteLength > SNAPSHOT_LIMIT_BYTES) {
    throw new NebulaError('INPUT_TOO_LARGE', { limitBytes: SNAPSHOT_LIMIT_BYTES });
  }
  return { module: bytes, manifest, snapshot: stored };
}

const FOREIGN_CHARACTER = 'its base64 has another character';

function refuseNoText(field: string, value: unknown): asserts value is string {
  if (typeof value === 'string') return;
  throw new NebulaError('MANIFEST_INVALID', { detail: `field "${field}" must be base64, got ${typeof value}` });
}

function decodeBase64(text: string, refuse: (offset: number) => never): Uint8Array {
  const foreign = text.search(/[^A-Za-z0-9+/=]/);
  return foreign === -1 ? Buffer.from(text, 'base64') : refuse(foreign);
}

function parseBody(body: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(textOf(body));
  } catch (error) {
    throw new NebulaError('MANIFEST_INVALID', { detail: 'the body is not JSON' }, { cause: error });
  }
  if (isObject(value)) return value;
  throw new NebulaError('MANIFEST_INVALID', { detail: 'the body must be an object { module, manifest, snapshot }' });
}
