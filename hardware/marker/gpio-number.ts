/**
 * From a BCM number to the global line number that /sys/class/gpio wants. The base of a chip is dynamic since Linux 6.6
 * (GPIO17 is 529 on a Pi 4 and differs between kernels on a Pi 5), so it is read from the chips, never assumed.
 */

import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HardwareError, detailOf, systemCodeOf } from '../instrument/errors.ts';

/** Where the kernel shows GPIO lines; onoff knows no other place. */
export const GPIO_ROOT = '/sys/class/gpio';

/** Labels of the chips whose line n is BCM n: Pi 5, Pi 4, older ones. */
export const HEADER_CHIPS: readonly string[] = ['pinctrl-rp1', 'pinctrl-bcm2711', 'pinctrl-bcm2835'];

interface Chip {
  readonly label: string;
  readonly base: number;
  readonly lines: number;
}

function readField(path: string): string {
  return readFileSync(path, 'utf8').trim();
}

function chipsIn(root: string): Chip[] {
  return readdirSync(root)
    .filter((entry) => entry.startsWith('gpiochip'))
    .map((entry) => ({
      label: readField(join(root, entry, 'label')),
      base: Number(readField(join(root, entry, 'base'))),
      lines: Number(readField(join(root, entry, 'ngpio'))),
    }));
}

/**
 * Sees whether lines can be exported by global number.
 * @throws HardwareError NO_PINS, LEGACY_SYSFS (Linux 6.17 without CONFIG_GPIO_SYSFS_LEGACY), NO_PERMISSION
 */
export function requireGpio(pin: number, root: string = GPIO_ROOT): void {
  const path = join(root, 'export');
  if (!existsSync(root)) throw new HardwareError('NO_PINS', { pin, path: root });
  if (!existsSync(path)) {
    const byChip = readdirSync(root).find(
      (entry) => entry.startsWith('chip') && existsSync(join(root, entry, 'export')),
    );
    if (byChip !== undefined) throw new HardwareError('LEGACY_SYSFS', { pin, path: join(root, byChip) });
    throw new HardwareError('NO_PINS', { pin, path });
  }
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    if (systemCodeOf(error) !== 'EACCES') throw new HardwareError('NO_PINS', { pin, path }, { cause: error });
    throw new HardwareError('NO_PERMISSION', { pin, path, uid: process.getuid?.() ?? -1 }, { cause: error });
  }
}

/**
 * The global number of a pin of the board's header, or of a line of another chip.
 * @param pin BCM number; with a chip named, its line
 * @param label of the chip, on a board whose header this does not know
 * @throws HardwareError as `requireGpio`, and PIN_UNKNOWN when no header chip has the pin
 */
export function globalLineOf(pin: number, root: string = GPIO_ROOT, label?: string): number {
  if (!Number.isInteger(pin) || pin < 0) {
    throw new HardwareError('ARGUMENT', { what: 'pin', expected: 'a BCM number', got: pin });
  }
  requireGpio(pin, root);
  let chips: Chip[];
  try {
    chips = chipsIn(root);
  } catch (error) {
    throw new HardwareError('PIN_UNKNOWN', { pin, chips: detailOf(error) }, { cause: error });
  }
  const wanted = label === undefined ? HEADER_CHIPS : [label];
  const chip = chips.find((each) => wanted.includes(each.label) && pin < each.lines);
  if (chip === undefined) {
    const shown = chips.map(({ label, lines }) => `${label} (${lines} lines)`).join(', ');
    throw new HardwareError('PIN_UNKNOWN', { pin, chips: shown === '' ? 'none' : shown });
  }
  return chip.base + pin;
}
