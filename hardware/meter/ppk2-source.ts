/**
 * A Power Profiler Kit II on a serial port, in ampere mode: it measures the current of a supply whose voltage the user
 * gives. Its samples are on its own clock, so windows must be marked on one of its inputs. No device was at hand: what was
 * run is the protocol, through serialport against a program on a pseudo terminal.
 */

import type { SerialPort } from 'serialport';
import { HardwareError, detailOf } from '../instrument/errors.ts';
import type { PowerSource, Reading, SourceProperties } from './power-source.ts';
import { PPK2_COMMANDS, PPK2_RATE, Ppk2Decoder, parsePpk2Calibration, type Ppk2Calibration } from './ppk2-samples.ts';

/** The part of a serial port that is used here. */
export interface Ppk2Port {
  readonly isOpen: boolean;
  on(event: 'data' | 'close', listener: (piece: Buffer) => void): unknown;
  off(event: 'data' | 'close', listener: (piece: Buffer) => void): unknown;
  write(bytes: number[]): unknown;
  close(done: () => void): unknown;
}

const AMPERE_MODE = 1;

function calibrationOf(port: Ppk2Port): Promise<Ppk2Calibration> {
  return new Promise((resolve, reject) => {
    let text = '';
    const end = (): void => {
      clearTimeout(timer);
      port.off('data', take);
      try {
        resolve(parsePpk2Calibration(text));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const take = (piece: Buffer): void => {
      text += piece.toString('latin1');
      if (text.includes('END')) end();
    };
    const timer = setTimeout(end, 2000);
    port.on('data', take);
    port.write([PPK2_COMMANDS.getMetadata]);
  });
}

class Ppk2Source implements PowerSource {
  readonly properties: SourceProperties = {
    name: 'PPK2',
    rule: 'instant',
    clock: 'own',
    refreshS: 1 / PPK2_RATE,
    resolution: undefined,
    estimate: false,
    synthetic: false,
    inputs: 8,
  };
  readonly #port: Ppk2Port;
  readonly #decoder: Ppk2Decoder;
  readonly #vddV: number;

  constructor(port: Ppk2Port, calibration: Ppk2Calibration, vddV: number) {
    this.#port = port;
    this.#vddV = vddV;
    this.#decoder = new Ppk2Decoder(calibration, vddV);
  }

  async *readings(signal: AbortSignal): AsyncGenerator<Reading> {
    const waiting: { pieces: Buffer[]; closed: boolean; wake?: () => void } = { pieces: [], closed: false };
    const take = (piece: Buffer): void => {
      waiting.pieces.push(piece);
      waiting.wake?.();
    };
    const stop = (): void => {
      waiting.closed = true;
      waiting.wake?.();
    };
    this.#port.on('data', take);
    this.#port.on('close', stop);
    signal.addEventListener('abort', stop);
    this.#port.write([PPK2_COMMANDS.averageStart]);
    try {
      while (!waiting.closed) {
        for (const piece of waiting.pieces.splice(0)) yield* this.#readingsOf(piece);
        if (waiting.pieces.length > 0 || waiting.closed) continue;
        await new Promise<void>((resolve) => {
          waiting.wake = resolve;
        });
      }
      if (!signal.aborted) yield { kind: 'disconnected', detail: 'the port closed' };
    } finally {
      this.#port.off('data', take);
      this.#port.off('close', stop);
      signal.removeEventListener('abort', stop);
      if (this.#port.isOpen) this.#port.write([PPK2_COMMANDS.averageStop]);
    }
  }

  *#readingsOf(piece: Buffer): Generator<Reading> {
    for (const sample of this.#decoder.add(piece)) {
      if (sample.kind === 'sample') {
        const { index, currentA, inputs } = sample;
        yield { kind: 'value', timeS: index / PPK2_RATE, value: currentA * this.#vddV, inputs };
      } else if (sample.kind === 'lost') yield { kind: 'lost', detail: `at least ${sample.missing} samples` };
      else yield { kind: 'malformed', detail: 'a sample of a range that does not exist' };
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#port.isOpen) this.#port.close(() => resolve());
      else resolve();
    });
  }
}

/**
 * Reads the calibration of an open port and sets ampere mode.
 * @throws HardwareError SOURCE_PAYLOAD when no calibration comes within two seconds
 */
export async function ppk2SourceOn(port: Ppk2Port, vddV: number): Promise<PowerSource> {
  const calibration = await calibrationOf(port);
  port.write([PPK2_COMMANDS.setPowerMode, AMPERE_MODE]);
  // The switch that lets current through to what is measured.
  port.write([PPK2_COMMANDS.deviceRunningSet, 1]);
  return new Ppk2Source(port, calibration, vddV);
}

/**
 * Opens a device.
 * @param path serial port, as /dev/ttyACM0
 * @throws HardwareError ARGUMENT, PACKAGE_MISSING, SOURCE_UNREACHABLE, SOURCE_PAYLOAD
 */
export async function openPpk2(path: string, vddV: number): Promise<PowerSource> {
  if (!(vddV > 0)) throw new HardwareError('ARGUMENT', { what: 'vddV', expected: 'a voltage above 0', got: vddV });
  let Port: typeof SerialPort;
  try {
    ({ SerialPort: Port } = await import('serialport'));
  } catch (error) {
    throw new HardwareError('PACKAGE_MISSING', { package: 'serialport', detail: detailOf(error) }, { cause: error });
  }
  const port = new Port({ path, baudRate: 115_200, autoOpen: false });
  try {
    await new Promise<void>((resolve, reject) => port.open((error) => (error === null ? resolve() : reject(error))));
  } catch (error) {
    throw new HardwareError(
      'SOURCE_UNREACHABLE',
      { source: 'PPK2', address: path, detail: detailOf(error) },
      { cause: error },
    );
  }
  try {
    return await ppk2SourceOn(port, vddV);
  } catch (error) {
    await new Promise<void>((resolve) => port.close(() => resolve()));
    throw error;
  }
}
