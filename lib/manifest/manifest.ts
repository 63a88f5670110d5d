/**
 * Reads manifests: files, `deploy` options and what came over a wire, all by the one schema (lib/schema/manifest.ts).
 */

import { isIP } from 'node:net';
import type { Capabilities } from '../../host/capabilities.ts';
import { NebulaError } from '../../host/errors.ts';
import type { Manifest } from '../api.ts';
import { manifestSchema } from '../schema/manifest.ts';
import { createCheck, describeMisfit, showValue } from '../schema/validation.ts';
import { fromManifestJson, toManifestJson, type ManifestJson } from '../wire/manifest-json.ts';

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
