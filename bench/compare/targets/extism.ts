/** Extism as a peer, when it is installed: a new plug-in for each call, which is what it takes to have a fresh state. */

import { readFile } from 'node:fs/promises';
import { functionPath } from '../../measurement/root.ts';
import { extism } from '../../subjects/peers.ts';
import { sha256, type ComparisonCase } from '../cases.ts';
import type { Plan, TargetName } from '../plan.ts';
import type { CallResult, Target } from '../target.ts';

const NOTHING = new Uint8Array();

/** Opens Extism's SDK. @throws Error when it is not installed */
export async function openExtism(name: TargetName, _plan: Plan, cases: readonly ComparisonCase[]): Promise<Target> {
  if (!cases.some((test) => test.function === 'noop'))
    throw new Error('it gives a plug-in no stdin: only noop runs on it');
  const path = functionPath('noop');
  const subject = extism(path, false);
  if (subject === undefined) throw new Error('run npm run bench:install');
  const bytes = await readFile(path);
  return {
    name,
    isCold: false,
    deployed: [{ function: 'noop', digest: sha256(bytes), sizeBytes: bytes.length }],
    refuses: (functionName) =>
      functionName === 'noop' ? undefined : 'it gives a plug-in no stdin: a function that reads one has no counterpart',
    call: async (): Promise<CallResult> => {
      await subject.run();
      return { outcome: 'ok', stdout: NOTHING, stderr: NOTHING };
    },
    close: () => Promise.resolve(),
  };
}
