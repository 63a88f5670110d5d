/** How the report looks: on a screen, in the dark, on paper. */

/** The style of report.html, for light and dark. */
export const STYLE: string = `
:root { --ink: #1a1a1a; --paper: #ffffff; --faint: #6b6b6b; --line: #d9d9d9; --warn: #a04000; --void: #b00020; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --paper: #16181b; --faint: #a0a0a0; --line: #3a3d42; --warn: #ffb066; --void: #ff6b81; }
}
body { margin: 0 auto; padding: 1.5rem; max-width: 72rem; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 0 0 .5rem; }
header p, figcaption { color: var(--faint); }
figcaption { font-size: .85rem; margin-top: .5rem; }
.stopped { color: var(--void); font-weight: bold; }
.stamp { background: #c4001d; color: #ffffff; padding: .6rem 1rem; margin: 0 0 1rem; border-radius: 4px; }
.stamp strong { letter-spacing: .06em; margin-right: .5rem; }
.mark { color: var(--void); border: 1px solid; border-radius: 3px; padding: 0 .35em; font-size: .65em; vertical-align: .15em; letter-spacing: .05em; }
#energy > h3 { margin: 1.8rem 0 .3rem; } #energy > p { margin: .3rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; margin: .5rem 0; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
.number { text-align: right; }
.figures { columns: 2 24rem; column-gap: 3rem; }
figure { margin: 0 0 2.5rem; break-inside: avoid; }
figure svg { width: 100%; height: auto; }
figure > svg { --plot-background: var(--paper); }
.findings li.warning strong { color: var(--warn); } .findings li.void strong { color: var(--void); }
code { font-size: .85em; overflow-wrap: anywhere; }
@media print {
  .stamp { print-color-adjust: exact; }
  :root { --ink: #000000; --paper: #ffffff; --faint: #444444; --line: #bbbbbb; --warn: #a04000; --void: #b00020; }
  body { max-width: none; padding: 0; font-size: 10px; }
  h1 { font-size: 16px; } h2 { font-size: 13px; margin-top: 14px; } h3 { font-size: 10px; } table { font-size: 8px; } figcaption { font-size: 8.5px; }
  h2, h3 { break-after: avoid; } tr { break-inside: avoid; }
  .figures { columns: 2 88mm; column-gap: 8mm; } figure { max-width: 88mm; } .scroll { overflow: visible; } th, td { white-space: normal; padding: .1rem .3rem; }
}
`;
