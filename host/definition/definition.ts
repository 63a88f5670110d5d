/** A function ready to be run: plain data that every thread can hold. */

import type { RawImport } from '../bindings/raw.ts';
import type { Capabilities } from '../capabilities/capabilities.ts';
import type { PreparedComponent } from './prepared-component.ts';
import type { BudgetReason } from './budget.ts';
import type { InitOptions } from '../init-options.ts';
import type { Limits } from '../limits.ts';
import type { PreparedModule } from '../module/prepared-module.ts';
import type { Strategy } from './strategies.ts';

export interface FunctionDefinition {
  /** Unique among the versions of all functions of a process. */
  readonly id: string;
  readonly name: string;
  readonly prepared: PreparedModule;
  /** Why its code counts units; absent where it does not. */
  readonly budget?: BudgetReason;
  /** The component that `prepared` describes; absent for a core module. */
  readonly component?: PreparedComponent;
  /** Calls that one instance of a component answers; default 1, so that no call sees what another left behind. */
  readonly reuse?: number;
  /** Of a session: its one instance is kept after each call as that left it, and not made again. */
  readonly keepsState?: boolean;
  /** Export that handles an invocation: `_start` for a command, the manifest's or `handle` for a reactor. */
  readonly entry: string;
  readonly limits: Limits;
  readonly capabilities: Capabilities;
  /** Functions of bindings that its guests may call, as `binding.function`; absent where none is granted. */
  readonly bindings?: readonly string[];
  /** Functions of raw bindings that its module may import; absent where none is granted. */
  readonly raw?: readonly RawImport[];
  readonly init: InitOptions;
  readonly strategy: Strategy | 'auto';
  /** A stored snapshot to start from, as `nebula snapshot` wrote it. */
  readonly snapshot?: Uint8Array;
  /** Compare the state with the snapshot before every run. */
  readonly audit: boolean;
}
