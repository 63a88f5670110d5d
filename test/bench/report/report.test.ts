import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, test } from 'node:test';
import { chromium, type Browser, type Page } from 'playwright-core';
import { analyse, type Analysis } from '../../../bench/compare/analysis.ts';
import { analyseFolder } from '../../../bench/commands/compare.ts';
import { RunFolder } from '../../../bench/compare/folder.ts';
import { drawFigures } from '../../../bench/compare/report/figures.ts';
import { TARGETS, type Plan } from '../../../bench/compare/plan.ts';
import { TARGET_TEXTS } from '../../../bench/compare/report/targets.ts';
import { RowWriter } from '../../../bench/compare/rows.ts';
import { Samples } from '../../../bench/compare/samples.ts';
import { requirePart } from '../../require.ts';
import { ENVIRONMENT, madeUpRows, PLAN as SHORT_PLAN } from '../compare/run.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
const skip = requirePart('chromium', CHROMIUM !== undefined, 'it is not installed');

/** With the longest name there is. */
const PLAN: Plan = { ...SHORT_PLAN, targets: [...SHORT_PLAN.targets, 'container-cold-bridge'] };

let path: string;
let printed = '';
before(async () => {
  path = await mkdtemp(join(tmpdir(), 'nebula-report-'));
  const folder = await RunFolder.create(path);
  await folder.writeJson('plan.json', PLAN);
  await folder.writeJson('environment.json', ENVIRONMENT);
  const writer = new RowWriter(folder.rowsPath);
  writer.write(madeUpRows(PLAN));
  await writer.close();
  assert.equal(await analyseFolder(path, (text) => void (printed += `${text}\n`)), true);
});
after(() => rm(path, { recursive: true }));

test('analyseFolder() writes everything that follows from the rows', async () => {
  const names = await readdir(path);
  for (const name of ['analysis.json', 'report.html', 'report.md', 'rows.csv', 'figures'])
    assert.ok(names.includes(name), name);
  assert.match(printed, /container-cold: [\d,.]+ \[[\d,.]+, [\d,.]+\] times wasm-restored/);
});

test('analyseFolder() explains in the report what each target is', async () => {
  assert.deepEqual(Object.keys(TARGET_TEXTS), [...TARGETS]);
  for (const name of ['report.html', 'report.md']) {
    const report = await readFile(join(path, name), 'utf8');
    for (const target of PLAN.targets) assert.ok(report.includes(TARGET_TEXTS[target]), target);
  }
});

test('analyseFolder() gives the same files again', async () => {
  const read = (): Promise<string[]> =>
    Promise.all(['analysis.json', 'report.html', 'report.md'].map((name) => readFile(join(path, name), 'utf8')));
  const first = await read();
  await analyseFolder(path, () => undefined);
  assert.deepEqual(await read(), first);
});

test('analyseFolder() refuses a folder that holds no run, and RunFolder.create one that does', async () => {
  await assert.rejects(
    analyseFolder(join(path, 'figures'), () => undefined),
    /expected plan\.json/,
  );
  await assert.rejects(RunFolder.create(path), /found one that has it/);
});

test('drawFigures() draws all there is to draw, a paper column wide', () => {
  const rows = madeUpRows(PLAN);
  const analysis: Analysis = analyse({ plan: PLAN, environment: ENVIRONMENT, rows });
  const figures = drawFigures(analysis, new Samples(rows, PLAN));
  assert.deepEqual(
    figures.map((figure) => figure.id),
    [
      'ratios',
      'distribution-small',
      'distribution-large',
      'phases-small',
      'phases-large',
      'run-times',
      'percentiles-small',
      'percentiles-large',
      'engine',
    ],
  );
  for (const { svg } of figures) {
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="88mm"/);
    assert.equal(svg.includes('NaN'), false);
  }
  assert.ok(figures.find((figure) => figure.id === 'run-times')?.series.includes('break-even'));
});

test('drawFigures() of a run of one target leaves out what would be empty', () => {
  const plan = { ...PLAN, targets: ['wasm-restored'] as const };
  const rows = madeUpRows(plan);
  const analysis = analyse({ plan, environment: ENVIRONMENT, rows });
  const ids = drawFigures(analysis, new Samples(rows, plan)).map((figure) => figure.id);
  assert.equal(ids.includes('ratios') || ids.includes('run-times') || ids.includes('engine'), false);
  assert.ok(ids.includes('distribution-small'));
});

async function withPage(browser: Browser, look: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.newPage({ offline: true });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(request.url()));
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(request.url());
  });
  await page.goto(pathToFileURL(join(path, 'report.html')).href);
  await look(page);
  assert.deepEqual(complaints, []);
  await page.close();
}

/** Runs in the page: each figure's series that have no visible element. */
function findUnseen(): string[] {
  const page = globalThis as unknown as { document: Document };
  const unseen: string[] = [];
  for (const figure of page.document.querySelectorAll('figure')) {
    const titles = [...figure.querySelectorAll('svg title')];
    for (const series of (figure.dataset['series'] ?? '').split('|')) {
      const visible = titles.some((title) => {
        const box = title.parentElement?.getBoundingClientRect();
        const named = new RegExp(`^${series}(?![\\w-])`).test(title.textContent ?? '');
        return named && box !== undefined && (box.width > 0 || box.height > 0);
      });
      if (!visible) unseen.push(`${figure.id}: ${series}`);
    }
  }
  return unseen;
}

/** Runs in the page: what is written in a figure and does not lie within it. */
function findCut(): string[] {
  const page = globalThis as unknown as { document: Document };
  const cut: string[] = [];
  for (const figure of page.document.querySelectorAll('figure')) {
    const whole = figure.querySelector('svg')?.getBoundingClientRect();
    for (const text of figure.querySelectorAll('svg text')) {
      const { left, right, top, bottom } = text.getBoundingClientRect();
      const isWithin =
        whole !== undefined &&
        left >= whole.left - 1 &&
        right <= whole.right + 1 &&
        top >= whole.top - 1 &&
        bottom <= whole.bottom + 1;
      if (!isWithin) cut.push(`${figure.id}: ${text.textContent}`);
    }
  }
  return cut;
}

test('report.html opens offline in a browser, and every figure shows its series', { skip }, async () => {
  const browser = await chromium.launch({ executablePath: CHROMIUM as string, args: ['--no-sandbox'] });
  try {
    await withPage(browser, async (page) => {
      assert.equal(await page.locator('figure').count(), 9);
      assert.deepEqual(await page.evaluate(findUnseen), []);
      assert.deepEqual(await page.evaluate(findCut), []);
      assert.equal(await page.locator('figure svg .number').count(), 0);
      // Nothing runs out of the page, whose text is read as text.
      assert.ok(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'));
      assert.match(await page.locator('header').innerText(), /none <&"/);
    });
    await withPage(browser, async (page) => {
      const paperOf = (): Promise<unknown> => page.evaluate('getComputedStyle(document.body).backgroundColor');
      await page.emulateMedia({ colorScheme: 'dark' });
      assert.equal(await paperOf(), 'rgb(22, 24, 27)');
      await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
      assert.equal(await paperOf(), 'rgb(255, 255, 255)');
    });
  } finally {
    await browser.close();
  }
});
