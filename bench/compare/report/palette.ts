/** One colour for each target, readable on white and on black and, as far as thirteen can be, told apart by the colour-blind. */

const COLOURS: Readonly<Record<string, string>> = {
  'wasm-restored': '#0072b2',
  'wasm-fresh': '#56b4e9',
  'wasm-in-thread': '#009e73',
  'node-wasi': '#cc79a7',
  process: '#888888',
  'container-warm': '#e69f00',
  'container-cold': '#d55e00',
  'container-cold-bridge': '#a0522d',
  'container-cold-host': '#b03060',
  'docker-run': '#8b5a00',
  wasmtime: '#7b5fd0',
  workerd: '#8a9a2a',
  extism: '#5f8a8b',
};

/** One colour for each phase of a call. */
export const PHASE_COLOURS: Readonly<Record<string, string>> = {
  start: '#d55e00',
  run: '#0072b2',
  answer: '#e69f00',
  teardown: '#888888',
};

/** The colour of a target in every figure; grey for one that has none. */
export function colourOf(target: string): string {
  return COLOURS[target] ?? '#888888';
}
