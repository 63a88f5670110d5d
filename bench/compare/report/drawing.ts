/** Charts as SVG text: Observable Plot draws them on a document of linkedom's, so that no browser is needed. */

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** A column of a paper is 88 mm wide; this many CSS pixels are. */
export const COLUMN_PX = 333;

export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly svg: string;
  /** What must be seen in it: a title of an element begins with each of these. */
  readonly series: readonly string[];
}

export interface LegendEntry {
  readonly label: string;
  readonly colour: string;
}

const LEGEND_ROW_PX = 13;
const LETTER_PX = 5.2;
const SWATCH_PX = 14;

const { document } = parseHTML('<!doctype html><html><body></body></html>');

/** Draws a chart of a column's width beneath its legend. */
export function draw(options: Plot.PlotOptions & { readonly height: number }, legend: readonly LegendEntry[]): string {
  const { swatches, heightPx } = legendOf(legend);
  const chart = Plot.plot({
    width: COLUMN_PX,
    marginLeft: 104,
    marginRight: 8,
    marginTop: 14,
    marginBottom: 30,
    style: { fontSize: '9px', fontFamily: 'system-ui, sans-serif', overflow: 'visible', background: 'none' },
    ...options,
    document,
  });
  chart.setAttribute('y', String(heightPx));
  const totalPx = heightPx + options.height;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="88mm" height="${((totalPx * 88) / COLUMN_PX).toFixed(1)}mm" ` +
    `viewBox="0 0 ${COLUMN_PX} ${totalPx}" fill="currentColor" font-family="system-ui, sans-serif" font-size="9">` +
    `${swatches}${chart.outerHTML}</svg>`
  );
}

/** The name of each facet above it. */
export function facetTitles(names: readonly string[]): Plot.Markish {
  return Plot.text(names, {
    fy: (each: string) => each,
    text: (each: string) => each,
    frameAnchor: 'top-left',
    dx: 2,
    dy: -11,
    fontWeight: 'bold',
  });
}

/** A logarithmic axis, its ticks written out: "10m" of milliseconds would be read as something else. */
export const LOG: Plot.ScaleOptions = {
  type: 'log',
  grid: true,
  ticks: 6,
  tickFormat: (value: number) => String(Number(value.toPrecision(6))),
};

function legendOf(entries: readonly LegendEntry[]): { readonly swatches: string; readonly heightPx: number } {
  if (entries.length === 0) return { swatches: '', heightPx: 0 };
  let swatches = '';
  let x = 4;
  let row = 0;
  for (const { label, colour } of entries) {
    const widthPx = SWATCH_PX + label.length * LETTER_PX + 8;
    if (x + widthPx > COLUMN_PX && x > 4) {
      row++;
      x = 4;
    }
    const y = row * LEGEND_ROW_PX;
    swatches += `<rect x="${x}" y="${y + 2}" width="9" height="9" fill="${colour}"/>`;
    swatches += `<text x="${x + 12}" y="${y + 10}">${escapeXml(label)}</text>`;
    x += widthPx;
  }
  return { swatches, heightPx: (row + 1) * LEGEND_ROW_PX + 4 };
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
