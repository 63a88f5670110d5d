/** Bounds of paths, for every version of WASI and both kinds of mount: those of Linux. Source: limits.h, path_resolution(7). */

/** `PATH_MAX`: bytes of the longest path, the NUL at its end counted. */
export const PATH_MAX_BYTES = 4096;

/** `NAME_MAX`: bytes of the longest name in a path. */
export const NAME_MAX_BYTES = 255;

/** Symbolic links that are followed in one path; one more is LOOP. */
export const LINKS_MAX = 40;

/** `/`, which parts the names of a path. */
export const SLASH = 0x2f;

/** `.`, of which a directory's names of itself and of its parent are made. */
export const DOT = 0x2e;
