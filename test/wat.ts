/** Assembles the WebAssembly text format, for guests that a test needs only once. */

import wabt from 'wabt';

const assembler = wabt();

const FEATURES = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  threads: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  memory64: true,
  multi_memory: true,
  extended_const: true,
} as const;

/** The binary of a module in text; what V8 would refuse is assembled all the same. Throws where the text is wrong. */
export async function assemble(wat: string): Promise<Uint8Array<ArrayBuffer>> {
  const module = (await assembler).parseWat('test.wat', wat, FEATURES);
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}
