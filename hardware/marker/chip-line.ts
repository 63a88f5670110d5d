/** A GPIO output through /dev/gpiochipN: for kernels without /sys/class/gpio, and without a native build. */

import { accessSync, closeSync, constants, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { HardwareError, detailOf, systemCodeOf } from '../instrument/errors.ts';
import { lineWriter, loadIoctl, readChip, requestOutput, type Ioctl } from './character-device.ts';
import { HEADER_CHIPS } from './gpio-number.ts';
import type { MarkerLine } from './line.ts';

/** Folder of the chips' files. */
export const CHIP_ROOT = '/dev';

/** Where the chips are, for tests. */
export interface ChipLineOptions {
  /** The chip's file; default: the chip of the board's header, by its label. */
  readonly chip?: string;
  readonly root?: string;
}

class ChipLine implements MarkerLine {
  readonly label: string;
  readonly synthetic: boolean = false;
  readonly #fd: number;
  readonly #write: (level: 0 | 1) => number;

  constructor(ioctl: Ioctl, fd: number, label: string) {
    this.#fd = fd;
    this.#write = lineWriter(ioctl, fd);
    this.label = label;
  }

  write(level: 0 | 1): void {
    const status = this.#write(level);
    if (status < 0) throw new Error(`${getSystemErrorName(status)}: cannot set ${this.label} to ${level}`);
  }

  close(): void {
    try {
      this.write(0);
    } finally {
      closeSync(this.#fd);
    }
  }
}

interface OpenChip {
  readonly path: string;
  readonly fd: number;
  readonly label: string;
  readonly lines: number;
}

function openFile(pin: number, path: string): number {
  try {
    return openSync(path, 'r+');
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'EACCES' || code === 'EPERM') {
      throw new HardwareError('NO_PERMISSION', { pin, path, uid: process.getuid?.() ?? -1 }, { cause: error });
    }
    throw new HardwareError('NO_PINS', { pin, path }, { cause: error });
  }
}

/** The chip that has the pin; every other one that was opened is closed again. */
function findChip(ioctl: Ioctl, pin: number, paths: readonly string[], isNamed: boolean): OpenChip {
  const seen: string[] = [];
  for (const path of paths) {
    const fd = openFile(pin, path);
    const chip = readChip(ioctl, fd);
    if (chip !== undefined && pin < chip.lines && (isNamed || HEADER_CHIPS.includes(chip.label))) {
      return { path, fd, ...chip };
    }
    closeSync(fd);
    seen.push(chip === undefined ? `${path} (no chip)` : `${chip.label} (${chip.lines} lines)`);
  }
  throw new HardwareError('PIN_UNKNOWN', { pin, chips: seen.join(', ') });
}

/** Files of the chips. @throws HardwareError NO_PINS */
function chipsIn(pin: number, root: string): string[] {
  let entries: string[] = [];
  try {
    entries = readdirSync(root).filter((entry) => /^gpiochip\d+$/.test(entry));
  } catch (error) {
    throw new HardwareError('NO_PINS', { pin, path: root, detail: detailOf(error) }, { cause: error });
  }
  if (entries.length === 0) throw new HardwareError('NO_PINS', { pin, path: join(root, 'gpiochip*') });
  return entries.sort().map((entry) => join(root, entry));
}

/** The chips that this user may open. @throws HardwareError NO_PINS, NO_PERMISSION when there are some and none may be */
export function openableChips(pin: number, root: string): string[] {
  const paths = chipsIn(pin, root);
  const openable = paths.filter((path) => {
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (openable.length > 0) return openable;
  throw new HardwareError('NO_PERMISSION', { pin, path: paths.join(', '), uid: process.getuid?.() ?? -1 });
}

/**
 * Takes a pin of the board's header as an output, at first low. Works in any thread.
 * @param pin BCM number; with a chip named, its line
 * @throws HardwareError ARGUMENT, NO_PINS, NO_PERMISSION, PIN_UNKNOWN, PACKAGE_MISSING, PIN_REFUSED
 */
export async function openChipLine(pin: number, options: ChipLineOptions = {}): Promise<MarkerLine> {
  if (!Number.isInteger(pin) || pin < 0) {
    throw new HardwareError('ARGUMENT', { what: 'pin', expected: 'a BCM number', got: pin });
  }
  const { chip, root = CHIP_ROOT } = options;
  const paths = chip === undefined ? chipsIn(pin, root) : [chip];
  const ioctl = await loadIoctl();
  const found = findChip(ioctl, pin, paths, chip !== undefined);
  const fd = requestOutput(ioctl, found.fd, pin);
  closeSync(found.fd);
  if (fd < 0) throw new HardwareError('PIN_REFUSED', { pin, line: pin, detail: getSystemErrorName(fd) });
  return new ChipLine(ioctl, fd, `GPIO${pin} (${found.path} ${found.label}, line ${pin})`);
}
