/** `capabilities.mounts` in a manifest. Loaded by `lib` only. The types have bytes where the JSON has `{"base64": "..."}`. */

import { Type } from 'typebox';
import { CLOSED, oneOf, PATH, setOf, text } from '../../schema/elements.ts';
import type { ReadonlyStatic } from '../../schema/static.ts';

/** Devices that a mount may grant by name; no other is ever opened. */
export const DEVICES = ['null', 'zero', 'urandom'] as const;

/** A device that a mount may grant. */
export type DeviceName = (typeof DEVICES)[number];

const ACCESS = oneOf(['read-only', 'read-write'], '"read-only" or "read-write"');

const FILES = Type.Unsafe<Readonly<Record<string, string | Uint8Array>>>({
  type: 'object',
  description: 'an object of texts or {"base64": text} by relative path',
  additionalProperties: Type.Union(
    [
      Type.String(),
      Type.Object({ base64: text('^[A-Za-z0-9+/]*={0,2}$', 'base64') }, { ...CLOSED, required: ['base64'] }),
    ],
    { description: 'a text or {"base64": text}' },
  ),
});

const DEVICE_NAMES = Type.Optional(setOf(oneOf(DEVICES), { description: 'a list of devices' }));

const machineMountSchema = Type.Object(
  {
    /** Path the guest sees: `/data`, or `.` or `data` for programs whose C library knows no other. */
    guest: PATH,
    /** Directory on the machine. */
    machine: PATH,
    /** Whether the guest may change what is in it. */
    access: ACCESS,
    /** Devices that may be opened where the directory has them, whatever their name there; default none. */
    devices: DEVICE_NAMES,
  },
  CLOSED,
);

const memoryMountSchema = Type.Object(
  {
    /** As of a machine's. */
    guest: PATH,
    /** Files by path relative to the mount; text is UTF-8. A path that ends in `/` is an empty directory. */
    files: FILES,
    /** Whether the guest may change what is in it, until its call ends. */
    access: ACCESS,
    /** Devices that its root has, by their names; default none. */
    devices: DEVICE_NAMES,
  },
  CLOSED,
);

/** A directory of the machine, resolved by the kernel beneath its root. */
export interface MachineMount extends ReadonlyStatic<typeof machineMountSchema> {}

/** A tree in memory, fresh for each invocation. */
export interface MemoryMount extends ReadonlyStatic<typeof memoryMountSchema> {}

/** A directory that a guest finds open. */
export type Mount = MachineMount | MemoryMount;

const mountSchema = Type.Unsafe<Mount>(
  Type.Union([machineMountSchema, memoryMountSchema], {
    description:
      '{"guest": path, "machine": directory, "access": "read-only"|"read-write"} or {"guest": path, "files": {path: text}, "access": ...}, each with "devices": a list of "null", "zero" and "urandom", or without',
  }),
);

/** Schema of the mounts, in the order the guest finds them. */
export const mountsSchema = Type.Array(mountSchema, { description: 'a list of mounts' });
