/** Classes of the platform's that declarations of this folder name, where whoever compiles has no types for them. Types only. */

declare global {
  // Joined with the platform's own where there are such.
  interface AbortSignal {
    readonly aborted: boolean;
  }
  interface URL {
    href: string;
  }
}
