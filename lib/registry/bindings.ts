/** Holds what a manifest is to be granted of bindings against what the embedder has. */

import type { BindingTable, BoundFunction } from '../../host/bindings/bindings.ts';
import { NebulaError } from '../../host/errors.ts';
import type { Manifest } from '../schema/manifest.ts';

/**
 * The functions that a manifest grants, in order.
 * @throws NebulaError BINDING_REFUSED for one that the embedder does not have
 */
export function grantBindings(
  { name, capabilities }: Manifest,
  { bindings }: { readonly bindings?: BindingTable },
): readonly BoundFunction[] {
  const granted = [...(capabilities?.bindings ?? [])].sort();
  return granted.flatMap((binding) => {
    const functions = bindings?.of(binding);
    if (functions !== undefined) return functions;
    const names = bindings?.names ?? [];
    const expected = names.length === 0 ? 'no binding: createNebula was given none' : `one of ${names.join(', ')}`;
    throw new NebulaError('BINDING_REFUSED', { name, binding, detail: `expected ${expected}, got ${binding}` });
  });
}

/**
 * Refuses functions that are declared `async` where their guests run in the same thread and cannot be suspended.
 * @throws NebulaError BINDING_REFUSED
 */
export function refuseUnsuspendable({ name }: Manifest, bindings: readonly BoundFunction[], cannotWait: boolean): void {
  const later = cannotWait ? bindings.find(({ isAsync }) => isAsync) : undefined;
  if (later === undefined) return;
  const detail =
    'expected a function that answers at once, since guests in the same thread that cannot be suspended would wait for ever ' +
    '(Node 24 and code that counts units suspend them), got an async function';
  throw new NebulaError('BINDING_REFUSED', { name, binding: later.name, detail });
}

/**
 * Refuses bindings where a watchdog would end them together with their guest, in the middle of what they do.
 * @throws NebulaError BINDING_REFUSED
 */
export function refuseWatched({ name }: Manifest, bindings: readonly BoundFunction[], isWatched: boolean): void {
  const [first] = bindings;
  if (!isWatched || first === undefined) return;
  const detail =
    'expected code that counts units where limits.timeoutMs holds in the same thread, for a deadline would end the binding with its guest, got "budget": false';
  throw new NebulaError('BINDING_REFUSED', { name, binding: first.name, detail });
}
