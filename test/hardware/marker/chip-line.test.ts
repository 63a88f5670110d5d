/** The kernel's GPIO interface against its own header: what is asked is checked by a C program and decoded by strace. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openChipLine, openableChips } from '../../../hardware/marker/chip-line.ts';
import { checkMarker } from '../../../hardware/marker/markers.ts';
import { requirePart } from '../../require.ts';

const CHIP_LINE = join(import.meta.dirname, '../../../hardware/marker/chip-line.js');
const SOURCE = join(import.meta.dirname, '../../../../test/hardware/marker/gpio-chip-stand-in.c');
const SESSION = join(import.meta.dirname, 'chip-session.js');

const tools = ['gcc', 'strace'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
const skip = requirePart('gpio-chip', tools.length === 0, `not installed: ${tools.join(', ')}`);

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-chip-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('openableChips() lists the chips that this user may open, and tells none from one that may not be', (context) => {
  const folder = folderOf(context);
  assert.throws(() => openableChips(17, folder), { key: 'NO_PINS' });
  assert.throws(() => openableChips(17, join(folder, 'none')), { key: 'NO_PINS' });
  writeFileSync(join(folder, 'gpiochip0'), '');
  assert.deepEqual(openableChips(17, folder), [join(folder, 'gpiochip0')]);
  const script = `const { openableChips } = await import(${JSON.stringify(CHIP_LINE)});
    try { openableChips(17, ${JSON.stringify(folder)}); } catch (error) { process.stdout.write(error.key); }`;
  chmodSync(folder, 0o755);
  chmodSync(join(folder, 'gpiochip0'), 0o400);
  const root = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const other = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', ...root });
  assert.equal(other.stdout, 'NO_PERMISSION', other.stderr);
});

test('openChipLine() asks the kernel for one output and moves it once per edge, as strace decodes it (a stand-in answers: no chip, no pin, no timing of a pin)', {
  skip,
}, (context) => {
  const folder = folderOf(context);
  const library = join(folder, 'stand-in.so');
  const built = spawnSync('gcc', ['-shared', '-fPIC', '-Wall', '-Werror', '-o', library, SOURCE]);
  assert.equal(built.status, 0, String(built.stderr));
  mkdirSync(join(folder, 'dev'));
  writeFileSync(join(folder, 'dev/gpiochip0'), '');
  const traceFile = join(folder, 'trace');
  const traced = ['-f', '-e', 'trace=ioctl', '-o', traceFile, '-E', `LD_PRELOAD=${library}`, process.execPath];
  const run = spawnSync('strace', [...traced, SESSION, join(folder, 'dev')], { timeout: 60_000 });
  assert.equal(run.status, 0, String(run.stderr));
  const printed = JSON.parse(String(run.stdout)) as {
    label: string;
    synthetic: boolean;
    levels: number[];
    writes: number;
    refusals: string[];
  };
  assert.equal(printed.label, `GPIO17 (${join(folder, 'dev/gpiochip0')} pinctrl-rp1, line 17)`);
  assert.equal(printed.synthetic, false);
  assert.match(printed.refusals[0] ?? '', /^PIN_REFUSED .*EBUSY/);
  assert.match(printed.refusals[1] ?? '', /^PIN_UNKNOWN .*pinctrl-rp1 \(54 lines\)/);

  const trace = readFileSync(traceFile, 'utf8');
  const request = /GPIO_V2_GET_LINE_IOCTL, (\{.*?config=\{.*?\})/.exec(trace)?.[1] ?? trace.slice(0, 2000);
  assert.match(request, /num_lines=1, offsets=\[17\], consumer="nebula-marker"/);
  assert.match(request, /flags=GPIO_V2_LINE_FLAG_OUTPUT/);
  const levels = [...trace.matchAll(/GPIO_V2_LINE_SET_VALUES_IOCTL, \{bits=(0x1|0), mask=0x1\}/g)].map(([, bits]) =>
    bits === '0x1' ? 1 : 0,
  );
  const measured = Array.from({ length: 20 }, () => [1, 0]).flat();
  // One lowers the line before each burst, and one when the line is let go.
  const opening = printed.levels.slice(0, -16);
  assert.deepEqual(levels, [...measured, 0, ...opening, 0, ...printed.levels.slice(-16), 0]);
});

test('openChipLine() says what is missing or refused', async (context) => {
  const folder = folderOf(context);
  await assert.rejects(openChipLine(17, { root: folder }), { key: 'NO_PINS', message: /gpiochip\*/ });
  await assert.rejects(openChipLine(17, { root: join(folder, 'none') }), { key: 'NO_PINS' });
  await assert.rejects(openChipLine(17, { chip: join(folder, 'gpiochip9') }), { key: 'NO_PINS' });
  await assert.rejects(openChipLine(-1), { key: 'ARGUMENT' });
  writeFileSync(join(folder, 'gpiochip0'), '');
  await assert.rejects(openChipLine(17, { root: folder }), { key: 'PIN_UNKNOWN', message: /gpiochip0 \(no chip\)/ });
  checkMarker(`gpiochip:17?chip=${join(folder, 'gpiochip0')}`);
  assert.throws(() => checkMarker('gpiochip:17?line=3'), { key: 'ARGUMENT' });
});

const root = process.getuid?.() === 0;

test('openChipLine() names the user who may not', { skip: requirePart('root', root, 'not root') }, (context) => {
  const folder = folderOf(context);
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'gpiochip0'), '', { mode: 0 });
  const code = `import(process.argv[1]).then((module) => module.openChipLine(17, { root: '${folder}' }))
    .catch((error) => process.stdout.write(error.key + ' ' + error.message))`;
  const module = join(import.meta.dirname, '../../../hardware/marker/chip-line.js');
  const run = spawnSync('setpriv', ['--bounding-set=-all', '--inh-caps=-all', process.execPath, '-e', code, module]);
  assert.match(String(run.stdout), /^NO_PERMISSION .*gpiochip0 may not be written by user id 0/, String(run.stderr));
});
