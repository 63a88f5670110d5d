/**
 * A GPIO output through onoff, loaded when first used. On the main thread only: the native addon of onoff (epoll) keeps
 * its state in statics. Writes are synchronous: onoff's asynchronous write takes ten times as long on a Pi 4.
 */

import { isMainThread } from 'node:worker_threads';
import type { Gpio } from 'onoff';
import { HardwareError, detailOf, systemCodeOf } from '../instrument/errors.ts';
import { GPIO_ROOT, globalLineOf } from './gpio-number.ts';
import type { MarkerLine } from './line.ts';

type GpioConstructor = typeof Gpio;

async function loadGpio(): Promise<GpioConstructor> {
  try {
    const { Gpio } = await import('onoff');
    return Gpio;
  } catch (error) {
    const fields = { package: 'onoff', detail: detailOf(error) };
    throw new HardwareError('PACKAGE_MISSING', fields, { cause: error });
  }
}

class GpioLine implements MarkerLine {
  readonly label: string;
  readonly synthetic: boolean = false;
  readonly #gpio: Gpio;

  constructor(gpio: Gpio, label: string) {
    this.#gpio = gpio;
    this.label = label;
  }

  write(level: 0 | 1): void {
    this.#gpio.writeSync(level);
  }

  close(): void {
    this.#gpio.writeSync(0);
    this.#gpio.unexport();
  }
}

function refused(pin: number, line: number, error: unknown): HardwareError {
  const code = systemCodeOf(error);
  const options = { cause: error };
  if (code === 'EACCES' || code === 'EPERM') {
    const path = (error as { path?: string }).path ?? GPIO_ROOT;
    return new HardwareError('NO_PERMISSION', { pin, path, uid: process.getuid?.() ?? -1 }, options);
  }
  return new HardwareError('PIN_REFUSED', { pin, line, detail: detailOf(error) }, options);
}

/**
 * Takes a pin of the board's header as an output, at first low. Exporting a pin may block the event loop for some
 * 200 ms (onoff waits for udev), so open it before anything is measured.
 * @param pin BCM number, not the place on the header; with a chip named, its line
 * @param chip label of the chip, on a board whose header Nebula does not know
 * @throws HardwareError MAIN_THREAD, NO_PINS, NO_PERMISSION, LEGACY_SYSFS, PIN_UNKNOWN, PACKAGE_MISSING, PIN_REFUSED
 */
export async function openGpioLine(pin: number, chip?: string): Promise<MarkerLine> {
  if (!isMainThread) throw new HardwareError('MAIN_THREAD');
  const line = globalLineOf(pin, GPIO_ROOT, chip);
  const Gpio = await loadGpio();
  let gpio: Gpio;
  try {
    gpio = new Gpio(line, 'out');
    gpio.writeSync(0);
  } catch (error) {
    throw refused(pin, line, error);
  }
  // onoff passes over every error while it configures a pin that was exported before.
  const direction = gpio.direction();
  if (direction !== 'out') {
    throw new HardwareError('PIN_REFUSED', { pin, line, detail: `its direction stays ${direction}` });
  }
  return new GpioLine(gpio, `GPIO${pin} (line ${line})`);
}
