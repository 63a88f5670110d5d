import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { openGpioLine } from '../../../hardware/marker/gpio-line.ts';
import { GPIO_ROOT, globalLineOf, requireGpio } from '../../../hardware/marker/gpio-number.ts';
import { requirePart } from '../../require.ts';

const GPIO_LINE = join(import.meta.dirname, '../../../hardware/marker/gpio-line.js');

function tree(context: TestContext, chips: readonly (readonly [base: number, label: string, lines: number])[]): string {
  const root = mkdtempSync(join(tmpdir(), 'nebula-gpio-'));
  context.after(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, 'export'), '');
  for (const [base, label, lines] of chips) {
    const chip = join(root, `gpiochip${base}`);
    mkdirSync(chip);
    writeFileSync(join(chip, 'label'), `${label}\n`);
    writeFileSync(join(chip, 'base'), `${base}\n`);
    writeFileSync(join(chip, 'ngpio'), `${lines}\n`);
  }
  return root;
}

test('globalLineOf() adds the base that the header chip has on this kernel', (context) => {
  const others = [512, 'brcmvirt-gpio', 8] as const;
  assert.equal(globalLineOf(17, tree(context, [others, [571, 'pinctrl-rp1', 54]])), 588);
  assert.equal(globalLineOf(17, tree(context, [[512, 'pinctrl-bcm2711', 58]])), 529);
  assert.equal(globalLineOf(17, tree(context, [[0, 'pinctrl-bcm2835', 54]])), 17);
});

test('globalLineOf() takes a chip by its label on a board whose header it does not know', (context) => {
  const root = tree(context, [
    [512, 'pinctrl-rp1', 54],
    [566, '9030000.pl061', 8],
  ]);
  assert.equal(globalLineOf(2, root, '9030000.pl061'), 568);
  assert.throws(() => globalLineOf(8, root, '9030000.pl061'), { key: 'PIN_UNKNOWN', message: /pl061 \(8 lines\)/ });
  assert.throws(() => globalLineOf(2, root, 'pl061'), { key: 'PIN_UNKNOWN' });
});

test('globalLineOf() names the chips when none has the pin', (context) => {
  const root = tree(context, [[512, 'pinctrl-rp1', 54]]);
  assert.throws(() => globalLineOf(54, root), /GPIO54: expected a BCM number .*pinctrl-rp1 \(54 lines\)/);
  assert.throws(() => globalLineOf(2, tree(context, [])), /: none/);
  assert.throws(() => globalLineOf(-1, root), { key: 'ARGUMENT' });
  assert.throws(() => globalLineOf(1.5, root), { key: 'ARGUMENT' });
  writeFileSync(join(root, 'gpiochip512', 'label'), 'unknown');
  assert.throws(() => globalLineOf(17, root), { key: 'PIN_UNKNOWN' });
});

test('requireGpio() tells no pins from a kernel without global numbers', (context) => {
  const root = tree(context, []);
  assert.throws(() => requireGpio(17, join(root, 'none')), { key: 'NO_PINS', remedy: /CONFIG_GPIO_SYSFS/ });
  rmSync(join(root, 'export'));
  assert.throws(() => requireGpio(17, root), { key: 'NO_PINS' });
  mkdirSync(join(root, 'chip0'));
  writeFileSync(join(root, 'chip0', 'export'), '');
  assert.throws(() => requireGpio(17, root), { key: 'LEGACY_SYSFS', remedy: /CONFIG_GPIO_SYSFS_LEGACY/ });
});

const root = process.getuid?.() === 0;

test('requireGpio() names the user who may not export', { skip: requirePart('root', root, 'not root') }, (context) => {
  const gpio = tree(context, []);
  chmodSync(gpio, 0o755);
  chmodSync(join(gpio, 'export'), 0o200);
  // The user may not enter the folders of the build.
  for (const part of ['hardware', 'statistics'])
    cpSync(join(import.meta.dirname, '../../..', part), join(gpio, part), { recursive: true });
  writeFileSync(join(gpio, 'package.json'), '{"type":"module"}');
  const code = `import('${join(gpio, 'hardware/marker/gpio-number.js')}').then((module) => module.requireGpio(17, '${gpio}'))
    .catch((error) => process.stdout.write(error.key + ' ' + error.message))`;
  const run = spawnSync(process.execPath, ['-e', code], { uid: 65_534, gid: 65_534, cwd: gpio });
  assert.match(String(run.stdout), /^NO_PERMISSION .*by user id 65534.*usermod -aG gpio/, String(run.stderr));
});

test('openGpioLine() says what to do on a machine without pins', { skip: existsSync(GPIO_ROOT) }, async () => {
  await assert.rejects(openGpioLine(17), { key: 'NO_PINS', code: 'ERR_NEBULA_HARDWARE_NO_PINS' });
});

test('openGpioLine() refuses a worker thread', async () => {
  const code = `const { parentPort } = require('node:worker_threads');
    import('${GPIO_LINE}').then((module) => module.openGpioLine(17)).catch((error) => parentPort.postMessage(error.code));`;
  const worker = new Worker(code, { eval: true });
  const code_ = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  assert.equal(code_, 'ERR_NEBULA_HARDWARE_MAIN_THREAD');
  await worker.terminate();
});
