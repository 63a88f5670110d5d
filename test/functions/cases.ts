/** The functions' folders, their manifests and their cases, read from the source tree. */

import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest } from '../../lib/registry/source.ts';
import type { Manifest } from '../../lib/schema/manifest.ts';

/** A case as cases.json has it; functions/README.md describes the format. */
export interface Case {
  readonly name: string;
  readonly input?: string;
  readonly inputHex?: string;
  /** Input for the guest `generate`, whose answer is this case's input. */
  readonly generate?: string;
  readonly expected?: string;
  readonly expectedSha256?: string;
  readonly exitCode?: number;
  readonly stderr?: string;
}

/** The folder `functions` of the source tree, seen from dist/test/functions. */
export const FUNCTIONS_FOLDER: string = join(import.meta.dirname, '..', '..', '..', 'functions');

/** Names of the functions that have a manifest, in order. */
export function functionNames(): string[] {
  return foldersWithManifest(FUNCTIONS_FOLDER);
}

/** Names of the test-only guests, in order, as paths below `functions`. */
export function guestNames(): string[] {
  return foldersWithManifest(join(FUNCTIONS_FOLDER, 'guests')).map((name) => `guests/${name}`);
}

function foldersWithManifest(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'nebula.json')))
    .sort();
}

export async function readFunctionManifest(name: string): Promise<Manifest> {
  return (await readManifest(join(FUNCTIONS_FOLDER, name))).manifest;
}

export function readModule(name: string): Uint8Array {
  return readFileSync(join(FUNCTIONS_FOLDER, name, `${name.slice(name.lastIndexOf('/') + 1)}.wasm`));
}

export function readCases(name: string): Case[] {
  return JSON.parse(readFileSync(join(FUNCTIONS_FOLDER, name, 'cases.json'), 'utf8')) as Case[];
}
