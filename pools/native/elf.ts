/**
 * Reads what a native binary needs, before anything tries to run it. Layout: System V ABI, Object Files, ELF header and
 * program header; machine numbers: its registry of e_machine.
 */

import { NebulaError } from '../../host/errors.ts';

const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183, riscv64: 243 };
const HEADER_BYTES = 64;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const ET_EXEC = 2;
const ET_DYN = 3;
const PT_INTERP = 3;

/**
 * Checks that `binary` is a program for this machine; a static one, where nothing gives it libraries.
 * @throws NebulaError BINARY_INVALID
 */
export function checkBinary(name: string, binary: Uint8Array, isStatic: boolean): void {
  const expected = `a${isStatic ? ' static' : 'n'} ELF program for ${process.arch}`;
  const refuse = (got: string): never => {
    throw new NebulaError('BINARY_INVALID', { name, expected, got });
  };
  if (binary.length < HEADER_BYTES) refuse(`${binary.length} bytes`);
  const view = new DataView(binary.buffer, binary.byteOffset, binary.length);
  if (view.getUint32(0) !== 0x7f454c46) refuse('bytes that are no ELF file');
  if (binary[4] !== CLASS_64 || binary[5] !== LITTLE_ENDIAN) refuse('an ELF file of 32 bits or of big-endian order');
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC && type !== ET_DYN) refuse(`an ELF file of type ${type}, which is no program`);
  const machine = view.getUint16(18, true);
  const wanted = MACHINES[process.arch];
  if (wanted !== undefined && machine !== wanted) refuse(`one for machine ${machine}`);
  const tableAt = Number(view.getBigUint64(32, true));
  const entryBytes = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  for (let index = 0; index < count; index++) {
    const at = tableAt + index * entryBytes;
    if (at + 4 > binary.length) refuse('one that is cut off in its program headers');
    if (isStatic && view.getUint32(at, true) === PT_INTERP) refuse('one that loads shared libraries');
  }
}
