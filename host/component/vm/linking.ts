/** What is made before a component can be entered: its glue, in time; and what is said where that fails. */

import { runWithin } from '../../deadline.ts';
import { isNebulaError, messageOf, NebulaError } from '../../errors.ts';
import { describeEnding, type Ending } from '../../outcome.ts';
import { trapOf } from '../../trap.ts';
import type { Instantiate } from '../prepare/glue/contract.ts';
import type { ComponentDefinition } from './component-definition.ts';
import { compileGlue } from './glue.ts';

/** @throws NebulaError INIT_FAILED */
export function makeGlue({ component, name }: ComponentDefinition): Instantiate {
  try {
    return compileGlue(component)();
  } catch (cause) {
    throw new NebulaError('INIT_FAILED', { name, detail: messageOf(cause) }, { cause });
  }
}

/**
 * Code of a guest runs while a component is linked: start functions of its core modules, and the glue itself. What is
 * answered runs it, and throws NebulaError INIT_FAILED when it takes longer than a call may.
 */
export function within(definition: ComponentDefinition): <T>(link: () => T) => T {
  const { timeoutMs } = definition.limits;
  return <T>(link: () => T): T => {
    if (timeoutMs === 0) return link();
    let linked: { readonly value: T } | undefined;
    runWithin(timeoutMs, () => {
      linked = { value: link() };
    });
    if (linked === undefined) throw unlinked(definition, { kind: 'timeout', timeoutMs });
    return linked.value;
  };
}

/** What is thrown for what linking threw; `ended` is how the guest had ended by then, if it had. */
export function linkFailure(definition: ComponentDefinition, ended: Ending | undefined, cause: unknown): unknown {
  const ending = ended ?? trapOf(cause);
  if (ending !== undefined) return unlinked(definition, ending, cause);
  if (cause instanceof RangeError || isNebulaError(cause)) return cause;
  const unknown = /instance import '(\S+)'/.exec(messageOf(cause))?.[1];
  if (unknown !== undefined) return new NebulaError('UNKNOWN_IMPORT', { count: 1, imports: unknown }, { cause });
  return new NebulaError('INIT_FAILED', { name: definition.name, detail: messageOf(cause) }, { cause });
}

function unlinked({ name }: ComponentDefinition, ending: Ending, cause?: unknown): NebulaError {
  const detail = `its instantiation ended with ${describeEnding(ending)}`;
  return new NebulaError('INIT_FAILED', { name, detail }, { cause });
}
