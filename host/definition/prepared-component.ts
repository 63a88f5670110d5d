/** A component made ready to run: what the deploy leaves behind, plain data that every thread can hold. */

import type { Needs } from '../module/growth.ts';

/** `command` exports wasi:cli/run, `http` exports wasi:http/incoming-handler, `library` neither. */
export const COMPONENT_KINDS = ['command', 'http', 'library'] as const;

/** One of COMPONENT_KINDS. */
export type ComponentKind = (typeof COMPONENT_KINDS)[number];

/** The interface by which Nebula calls a component of each kind; a library's functions are called by their names. */
export const ENTRY_INTERFACES = { command: 'wasi:cli/run', http: 'wasi:http/incoming-handler' } as const;

/** A core module of a component. */
export interface ComponentCore {
  /** Name by which the glue asks for it. */
  readonly file: string;
  /** Compiled once and shared by all threads, its memory and tables capped at the function's limits. */
  readonly compiled: WebAssembly.Module;
  /** What each of its instances begins with. */
  readonly needs: Needs;
}

/** A component, checked, rewritten and compiled. */
export interface PreparedComponent {
  readonly kind: ComponentKind;
  /** SHA-256 of the component's binary, hex. */
  readonly digest: string;
  /** The JavaScript that links the core modules and lifts and lowers values: a script whose value is a factory of `instantiate`. */
  readonly glue: string;
  readonly cores: readonly ComponentCore[];
  /** The world in WIT, as the component carries it. */
  readonly wit: string;
  /** Interfaces and functions of the world, with their versions. */
  readonly imports: readonly string[];
  readonly exports: readonly string[];
}

/** What transpiling leaves behind, before anything is compiled: the content of a prepared folder. */
export interface TranspiledComponent {
  /** SHA-256 of the component's binary, hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly glue: string;
  readonly cores: readonly { readonly file: string; readonly bytes: Uint8Array }[];
  readonly wit: string;
}
