/** GUDE meters that are asked over the network: HTTP, Modbus TCP and SNMP, the latter two through optional packages. */

import { HardwareError, detailOf } from '../instrument/errors.ts';
import { GUDE_REFRESH_S, gudeNumber, gudeOid, gudeRegister, parseGudeStatus } from './gude-registers.ts';
import { pollReadings, type PowerSource, type Reading, type SourceProperties } from './power-source.ts';

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
  /** Modbus: which function reads the values; the sources read do not say it. Default `input`. */
  readonly registers?: 'input' | 'holding';
}

/** A way to ask for power now, and to let go. */
interface Asker {
  readonly name: string;
  readonly address: string;
  read(): Promise<number>;
  close(): Promise<void>;
}

class AskedSource implements PowerSource {
  readonly properties: SourceProperties;
  readonly #asker: Asker;
  readonly #intervalS: number;

  constructor(asker: Asker, intervalS: number) {
    this.#asker = asker;
    this.#intervalS = intervalS;
    const shared = { rule: 'average', clock: 'ours', estimate: false, synthetic: false } as const;
    this.properties = { name: `${asker.name} ${asker.address}`, refreshS: GUDE_REFRESH_S, resolution: 1, ...shared };
  }

  readings(signal: AbortSignal): AsyncIterable<Reading> {
    return pollReadings(() => this.#asker.read(), this.#intervalS, signal);
  }

  close(): Promise<void> {
    return this.#asker.close();
  }
}

/** Asks once, so that a wrong address or model shows when the source is opened. */
async function openAsked(asker: Asker, intervalS = GUDE_REFRESH_S): Promise<PowerSource> {
  try {
    await asker.read();
  } catch (error) {
    await asker.close();
    if (error instanceof HardwareError) throw error;
    const fields = { source: asker.name, address: asker.address, detail: detailOf(error) };
    throw new HardwareError('SOURCE_UNREACHABLE', fields, { cause: error });
  }
  return new AskedSource(asker, intervalS);
}

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
        const response = await fetch(address, { signal: AbortSignal.timeout(3000) });
        const text = await response.text();
        if (!response.ok) throw new Error(`status ${response.status}`);
        return parseGudeStatus(text, options.line);
      },
      close: () => Promise.resolve(),
    },
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
    options.intervalS,
  );
}
