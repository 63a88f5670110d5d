/** The tables of docs/measurements.md, out of the result file that they show. */

import type { Result } from '../../bench/measurement/result.ts';
import type { Row } from '../../bench/measurement/series.ts';

type Format = (row: Row) => readonly string[];

const us = (value: number | undefined): string =>
  value === undefined ? '' : value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);

const count = (value: number | undefined): string => (value ?? 0).toFixed(1);

const times: Format = ({ n = 0, p50Us, p99Us }) => [n.toLocaleString('en'), us(p50Us), us(p99Us)];

const tiers: Format = ({ tiers: counted, p50Us, p99Us }) => [
  count(counted?.uncompiled),
  count(counted?.liftoff),
  count(counted?.turbofan),
  us(p50Us),
  us(p99Us),
];

/** The document with the last cells of each row that begins with a subject and a function as the result has them. */
export function fillMeasurements(markdown: string, { rows }: Pick<Result, 'rows'>): string {
  return markdown.replaceAll(/^\| `([\w-]+)` +\| `([\w-]+)` +\|.*$/gm, (line, subject: string, name: string) => {
    const row = rows.find((one) => one.subject === subject && one.function === name);
    if (row === undefined) throw new Error(`No row of ${subject} and ${name} in the result`);
    const filled = row.tiers === undefined ? times(row) : tiers(row);
    const cells = line.split('|').slice(1, -1);
    const kept = cells.slice(0, cells.length - filled.length);
    const shown = filled.map((text, at) => ` ${text.padEnd((cells[kept.length + at] ?? '').length - 2)} `);
    return `|${[...kept, ...shown].join('|')}|`;
  });
}
