/** Audit: a digest of all of an instance's state, taken of the snapshot and compared before every run. */

import { createHash } from 'node:crypto';
import { NebulaError } from '../errors.ts';
import type { InstanceState } from './state.ts';

const PARTS = ['memory', 'globals', 'tables'] as const;

type Digests = Readonly<Record<(typeof PARTS)[number], string>>;

const hash = (data: Uint8Array | string): string => createHash('sha1').update(data).digest('hex');

/** Digests of a state as it is now. */
export class StateDigest {
  readonly parts: Digests;

  constructor(state: InstanceState) {
    this.parts = {
      memory: state.memory === undefined ? '' : hash(state.bytes),
      globals: hash(JSON.stringify(state.readGlobals(), bigintToText)),
      tables: hash(JSON.stringify(state.readTables())),
    };
  }
}

const bigintToText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);

/** @throws NebulaError SNAPSHOT_DIVERGED that names the part which differs */
export function auditState(name: string, expected: StateDigest, state: InstanceState): void {
  const { parts } = new StateDigest(state);
  const part = PARTS.find((candidate) => parts[candidate] !== expected.parts[candidate]);
  if (part !== undefined) throw new NebulaError('SNAPSHOT_DIVERGED', { name, part });
}
