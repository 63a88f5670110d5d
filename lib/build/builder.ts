/** What can be built: one kind of source each. */

/** A folder of sources that is about to be built. */
export interface BuildTask {
  /** Absolute. */
  readonly folder: string;
  /** Of the function. */
  readonly name: string;
  /** Where the module goes; absolute. */
  readonly modulePath: string;
  /** Told what is being done now, in a few words. */
  readonly say: (step: string) => void;
  /** Ends the tools that run. */
  readonly signal?: AbortSignal | undefined;
}

/** How one kind of source becomes a module or component. */
export interface Builder {
  /** What is in such a folder, in words. */
  readonly about: string;
  /** Whether a folder with these entries is of this kind. */
  matches(names: ReadonlySet<string>): boolean;
  /** Writes `modulePath`. @throws NebulaError BUILD_FAILED, TOOL_MISSING */
  build(task: BuildTask): Promise<void>;
  /** Names of folders in it that tools write to, and that are no sources. */
  readonly written: readonly string[];
}
