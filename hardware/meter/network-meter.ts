/** GUDE meters that are asked over the network: HTTP, Modbus TCP and SNMP, the latter two through optional packages. */

import { HardwareError, detailOf } from '../instrument/errors.ts';
import { openAsked, type AskedProperties } from './asked-source.ts';
import { GUDE_REFRESH_S, gudeNumber, gudeOid, gudeRegister, parseGudeStatus } from './gude-registers.ts';
import { askHttp } from './http-answer.ts';
import type { PowerSource } from './power-source.ts';

/** A meter that is asked over the network. */
export interface NetworkMeterOptions {
  readonly host: string;
  readonly port?: number;
  /** Phase or line, from 0. */
  readonly line?: number;
  /** Time between readings, in seconds; below the meter's refresh of 1 s values repeat. */
  readonly intervalS?: number;
  /** SNMP: read community; default `public`. */
  readonly community?: string;
  /** SNMP: default 1105. */
  readonly model?: string;
  /** Modbus: which function reads the values; by the manuals `input` (0x04), which is the default. */
  readonly registers?: 'input' | 'holding';
}

/** Its chip means over some of its own readings, and its firmware reads that once a second. */
const GUDE: AskedProperties = { refreshS: GUDE_REFRESH_S, lagS: GUDE_REFRESH_S, resolution: 1 };

async function load<T>(name: string, importing: () => Promise<T>): Promise<T> {
  try {
    return await importing();
  } catch (error) {
    throw new HardwareError('PACKAGE_MISSING', { package: name, detail: detailOf(error) }, { cause: error });
  }
}

/** @throws HardwareError SOURCE_UNREACHABLE, SOURCE_PAYLOAD */
export function openGudeHttp(options: NetworkMeterOptions): Promise<PowerSource> {
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const address = `http://${host}:${options.port ?? 80}/status.json?components=0x4000`;
  return openAsked(
    {
      name: 'GUDE HTTP',
      address,
      async read() {
        const { status, text } = await askHttp('GUDE HTTP', address);
        if (status !== 200) throw new Error(`status ${status}`);
        return parseGudeStatus(text, options.line);
      },
      close: () => Promise.resolve(),
    },
    GUDE,
    options.intervalS,
  );
}

/** @throws HardwareError PACKAGE_MISSING, SOURCE_UNREACHABLE, SOURCE_PAYLOAD */
export async function openGudeModbus(options: NetworkMeterOptions): Promise<PowerSource> {
  const port = options.port ?? 502;
  const address = `${options.host}:${port}`;
  const { default: ModbusRTU } = await load('modbus-serial', () => import('modbus-serial'));
  const client = new ModbusRTU.default();
  client.setTimeout(3000);
  client.setID(1);
  // A client that is not connected never calls back.
  const close = (): Promise<void> =>
    client.isOpen ? new Promise((resolve) => client.close(() => resolve())) : Promise.resolve();
  const register = gudeRegister(options.line ?? 0, 'powerW');
  return openAsked(
    {
      name: 'GUDE Modbus',
      address,
      async read() {
        // A connection that was lost is taken up again with the next reading.
        if (!client.isOpen) await client.connectTCP(options.host, { port });
        const holding = options.registers === 'holding';
        const { data } = holding
          ? await client.readHoldingRegisters(register, 2)
          : await client.readInputRegisters(register, 2);
        return gudeNumber(data);
      },
      close,
    },
    GUDE,
    options.intervalS,
  );
}

/** @throws HardwareError ARGUMENT, PACKAGE_MISSING, SOURCE_UNREACHABLE, SOURCE_PAYLOAD */
export async function openGudeSnmp(options: NetworkMeterOptions): Promise<PowerSource> {
  const port = options.port ?? 161;
  const oid = gudeOid(options.model ?? '1105', options.line ?? 0, 'powerW');
  const { default: snmp } = await load('net-snmp', () => import('net-snmp'));
  const session = snmp.createSession(options.host, options.community ?? 'public', {
    port,
    timeout: 1000,
    retries: 1,
    version: snmp.Version2c,
  });
  return openAsked(
    {
      name: 'GUDE SNMP',
      address: `${options.host}:${port}`,
      read: () =>
        new Promise((resolve, reject) => {
          session.get([oid], (error, bindings) => {
            const binding = bindings?.[0];
            if (error !== null) reject(error);
            else if (typeof binding?.value === 'number') resolve(binding.value);
            else
              reject(
                new HardwareError('SOURCE_PAYLOAD', {
                  source: 'GUDE SNMP',
                  expected: `a number at ${oid}`,
                  got: 'none',
                }),
              );
          });
        }),
      close() {
        session.close();
        return Promise.resolve();
      },
    },
    GUDE,
    options.intervalS,
  );
}
