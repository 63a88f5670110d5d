/** How the bodies of one call travel while its guest runs, in place of bytes that are all there. Plain data. */

/** Which of a core module's streams go over a channel (component/channel/channel.ts). */
export interface CallStreams {
  readonly channel: SharedArrayBuffer;
  /** Whether stdin comes over it. */
  readonly input: boolean;
  /** Whether stdout goes over it. */
  readonly output: boolean;
}
