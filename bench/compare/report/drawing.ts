/** Charts as SVG text: Observable Plot draws them on a document of linkedom's, so that no browser is needed. */

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** A column of a paper is 88 mm wide; this many CSS pixels are. */
export const COLUMN_PX = 333;

/** A figure as SVG, with what a page says around it. `id` names its file. */
export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly svg: string;
  /** What must be seen in it: a title of an element begins with each of these. */
  readonly series: readonly string[];
}

/** A colour and what it stands for. */
export interface LegendEntry {
  readonly label: string;
  readonly colour: string;
}

const LEGEND_ROW_PX = 13;
/** Of the widest fonts that stand in for system-ui, at 9 pixels. */
const LETTER_PX = 5.8;
const TICK_PX = 10;
const SWATCH_PX = 14;

const { document } = parseHTML('<!doctype html><html><body></body></html>');

/** Draws a chart of a column's width beneath its legend. */
export function draw(options: Plot.PlotOptions & { readonly height: number }, legend: readonly LegendEntry[]): string {
  const { swatches, heightPx } = legendOf(legend);
  const chart = Plot.plot({
    width: COLUMN_PX,
    marginLeft: nameRoom(options.y),
    // Half of what is written at the last tick.
    marginRight: 20,
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

/** Room for the longest name on an axis of names. */
function nameRoom(y: Plot.PlotOptions['y']): number {
  const domain = typeof y === 'object' && y !== null ? y.domain : undefined;
  const names = [...(domain ?? [])].filter((name) => typeof name === 'string');
  return TICK_PX + LETTER_PX * Math.max(4, ...names.map((name) => name.length));
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

const ROW_PX = 11;
const TITLE_PX = 20;

/** Facets one above the other, each with its title over so many rows: the height of the chart, and the scale of its facets. */
export function rowFacets(names: readonly string[], rows: number): { readonly height: number; fy: Plot.ScaleOptions } {
  const facetPx = rows * ROW_PX + TITLE_PX;
  const padding = TITLE_PX / facetPx;
  return { height: names.length * facetPx + 40, fy: { axis: null, domain: [...names], padding } };
}

/** What a logarithmic axis says of a value; a ratio or a rate unless it is a time. */
export type TickText = (value: number) => string;

const plainTick: TickText = (value) => Number(value.toPrecision(3)).toLocaleString('en');

/** A time in milliseconds, with the unit in which it is short. */
export const timeTick: TickText = (ms) => {
  const [scale, unit] = ms >= 1000 ? [1e-3, 's'] : ms >= 1 ? [1, 'ms'] : ms >= 1e-3 ? [1e3, 'us'] : [1e6, 'ns'];
  return `${Number((ms * scale).toPrecision(3))} ${unit}`;
};

/** Room beside the first and the last value, as a factor. */
const ROOM = 1.15;

/** A logarithmic axis that holds the values: a line and a number at each power of ten, and between them where those are few. */
export function logAxis(values: Iterable<number>, tickText: TickText = plainTick): Plot.ScaleOptions {
  const positive = [...values].filter((value) => value > 0 && Number.isFinite(value));
  const low = Math.min(...positive) / ROOM;
  const high = Math.max(...positive) * ROOM;
  const within = (steps: readonly number[]): number[] => {
    const ticks: number[] = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
      for (const step of steps) ticks.push(step * 10 ** power);
    return ticks.filter((tick) => tick >= low && tick <= high);
  };
  const decades = within([1]);
  const ticks = decades.length >= 3 ? decades : within([1, 2, 5]);
  return { type: 'log', grid: true, domain: [low, high], ticks, tickFormat: tickText };
}

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

/** Text as it may stand in XML and HTML, also within quotes. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
