/**
 * `PUT /functions/:name`: a module and its manifest out of one request. Either `application/wasm` with the manifest as
 * percent-encoded JSON in the `Nebula-Manifest` header, or `application/json` with `{ manifest, module, snapshot }`, the module
 * and the snapshot in base64.
 */

import { NebulaError } from '../../../host/errors.ts';
import type { DeployOptions, Manifest } from '../../api.ts';
import { parseManifest } from '../../manifest.ts';
import { BodyTooLarge, readInput, type Exchange } from './exchange.ts';

/** What to deploy. */
export interface Deployment {
  readonly module: Uint8Array;
  readonly options: DeployOptions;
}

/** Bytes a manifest may have beside its module in a JSON body. */
const MANIFEST_BYTES = 1024 * 1024;

/** Bytes a snapshot may have. In base64 beside a module of the default size it still fits into a string of V8's (2^29 - 24). */
export const SNAPSHOT_LIMIT_BYTES: number = 256 * 1024 * 1024;

const MEDIA_TYPES = 'application/wasm or application/json';

/**
 * Reads the body of a deploy; the module may have `moduleBytes`.
 * @throws NebulaError MEDIA_TYPE, MODULE_TOO_LARGE, MODULE_INVALID, MANIFEST_INVALID, SNAPSHOT_CORRUPT, INPUT_TOO_LARGE,
 * CLIENT_CLOSED
 */
export async function readDeployment(exchange: Exchange, name: string, moduleBytes: number): Promise<Deployment> {
  const mediaType = (exchange.header('content-type') ?? '').replace(/;.*$/s, '').trim().toLowerCase();
  switch (mediaType) {
    case 'application/wasm': {
      const options = toOptions(readManifestHeader(exchange), name);
      return { module: await readModuleBody(exchange, name, moduleBytes), options };
    }
    case 'application/json': {
      const limitBytes = base64Bytes(moduleBytes) + base64Bytes(SNAPSHOT_LIMIT_BYTES) + MANIFEST_BYTES;
      return parseJson(await readInput(exchange, limitBytes), name, moduleBytes);
    }
    default:
      throw new NebulaError('MEDIA_TYPE', { got: mediaType || 'none', expected: MEDIA_TYPES });
  }
}

/** Characters that bytes take in base64, which writes 3 bytes as 4. */
function base64Bytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 3) * 4;
}

async function readModuleBody(exchange: Exchange, name: string, limitBytes: number): Promise<Uint8Array> {
  try {
    return await exchange.readBody(limitBytes);
  } catch (error) {
    if (!(error instanceof BodyTooLarge)) throw error;
    throw tooLarge(name, error.sizeBytes, limitBytes, error);
  }
}

// It is read before its manifest is in force, so that only the server's own limit holds.
function tooLarge(name: string, sizeBytes: number, limitBytes: number, cause?: unknown): NebulaError {
  const option = "the server's limits.moduleBytes (serve --limit moduleBytes=BYTES)";
  return new NebulaError('MODULE_TOO_LARGE', { name, sizeBytes, limitBytes, option }, { cause });
}

function readManifestHeader(exchange: Exchange): unknown {
  const header = exchange.header('nebula-manifest');
  if (header === undefined) return {};
  try {
    return JSON.parse(decodeURIComponent(header));
  } catch (error) {
    const detail = 'the Nebula-Manifest header is not percent-encoded JSON';
    throw new NebulaError('MANIFEST_INVALID', { detail }, { cause: error });
  }
}

function parseJson(body: Uint8Array, name: string, moduleBytes: number): Deployment {
  const fields = parseObject(body);
  const { module, manifest = {}, snapshot, ...unknown } = fields;
  const extra = Object.keys(unknown)[0];
  if (extra !== undefined) {
    const detail = `unknown field "${extra}": expected module, manifest and snapshot`;
    throw new NebulaError('MANIFEST_INVALID', { detail });
  }
  refuseNoText('module', module);
  const options = toOptions(manifest, name);
  const bytes = decodeBase64(module, (offset) => {
    throw new NebulaError('MODULE_INVALID', { detail: FOREIGN_CHARACTER, offset });
  });
  if (bytes.byteLength > moduleBytes) {
    throw tooLarge(name, bytes.byteLength, moduleBytes);
  }
  if (snapshot === undefined) return { module: bytes, options };
  refuseNoText('snapshot', snapshot);
  const stored = decodeBase64(snapshot, (offset) => {
    throw new NebulaError('SNAPSHOT_CORRUPT', { detail: `${FOREIGN_CHARACTER}, at character ${offset}` });
  });
  if (stored.byteLength > SNAPSHOT_LIMIT_BYTES) {
    throw new NebulaError('INPUT_TOO_LARGE', { limitBytes: SNAPSHOT_LIMIT_BYTES });
  }
  return { module: bytes, options: { ...options, snapshot: stored } };
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

function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch (error) {
    throw new NebulaError('MANIFEST_INVALID', { detail: 'the body is not JSON' }, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new NebulaError('MANIFEST_INVALID', { detail: 'the body must be an object { module, manifest, snapshot }' });
  }
  return value as Readonly<Record<string, unknown>>;
}

function toOptions(manifest: unknown, name: string): DeployOptions {
  const named =
    typeof manifest === 'object' && manifest !== null && !('name' in manifest) ? { ...manifest, name } : manifest;
  const parsed: Manifest = parseManifest(named);
  if (parsed.name !== name) {
    const detail = `field "name" must be ${JSON.stringify(name)} as in the path, got ${JSON.stringify(parsed.name)}`;
    throw new NebulaError('MANIFEST_INVALID', { detail });
  }
  const { module, snapshot, ...options } = parsed;
  if (module === undefined && snapshot === undefined) return options;
  // A path would be read on the server's machine, with the server's rights.
  const detail = `field "${module === undefined ? 'snapshot' : 'module'}" names a file, which a manifest sent over HTTP may not`;
  throw new NebulaError('MANIFEST_INVALID', { detail });
}
