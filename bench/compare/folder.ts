/** The folder of a run, and what is in it. */

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The rows, as they are written and as they may be kept. */
const ROWS: readonly [string, string] = ['rows.ndjson', 'rows.ndjson.gz'];

/** The folder of a run: plan.json, environment.json, rows and what is written from them. */
export class RunFolder {
  readonly path: string;
  readonly #rows: string;

  private constructor(path: string, rows: string) {
    this.path = path;
    this.#rows = rows;
  }

  /** Makes the folder. @throws Error when it holds a run already */
  static async create(path: string): Promise<RunFolder> {
    await mkdir(path, { recursive: true });
    if ((await readdir(path)).some((name) => ROWS.includes(name))) {
      throw new Error(`Cannot write a run to "${path}": expected a folder without rows.ndjson, found one that has it`);
    }
    return new RunFolder(path, ROWS[0]);
  }

  /** Takes the folder of a run. @throws Error when it is none */
  static async open(path: string): Promise<RunFolder> {
    const names = await readdir(path).catch(() => [] as string[]);
    const rows = ROWS.find((name) => names.includes(name)) ?? ROWS[0];
    for (const name of ['plan.json', 'environment.json', rows]) {
      if (!names.includes(name))
        throw new Error(`Cannot read a run from "${path}": expected ${name} in it, found none`);
    }
    return new RunFolder(path, rows);
  }

  get rowsPath(): string {
    return join(this.path, this.#rows);
  }

  /** Whether a file is in it. */
  async has(name: string): Promise<boolean> {
    return (await readdir(this.path)).includes(name);
  }

  async readJson<T>(name: string): Promise<T> {
    const path = join(this.path, name);
    try {
      return JSON.parse(await readFile(path, 'utf8')) as T;
    } catch (cause) {
      throw new Error(`Cannot read "${path}": expected JSON`, { cause });
    }
  }

  async writeJson(name: string, value: unknown): Promise<void> {
    await this.writeText(name, `${JSON.stringify(value, null, 2)}\n`);
  }

  async writeText(name: string, text: string): Promise<void> {
    const path = join(this.path, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, text);
  }
}
