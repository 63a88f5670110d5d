/**
 * Reads manifests: files, `deploy` options and what came over a wire, all by the one schema (lib/schema/manifest.ts).
 */

import { findCapabilityMisfit, type Capabilities } from '../../host/capabilities/capabilities.ts';
import { NebulaError } from '../../host/errors.ts';
import type { Manifest } from '../schema/manifest.ts';
import { manifestSchema } from '../schema/manifest.ts';
import { createCheck, describeMisfit, showValue } from '../schema/validation.ts';
import { fromManifestJson, toManifestJson, type ManifestJson } from '../wire/manifest-json.ts';

const findMisfit = createCheck(manifestSchema);

/**
 * Checks a manifest as JSON gave it, or as a caller built it (binary files then may be a Uint8Array).
 * @throws NebulaError MANIFEST_INVALID that names the field, what was expected and what was given
 */
export function parseManifest(value: unknown): Manifest {
  const json = toManifestJson(value);
  const misfit = findMisfit(json);
  if (misfit !== undefined) throw new NebulaError('MANIFEST_INVALID', { detail: describeMisfit(misfit) });
  const parsed = fromManifestJson(json as ManifestJson);
  refuseUngrantable(parsed.capabilities ?? {});
  return parsed;
}

/** What fits the schema and cannot be granted, such as an address with a port too large. */
function refuseUngrantable(capabilities: Partial<Capabilities>): void {
  const misfit = findCapabilityMisfit(capabilities);
  if (misfit === undefined) return;
  const { field, expected, got } = misfit;
  const detail = `field "capabilities.${field}" must be ${expected}, got ${showValue(got)}`;
  throw new NebulaError('MANIFEST_INVALID', { detail });
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
