/** Tells components from core modules. Source: component model, design/mvp/Binary.md, the preamble. */

import { MAGIC, PREAMBLE_BYTES } from '../../module/encoding.ts';

/** Bytes 6 and 7 are the layer: 0 is a core module, 1 a component. */
const LAYER_OFFSET = 6;
const COMPONENT_LAYER = 1;

/** Whether the bytes begin as a component does. */
export function isComponent(bytes: Uint8Array): boolean {
  return (
    bytes.length >= PREAMBLE_BYTES &&
    MAGIC.every((byte, at) => bytes[at] === byte) &&
    bytes[LAYER_OFFSET] === COMPONENT_LAYER &&
    bytes[LAYER_OFFSET + 1] === 0
  );
}
