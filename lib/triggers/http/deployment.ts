/** `PUT /functions/:name`: a module and its manifest out of one request (lib/wire/deployment.ts). */

import { NebulaError } from '../../../host/errors.ts';
import type { DeployOptions } from '../../schema/manifest.ts';
import { parseManifest } from '../../manifest/manifest.ts';
import { decodeDeployment, decodeManifestField, deploymentLimitBytes, MANIFEST_FIELD } from '../../wire/deployment.ts';
import { BodyTooLarge, readInput, type Exchange } from './exchange.ts';

/** What to deploy. */
export interface RequestedDeployment {
  readonly module: Uint8Array;
  readonly options: DeployOptions;
}

/** What the body of a deploy may be. */
const DEPLOYMENT_TYPES = ['application/wasm', 'application/json'] as const;

/**
 * Reads the body of a deploy; the module may have `moduleBytes`.
 * @throws NebulaError MEDIA_TYPE, MODULE_TOO_LARGE, MODULE_INVALID, MANIFEST_INVALID, SNAPSHOT_CORRUPT, INPUT_TOO_LARGE,
 * CLIENT_CLOSED
 */
export async function readDeployment(
  exchange: Exchange,
  name: string,
  moduleBytes: number,
): Promise<RequestedDeployment> {
  const mediaType = (exchange.header('content-type') ?? '').replace(/;.*$/s, '').trim().toLowerCase();
  switch (mediaType) {
    case 'application/wasm': {
      const options = toOptions(decodeManifestField(exchange.header(MANIFEST_FIELD)), name);
      return { module: await readModuleBody(exchange, name, moduleBytes), options };
    }
    case 'application/json': {
      const body = await readInput(exchange, deploymentLimitBytes(moduleBytes));
      let options: DeployOptions = {};
      const { module, snapshot } = decodeDeployment(body, {
        manifest: (manifest) => (options = toOptions(manifest, name)),
        module: ({ byteLength }) => {
          if (byteLength > moduleBytes) throw tooLarge(name, byteLength, moduleBytes);
        },
      });
      return { module, options: snapshot === undefined ? options : { ...options, snapshot } };
    }
    default:
      throw new NebulaError('MEDIA_TYPE', { got: mediaType || 'none', expected: DEPLOYMENT_TYPES.join(' or ') });
  }
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

function toOptions(manifest: unknown, name: string): DeployOptions {
  const named =
    typeof manifest === 'object' && manifest !== null && !('name' in manifest) ? { ...manifest, name } : manifest;
  const parsed = parseManifest(named);
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
