/** GUDE's protocols against responders of kept libraries on loopback: the protocol and our addresses, no GUDE device. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { ServerTCP } from 'modbus-serial';
import snmp from 'net-snmp';
import { gudeNumber, gudeOid, gudeRegister, parseGudeStatus } from '../../../hardware/meter/gude-registers.ts';
import { openGudeHttp, openGudeModbus, openGudeSnmp } from '../../../hardware/meter/network-meter.ts';
import { recordSource } from '../../../hardware/meter/power-source.ts';

const STATUS = JSON.stringify({
  sensor_descr: [
    {
      type: 1,
      fields: [
        { name: 'Voltage', unit: 'V', decPrecision: 0 },
        { name: 'Current', unit: 'A', decPrecision: 3 },
        { name: 'Reactive Power', unit: 'VAR', decPrecision: 0 },
        { name: 'Active Power', unit: 'W', decPrecision: 0 },
      ],
    },
  ],
  sensor_values: [{ values: [[{ v: 230 }, { v: 0.03 }, { v: 1 }, { v: 6 }]] }],
});

test('parseGudeStatus() finds active power by name and unit, wherever it stands', () => {
  assert.equal(parseGudeStatus(STATUS), 6);
  assert.throws(() => parseGudeStatus(STATUS, 1), { key: 'SOURCE_PAYLOAD' });
  const fields = [{ name: 'Active Power', unit: 'W' }];
  const two = JSON.stringify({ sensor_descr: [{ fields }], sensor_values: [{ values: [[{ v: 6 }], [{ v: 7 }]] }] });
  assert.equal(parseGudeStatus(two, 1), 7);
  assert.throws(() => parseGudeStatus(two), { key: 'SOURCE_PAYLOAD', message: /line=0 \.\. 1/ });
  for (const text of ['', '{}', 'null', '{"sensor_descr":[{}],"sensor_values":[{}]}', STATUS.replace('"W"', '"VA"')]) {
    assert.throws(() => parseGudeStatus(text), { key: 'SOURCE_PAYLOAD' }, text);
  }
});

test('gudeRegister(), gudeNumber() and gudeOid() agree with the documents', () => {
  assert.deepEqual(
    [gudeRegister(0, 'powerW'), gudeRegister(0, 'currentMa'), gudeRegister(1, 'energyWh')],
    [0x402, 0x406, 0x520],
  );
  assert.equal(gudeRegister(0, 'powerFactorMilli'), 0x40a);
  assert.deepEqual([gudeNumber([0, 25]), gudeNumber([1, 0]), gudeNumber([0xffff, 0xfffe])], [25, 65_536, -2]);
  assert.throws(() => gudeNumber([1]), { key: 'SOURCE_PAYLOAD' });
  assert.throws(() => gudeNumber([1, 70_000]), { key: 'SOURCE_PAYLOAD' });
  assert.equal(gudeOid('1105', 0, 'powerW'), '1.3.6.1.4.1.28507.69.1.5.1.2.1.4.1');
  assert.throws(() => gudeOid('1', 0, 'powerW'), { key: 'ARGUMENT' });
});

test('openGudeHttp() polls, and an answer that fails is lost', async (context) => {
  let call = 0;
  const server = createServer((_, response) => {
    response.statusCode = ++call === 3 ? 500 : 200;
    response.end(STATUS);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const source = await openGudeHttp({ host: '127.0.0.1', port, intervalS: 0.02 });
  const { trace, counts, firstLoss } = await recordSource(source, AbortSignal.timeout(1500));
  assert.deepEqual(new Set(trace.value), new Set([6]));
  assert.equal(counts.lost, 1);
  assert.equal(firstLoss, 'status 500');
  assert.equal(trace.refreshS, 1);
  await source.close();
});

test('openGudeModbus() reads the power registers of a real Modbus TCP responder', async (context) => {
  const asked: number[] = [];
  const vector = {
    getInputRegister: (address: number): number => {
      asked.push(address);
      return address === 0x403 ? 7 : 0;
    },
    getHoldingRegister: (address: number): number => (address === 0x403 ? 9 : 0),
  };
  const server = new ServerTCP(vector, { host: '127.0.0.1', port: 0, unitID: 1 });
  await new Promise<void>((resolve) => server.on('initialized', () => resolve()));
  context.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = (server as unknown as { _server: { address(): AddressInfo } })._server.address();
  const source = await openGudeModbus({ host: '127.0.0.1', port, intervalS: 0.02 });
  const { trace } = await recordSource(source, AbortSignal.timeout(1500));
  assert.deepEqual(new Set(trace.value), new Set([7]));
  assert.deepEqual(new Set(asked), new Set([0x402, 0x403]));
  await source.close();
  const holding = await openGudeModbus({ host: '127.0.0.1', port, intervalS: 0.02, registers: 'holding' });
  assert.equal((await recordSource(holding, AbortSignal.timeout(1500))).trace.value[0], 9);
  await holding.close();
});

function away(server: ServerTCP): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

test('openGudeModbus() loses what is asked while its responder is away, and goes on when it is back', async (context) => {
  const vector = { getInputRegister: (address: number): number => (address === 0x403 ? 7 : 0) };
  const respond = async (at: number): Promise<ServerTCP> => {
    const server = new ServerTCP(vector, { host: '127.0.0.1', port: at, unitID: 1 });
    await new Promise<void>((resolve) => server.on('initialized', () => resolve()));
    return server;
  };
  const first = await respond(0);
  const { port } = (first as unknown as { _server: { address(): AddressInfo } })._server.address();
  const source = await openGudeModbus({ host: '127.0.0.1', port, intervalS: 0.02 });
  const kinds: string[] = [];
  const signal = AbortSignal.timeout(20_000);
  let second: ServerTCP | undefined;
  for await (const reading of source.readings(signal)) {
    if (reading.kind !== kinds.at(-1)) kinds.push(reading.kind);
    if (kinds.length === 1 && reading.kind === 'value') await away(first);
    else if (reading.kind === 'lost') second ??= await respond(port);
    if (kinds.length === 3) break;
  }
  await source.close();
  assert.deepEqual(kinds, ['value', 'lost', 'value']);
  context.after(() => away(second as ServerTCP));
});

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

test('openGudeSnmp() reads the power column of a real SNMP agent', async (context) => {
  const port = await freeUdpPort();
  const agent = snmp.createAgent({ port, address: '127.0.0.1', disableAuthorization: true }, () => undefined);
  context.after(() => agent.close());
  agent.registerProvider({
    name: 'power',
    type: snmp.MibProviderType.Table,
    oid: '1.3.6.1.4.1.28507.69.1.5.1.2.1',
    maxAccess: snmp.MaxAccess['not-accessible'],
    tableColumns: [
      { number: 1, name: 'index', type: snmp.ObjectType.Integer, maxAccess: snmp.MaxAccess['not-accessible'] },
      { number: 4, name: 'power', type: snmp.ObjectType.Integer, maxAccess: snmp.MaxAccess['read-only'] },
    ],
    tableIndex: [{ columnName: 'index' }],
  });
  agent.getMib().addTableRow('power', [1, 11]);
  const source = await openGudeSnmp({ host: '127.0.0.1', port, intervalS: 0.02 });
  const { trace } = await recordSource(source, AbortSignal.timeout(1500));
  assert.deepEqual(new Set(trace.value), new Set([11]));
  await source.close();
});

test('openGudeHttp(), openGudeModbus() and openGudeSnmp() say what they cannot reach', async () => {
  const port = await freeUdpPort();
  for (const open of [openGudeHttp, openGudeModbus, openGudeSnmp]) {
    await assert.rejects(open({ host: '127.0.0.1', port }), { key: 'SOURCE_UNREACHABLE' });
  }
});
