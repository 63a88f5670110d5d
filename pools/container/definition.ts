/** A function that runs in containers. */

import type { MachineMount } from '../../host/capabilities/mounts/schema.ts';
import type { NativeDefinition } from '../native/backend.ts';

export const NETWORKS = ['none', 'bridge', 'host'] as const;

/** The network of a container: none, the engine's bridge, or the machine's own. */
export type ContainerNetwork = (typeof NETWORKS)[number];

/** An image the engine has, or a program from which one is built. */
export type ContainerSource =
  | { readonly image: string }
  | {
      /** The program, an ELF file for this machine; a static one unless `base` brings libraries. */
      readonly binary: Uint8Array;
      /** Image to build upon; `scratch` when left out. The engine pulls it if it lacks it and can. */
      readonly base?: string;
    };

/**
 * Of its limits `memoryBytes` (without swap) and `openFiles` hold beside those that hold for every native guest. The root
 * file system is read-only, all Linux capabilities are dropped, no program gains privileges, the user is nobody.
 */
export interface ContainerDefinition extends NativeDefinition {
  readonly source: ContainerSource;
  /** `none` has a loopback interface only. `bridge`: addresses outside, no other function. `host`: the machine's own. */
  readonly network: ContainerNetwork;
  /** Share of the machine's cores, such as 0.5 or 2; 0 is all of them. */
  readonly cpus: number;
  /** Processes and threads in one container. */
  readonly pids: number;
  readonly mounts: readonly MachineMount[];
}

/** What a container gets when nothing is said. */
export const CONTAINER_DEFAULTS: {
  readonly mode: 'cold';
  readonly network: 'none';
  readonly cpus: number;
  readonly pids: number;
  readonly idleTimeoutMs: number;
} = { mode: 'cold', network: 'none', cpus: 0, pids: 64, idleTimeoutMs: 300_000 };
