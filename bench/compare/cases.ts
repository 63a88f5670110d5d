/** The inputs of functions and the answers expected of them, read from cases.json (functions/README.md). */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Nebula } from '../../lib/index.ts';
import { createNebula } from '../../lib/index.ts';
import { root } from '../measurement/root.ts';
import { INPUTS } from './plan.ts';

/** A function with one of its inputs, and what it must answer. */
export interface ComparisonCase {
  readonly function: string;
  readonly input: string;
  readonly bytes: Uint8Array;
  /** SHA-256 of the answer, hex. */
  readonly expectedSha256: string;
}

interface CaseFile {
  readonly name: string;
  readonly input?: string;
  readonly inputHex?: string;
  readonly generate?: string;
  readonly expected?: string;
  readonly expectedSha256?: string;
  readonly exitCode?: number;
}

/** SHA-256, in hex. */
export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/**
 * The cases of the functions that have an input of the given names. A function need not have all of them: `noop` has one.
 * @throws Error when there is no such function, none of its cases fits, or no function has an input of a name
 */
export async function loadCases(
  functions: readonly string[],
  inputs: readonly string[],
): Promise<readonly ComparisonCase[]> {
  const nebula = await createNebula({ executor: 'in-thread' });
  try {
    await nebula.deploy(join(root, 'functions', 'guests', 'generate'), { limits: { timeoutMs: 0 } });
    const cases: ComparisonCase[] = [];
    for (const name of functions) cases.push(...(await casesOf(name, inputs, nebula)));
    // A function need not have every size.
    const named = inputs.filter((input) => !(INPUTS as readonly string[]).includes(input));
    const unknown = named.find((input) => cases.every((test) => test.input !== input));
    if (unknown !== undefined) throw new Error(`Cannot compare: none of the functions has a case named ${unknown}`);
    return cases;
  } finally {
    await nebula.close();
  }
}

async function casesOf(name: string, inputs: readonly string[], nebula: Nebula): Promise<ComparisonCase[]> {
  const path = join(root, 'functions', name, 'cases.json');
  if (!existsSync(path))
    throw new Error(`Cannot compare function "${name}": expected its cases at ${path}, found none`);
  const files = JSON.parse(await readFile(path, 'utf8')) as CaseFile[];
  const cases: ComparisonCase[] = [];
  for (const input of inputs) {
    const file = files.find((each) => caseName(each) === input && (each.exitCode ?? 0) === 0);
    if (file === undefined) continue;
    const expectedSha256 = file.expectedSha256 ?? sha256(file.expected ?? '');
    cases.push({ function: name, input, bytes: await bytesOf(file, nebula), expectedSha256 });
  }
  if (cases.length === 0)
    throw new Error(`Cannot compare function "${name}": it has no case named ${inputs.join(', ')}`);
  return cases;
}

/** How plans name a case: names of several words have hyphens. */
const caseName = ({ name }: CaseFile): string => name.replaceAll(' ', '-');

async function bytesOf(file: CaseFile, nebula: Nebula): Promise<Uint8Array> {
  if (file.generate !== undefined) return nebula.invokeOrThrow('generate', file.generate);
  return file.inputHex === undefined ? Buffer.from(file.input ?? '') : Buffer.from(file.inputHex, 'hex');
}
