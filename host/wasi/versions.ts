/**
 * The versions of WASI that guests may be written for. Each has an ABI over the one session (session/): 0.1, as core
 * modules import it, is host/preview1; 0.2, as components do, is host/component/world.
 */

/** The modules under which core modules import WASI 0.1, and the name it had before. */
export const PREVIEW1 = { snapshot: 'wasi_snapshot_preview1', unstable: 'wasi_unstable' } as const;

/** What is said of WASI 0.3 wherever it is refused. */
export const WASI_03 =
  'this release does not run WASI 0.3, whose asynchronous functions will need Node 24 or newer with JSPI';

/** Whether Nebula has a version of a component's interface. WASI 0.2 grows by minor versions that keep what was there. */
export function isKnownVersion(version: string): boolean {
  return /^0\.2\.\d+$/.test(version);
}

/** Whether an import or export is of WASI 0.3, its release candidates included. */
export function isWasi03(name: string): boolean {
  return name.startsWith('wasi:') && /@0\.3(?:\.|$)/.test(name);
}
