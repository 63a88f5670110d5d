/** What the README, the pages of docs/ and the how-tos show is run. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, testExamples } from './examples.ts';

const pagesIn = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

for (const page of ['README.md', ...pagesIn('docs'), ...pagesIn('docs/how-to')]) testExamples(page);
