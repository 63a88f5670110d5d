/**
 * The kernel's own interface to GPIO lines, /dev/gpiochipN (v2, since Linux 5.10): the one below libgpiod and its tools,
 * reached through koffi. Only the three calls that an output needs.
 * Source: include/uapi/linux/gpio.h, docs.kernel.org/userspace-api/gpio/chardev.
 */

import { HardwareError, detailOf } from '../instrument/errors.ts';

/** What is taken of a line, so that gpioinfo shows whose it is. */
const CONSUMER = 'nebula-marker';

const GET_CHIP_INFO = 0x8044_b401;
const GET_LINE = 0xc250_b407;
const SET_VALUES = 0xc010_b40f;
const FLAG_OUTPUT = 8n;

/** Sizes and places of the structures' fields, in bytes. */
const CHIP_INFO = { size: 68, label: 32, lines: 64, nameBytes: 32 } as const;
const LINE_REQUEST = { size: 592, offsets: 0, consumer: 256, flags: 288, lines: 560, fd: 588 } as const;
const LINE_VALUES = { size: 16, bits: 0, mask: 8 } as const;

/** ioctl(2): 0, or the negated number of the error. */
export type Ioctl = (fd: number, request: number, argument: Uint8Array) => number;

/** @throws HardwareError PACKAGE_MISSING */
export async function loadIoctl(): Promise<Ioctl> {
  try {
    const { default: koffi } = await import('koffi');
    const ioctl = koffi.load(null).func('int ioctl(int fd, unsigned long request, void *argument)') as Ioctl;
    return (fd, request, argument) => (ioctl(fd, request, argument) < 0 ? -koffi.errno() : 0);
  } catch (error) {
    throw new HardwareError('PACKAGE_MISSING', { package: 'koffi', detail: detailOf(error) }, { cause: error });
  }
}

/** A chip's label and its number of lines; undefined where the file is no chip. */
export function readChip(ioctl: Ioctl, fd: number): { readonly label: string; readonly lines: number } | undefined {
  const info = new Uint8Array(CHIP_INFO.size);
  if (ioctl(fd, GET_CHIP_INFO, info) < 0) return undefined;
  const label = info.subarray(CHIP_INFO.label, CHIP_INFO.label + CHIP_INFO.nameBytes);
  const end = label.indexOf(0);
  return {
    label: Buffer.from(label.subarray(0, end < 0 ? label.length : end)).toString('utf8'),
    lines: new DataView(info.buffer).getUint32(CHIP_INFO.lines, true),
  };
}

/** Takes a line of a chip as an output that is low; gives its descriptor, or the negated number of the error. */
export function requestOutput(ioctl: Ioctl, chipFd: number, offset: number): number {
  const request = new Uint8Array(LINE_REQUEST.size);
  const view = new DataView(request.buffer);
  view.setUint32(LINE_REQUEST.offsets, offset, true);
  request.set(Buffer.from(CONSUMER), LINE_REQUEST.consumer);
  // Without a value of its own an output starts low.
  view.setBigUint64(LINE_REQUEST.flags, FLAG_OUTPUT, true);
  view.setUint32(LINE_REQUEST.lines, 1, true);
  const status = ioctl(chipFd, GET_LINE, request);
  return status < 0 ? status : view.getInt32(LINE_REQUEST.fd, true);
}

/** A function that moves a line; it allocates nothing. Gives 0 or the negated number of the error. */
export function lineWriter(ioctl: Ioctl, lineFd: number): (level: 0 | 1) => number {
  const [low, high] = [0n, 1n].map((bits) => {
    const values = new Uint8Array(LINE_VALUES.size);
    const view = new DataView(values.buffer);
    view.setBigUint64(LINE_VALUES.bits, bits, true);
    view.setBigUint64(LINE_VALUES.mask, 1n, true);
    return values;
  }) as [Uint8Array, Uint8Array];
  return (level) => ioctl(lineFd, SET_VALUES, level === 1 ? high : low);
}
