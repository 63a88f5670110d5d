/** Every MQTT format through a real mosquitto on loopback. */

import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import { openMqtt } from '../../../hardware/meter/mqtt-source.ts';
import { recordSource } from '../../../hardware/meter/power-source.ts';
import { openSource } from '../../../hardware/meter/sources.ts';
import { requirePart } from '../../require.ts';
import { MESSAGES } from './mqtt-messages.ts';

const present = spawnSync('mosquitto', ['-h']).error === undefined;
const skip = requirePart('mosquitto', present, 'mosquitto is not installed');

let port = 0;
let folder = '';
let broker: ChildProcess | undefined;
let publisher: MqttClient | undefined;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}

function startBroker(): ChildProcess {
  return spawn('mosquitto', ['-c', join(folder, 'mosquitto.conf')], { stdio: 'ignore' });
}

async function listening(): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', () => resolve(false));
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
    });
    if (open) return;
    await sleep(50);
  }
  throw new Error('mosquitto does not listen');
}

async function stopped(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

before(async () => {
  if (!present) return;
  port = await freePort();
  folder = mkdtempSync(join(tmpdir(), 'nebula-mqtt-'));
  writeFileSync(
    join(folder, 'mosquitto.conf'),
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`,
  );
  broker = startBroker();
  await listening();
  publisher = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 100 });
});

after(async () => {
  await publisher?.endAsync(true);
  await stopped(broker);
  if (folder !== '') rmSync(folder, { recursive: true });
});

const client = (): MqttClient => {
  assert.ok(publisher !== undefined);
  return publisher;
};

for (const { format, topic, payload, powerW, next } of MESSAGES) {
  test(`openSource(mqtt, ${format}) records what the broker delivers, without retained, repeated, late and broken messages`, {
    skip,
  }, async () => {
    await client().publishAsync(topic, next(99, 0), { qos: 1, retain: true });
    const source = await openSource(`mqtt://127.0.0.1:${port}/${topic}?format=${format}`);
    assert.match(source.properties.name, new RegExp(`^MQTT ${format} ${topic}`));
    const stop = new AbortController();
    const recording = recordSource(source, stop.signal);
    const sent = [payload, next(5, 2), next(5, 2), next(7, 1), '{"broken', next(8, 3)];
    if (format === 'zigbee2mqtt' || format === 'zwave' || format === 'tasmota' || format === 'gude')
      sent.push(next(9, 4));
    for (const text of sent) {
      await client().publishAsync(topic, text, { qos: 1 });
      await sleep(5);
    }
    await sleep(100);
    stop.abort();
    const { trace, counts, stale } = await recording;
    await source.close();
    await client().publishAsync(topic, '', { qos: 1, retain: true });
    assert.equal(stale, 1);
    assert.equal(counts.malformed, 1);
    // A Shelly's status has no time of its own: nothing tells a message that came twice.
    if (format === 'shelly') assert.deepEqual([...trace.value], [powerW, 5, 5, 7, 8]);
    else {
      assert.deepEqual([...trace.value], [powerW, 5, 8, 9]);
      assert.deepEqual([counts.duplicates, counts.reordered], [1, 1]);
    }
    assert.equal(trace.synthetic, false);
  });
}

test('openSource(mqtt, shelly) tells that its reports of changes are no use and what to do, unless it says how often they come', {
  skip,
}, async () => {
  const topic = `mqtt://127.0.0.1:${port}/plug/status/switch:0?format=shelly`;
  const bare = await openSource(topic);
  const { refreshS, lagS, advice, resolution } = bare.properties;
  assert.deepEqual([refreshS, lagS, resolution], [60, 60, 0.1]);
  assert.match(advice ?? '', /5 %.*shelly-http:\/\/HOST.*period=SECONDS/);
  await bare.close();
  const scripted = await openSource(`${topic}&period=1`);
  assert.deepEqual([scripted.properties.refreshS, scripted.properties.advice], [1, undefined]);
  await scripted.close();
  const counter = await openSource(`mqtt://127.0.0.1:${port}?format=tasmota&device=plug&quantity=energy&period=10`);
  assert.deepEqual([counter.properties.rule, counter.properties.resolution], ['counter', 3600]);
  await counter.close();
});

test('openMqtt() subscribes to the component, endpoint or quantity that is named', { skip }, async () => {
  for (const [text, topic, payload, value] of [
    ['format=shelly&device=a&component=em1&channel=1', 'a/status/em1:1', '{"id":1,"act_power":5}', 5],
    ['format=shelly&device=a&component=em&quantity=energy', 'a/status/emdata:0', '{"id":0,"total_act":1}', 3600],
    [
      'format=zwave&device=Power/a&quantity=energy',
      'zwave/Power/a/meter/endpoint_0/value/65537',
      '{"time":1,"value":1}',
      3.6e6,
    ],
  ] as const) {
    const source = await openSource(`mqtt://127.0.0.1:${port}?${text}`);
    const stop = new AbortController();
    const recording = recordSource(source, stop.signal);
    await client().publishAsync(topic, payload, { qos: 1 });
    await sleep(20);
    await client().publishAsync(topic, payload.replace('"time":1', '"time":2'), { qos: 1 });
    await sleep(100);
    stop.abort();
    assert.deepEqual([...(await recording).trace.value], [value, value], text);
    await source.close();
  }
});

test('openMqtt() reads no message that is longer than those of meters are', { skip }, async () => {
  const source = await openMqtt({ url: `mqtt://127.0.0.1:${port}`, format: 'shelly', device: 'long' });
  const stop = new AbortController();
  const recording = recordSource(source, stop.signal);
  const topic = 'long/status/switch:0';
  for (const sizeBytes of [65_536, 65_537, 20]) {
    await client().publishAsync(topic, '{"apower":7}'.padEnd(sizeBytes), { qos: 1 });
  }
  await sleep(100);
  stop.abort();
  const { trace, counts } = await recording;
  await source.close();
  assert.deepEqual([[...trace.value], counts.malformed], [[7, 7], 1]);
});

test('openMqtt() marks a broker that went away as a break and goes on when it is back', { skip }, async () => {
  const [shelly] = MESSAGES;
  assert.ok(shelly !== undefined);
  const source = await openMqtt({ url: `mqtt://127.0.0.1:${port}`, format: 'shelly', device: 'plug' });
  const stop = new AbortController();
  const recording = recordSource(source, stop.signal);
  await client().publishAsync(shelly.topic, shelly.next(1, 0), { qos: 1 });
  await client().publishAsync(shelly.topic, shelly.next(2, 0), { qos: 1 });
  await sleep(100);
  await stopped(broker);
  broker = startBroker();
  await listening();
  await sleep(1500);
  await client().publishAsync(shelly.topic, shelly.next(3, 0), { qos: 1 });
  await client().publishAsync(shelly.topic, shelly.next(4, 0), { qos: 1 });
  await sleep(200);
  stop.abort();
  const { trace, counts, firstLoss, disconnected } = await recording;
  await source.close();
  assert.deepEqual([...trace.value], [1, 2, 3, 4]);
  assert.deepEqual(trace.breaks, [1]);
  assert.ok(counts.lost >= 1);
  assert.ok(disconnected >= 1);
  assert.match(firstLoss ?? '', /broker/);
});

test('openMqtt() takes a sender whose clock fell for good as started anew', { skip }, async () => {
  const gude = MESSAGES.find(({ format }) => format === 'gude');
  assert.ok(gude !== undefined);
  const source = await openMqtt({ url: `mqtt://127.0.0.1:${port}`, format: 'gude', device: 'meter' });
  const stop = new AbortController();
  const recording = recordSource(source, stop.signal);
  for (const [powerW, step] of [
    [1, 0],
    [2, 1],
    [3, -1600],
    [4, -1599],
    [5, -1598],
    [6, -1597],
  ] as const) {
    await client().publishAsync(gude.topic, gude.next(powerW, step), { qos: 1 });
  }
  await sleep(100);
  stop.abort();
  const { trace, counts } = await recording;
  await source.close();
  assert.deepEqual([...trace.value], [1, 2, 5, 6]);
  assert.deepEqual([counts.reordered, counts.lost], [2, 1]);
  assert.deepEqual(trace.breaks, [1]);
});

test('openMqtt() says where no broker is, and which formats there are', async () => {
  const free = await freePort();
  const options = { url: `mqtt://127.0.0.1:${free}`, format: 'shelly', device: 'plug' };
  await assert.rejects(openMqtt(options), { key: 'SOURCE_UNREACHABLE' });
  await assert.rejects(openMqtt({ ...options, format: 'none' }), { key: 'ARGUMENT' });
  await assert.rejects(openMqtt({ url: options.url, format: 'shelly' }), { key: 'ARGUMENT' });
});
