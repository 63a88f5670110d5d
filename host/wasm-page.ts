/** The unit in which WebAssembly memories are counted, whatever pages the machine has. Source: core spec, sections 3.2.5 and 4.2.8. */

/** Bytes of a page of a WebAssembly memory. */
export const WASM_PAGE_BYTES = 65_536;

/** Pages of the largest memory that 32-bit addresses reach: 4 GiB. */
export const MOST_WASM_PAGES = 65_536;
