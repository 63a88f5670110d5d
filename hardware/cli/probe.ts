/** `nebula meter probe`: what a source can resolve. */

import { recordSource, type PowerSource } from '../meter/power-source.ts';
import { characterise, smallestEffectW, type SourceCharacter } from '../meter/probe.ts';
import { openSource, SOURCE_KINDS } from '../meter/sources.ts';
import { argumentsOf, printJson, secondsOf, stopSignal, syntheticStamp, tellAdvice } from './command.ts';

/** Windows for which the smallest effect is shown, in seconds. */
const WINDOWS_S = [0.01, 0.1, 1, 10, 60] as const;

/** Read so many times within one refresh, so that the refresh can be told from the reading. */
const OVERSAMPLING = 5;

/** Opens a source so that it is read faster than it says it renews its values, where that can be chosen. */
async function openOversampled(text: string): Promise<PowerSource> {
  const source = await openSource(text);
  const { refreshS } = source.properties;
  const options = SOURCE_KINDS[/^[a-z0-9-]+/.exec(text)?.[0] ?? '']?.options ?? [];
  if (refreshS === undefined || !options.includes('interval') || /[?&]interval=/.test(text)) return source;
  await source.close();
  const interval = Math.max(0.001, refreshS / OVERSAMPLING);
  return openSource(`${text}${text.includes('?') ? '&' : '?'}interval=${interval}`);
}

const PREFIXES = [
  [1, ''],
  [1e-3, 'm'],
  [1e-6, 'u'],
  [1e-9, 'n'],
] as const;

/** Three digits with a prefix that suits them. */
export function quantity(value: number, unit: string): string {
  if (value === 0) return `0 ${unit}`;
  const [factor, prefix] = PREFIXES.find(([each]) => Math.abs(value) >= each) ?? PREFIXES[3];
  return `${Number((value / factor).toPrecision(3))} ${prefix}${unit}`;
}

function describe(character: SourceCharacter, effects: readonly { windowS: number; effectW: number }[]): string {
  const c = character;
  const step = c.stepW === 0 ? 'none seen: the value never changed' : quantity(c.stepW, 'W');
  const rows = [
    [
      'readings',
      `${c.samples} in ${quantity(c.durationS, 's')}, each ${quantity(c.intervalS, 's')} (99 %: ${quantity(c.intervalP99S, 's')})`,
    ],
    [
      'refresh',
      `a new value each ${quantity(c.refreshS, 's')}; ${(100 * c.repeatedShare).toFixed(1)} % of the readings repeat`,
    ],
    ['staleness', `a value gets up to ${quantity(c.stalenessS, 's')} old (95 %)`],
    ['quantisation', step],
    ['noise', `${quantity(c.noiseW, 'W')} from value to value`],
    ['smallest window', `${quantity(c.smallestWindowS, 's')}: ten new values`],
    [
      'smallest effect',
      effects.map(({ windowS, effectW }) => `${quantity(effectW, 'W')} over ${quantity(windowS, 's')}`).join(', '),
    ],
  ];
  return rows.map(([name = '', text = '']) => `  ${name.padEnd(16)} ${text}\n`).join('');
}

/** `nebula meter probe`. @throws HardwareError of the source */
export async function probe(given: readonly string[]): Promise<void> {
  const { operands, flags } = argumentsOf(given, { seconds: { type: 'string' } }, 1);
  const seconds = secondsOf(flags) ?? 30;
  const source = await openOversampled(operands[0] as string);
  tellAdvice(source.properties);
  const { signal, release } = stopSignal(seconds);
  try {
    const { trace, counts, properties, stale, disconnected, firstLoss } = await recordSource(source, signal);
    const character = characterise(trace);
    const windows = [character.smallestWindowS, ...WINDOWS_S.filter((windowS) => windowS > character.smallestWindowS)];
    const effects = windows.map((windowS) => ({ windowS, effectW: smallestEffectW(character, windowS) }));
    if (flags['json'] === true) {
      printJson({ properties, character, effects, counts: { ...counts, stale, disconnected }, firstLoss });
      return;
    }
    const problems = Object.entries({ ...counts, stale, disconnected }).filter(
      ([name, count]) => name !== 'rows' && typeof count === 'number' && count > 0,
    );
    const problemText =
      problems.length === 0 ? 'nothing lost' : problems.map(([name, count]) => `${count} ${name}`).join(', ');
    process.stdout.write(`${trace.source}\n${describe(character, effects)}  ${'counted'.padEnd(16)} ${problemText}\n`);
    if (trace.synthetic) process.stdout.write(syntheticStamp());
  } finally {
    release();
    await source.close();
  }
}
