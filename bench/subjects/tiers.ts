/** In which tier of V8 the functions of a module are: its first compiler (Liftoff), its optimising one (TurboFan), or none. */

import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import type { InstanceState } from '../../host/snapshot/state.ts';

/** Functions of a module by tier. Code is compiled when it is first called. */
export interface TierCounts {
  readonly uncompiled: number;
  readonly liftoff: number;
  readonly turbofan: number;
}

type Native = (code: unknown) => boolean;

interface Natives {
  readonly isUncompiled: Native;
  readonly isLiftoff: Native;
  readonly isTurboFan: Native;
}

let natives: Natives | undefined;

/** V8's own test functions (src/runtime/runtime.h) parse once its flag is set, in source text only. */
function native(name: string): Native {
  try {
    return runInThisContext(`(code) => %${name}(code)`) as Native;
  } catch (cause) {
    throw new Error(`Cannot tell tiers apart: V8 ${process.versions.v8} has no %${name}`, { cause });
  }
}

function loadNatives(): Natives {
  setFlagsFromString('--allow-natives-syntax');
  return {
    isUncompiled: native('IsUncompiledWasmFunction'),
    isLiftoff: native('IsLiftoffFunction'),
    isTurboFan: native('IsTurboFanFunction'),
  };
}

/** How many of some functions are in each tier of V8. */
export function countTiers(state: InstanceState, functions: readonly string[]): TierCounts {
  natives ??= loadNatives();
  const counts = { uncompiled: 0, liftoff: 0, turbofan: 0 };
  for (const name of functions) {
    const code = state.function(name);
    if (natives.isTurboFan(code)) counts.turbofan++;
    else if (natives.isLiftoff(code)) counts.liftoff++;
    else if (natives.isUncompiled(code)) counts.uncompiled++;
  }
  return counts;
}
