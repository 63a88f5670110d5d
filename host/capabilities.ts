/** What a guest was given. Nothing is given by default: no argument, variable, directory, clock grain or socket. */

/** Devices that a mount may grant by name; no other is ever opened. */
export const DEVICES = ['null', 'zero', 'urandom'] as const;

export type DeviceName = (typeof DEVICES)[number];

/** A directory of the machine, resolved by the kernel beneath its root. */
export interface MachineMount {
  /** Path the guest sees: `/data`, or `.` or `data` for programs whose C library knows no other. */
  readonly guest: string;
  /** Directory on the machine. */
  readonly machine: string;
  readonly access: 'read-only' | 'read-write';
  /** Devices that may be opened where the directory has them, whatever their name there; default none. */
  readonly devices?: readonly DeviceName[];
}

/** A tree in memory, fresh for each invocation. */
export interface MemoryMount {
  /** As of a machine's. */
  readonly guest: string;
  /** Files by path relative to the mount; text is UTF-8. A path that ends in `/` is an empty directory. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly access: 'read-only' | 'read-write';
  /** Devices that its root has, by their names; default none. */
  readonly devices?: readonly DeviceName[];
}

export type Mount = MachineMount | MemoryMount;

/** `real`: the machine's clocks. `coarse`: rounded down to the grain. `fixed`: always the given time. */
export type ClockCapability =
  | { readonly kind: 'real' }
  | { readonly kind: 'coarse'; readonly grainNs: number }
  | { readonly kind: 'fixed'; readonly epochMs: number };

/** `secure`: the operating system's source. `seeded`: a repeatable sequence, the same for each invocation. */
export type RandomCapability = { readonly kind: 'secure' } | { readonly kind: 'seeded'; readonly seed: number };

/** Requests of a component over wasi:http. Nothing is granted without it. */
export interface HttpCapability {
  /** Origins that may be asked, such as `https://api.example.com`; nothing else is, redirects included. */
  readonly origins: readonly string[];
  /** Whether those origins may be at private, loopback and link-local addresses; default false. */
  readonly private?: boolean;
}

/**
 * TCP sockets of a component over wasi:sockets, by address: `192.0.2.1:5432`, `[2001:db8::1]:443`, or with `*` for any port.
 * Nothing is granted without it, and no name is ever looked up.
 */
export interface SocketCapability {
  /** Addresses that may be connected to, private ones too: they are named one by one. */
  readonly connect?: readonly string[];
  /** Addresses that may be bound to, to listen at; port 0 is one that the machine chooses. */
  readonly bind?: readonly string[];
}

export interface Capabilities {
  /** Arguments after the program's name. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly clocks: ClockCapability;
  readonly random: RandomCapability;
  readonly http?: HttpCapability;
  readonly sockets?: SocketCapability;
  /** `errno`: what is not granted fails with its errno. `end`: it ends the invocation with a `denied` outcome. */
  readonly denial: 'errno' | 'end';
}

/** What a function gets when its manifest says nothing. */
export const NO_CAPABILITIES: Capabilities = {
  arguments: [],
  environment: {},
  mounts: [],
  clocks: { kind: 'real' },
  random: { kind: 'secure' },
  denial: 'errno',
};

/** Nothing, and what the manifest gives. */
export function resolveCapabilities(given: Partial<Capabilities> = {}): Capabilities {
  return { ...NO_CAPABILITIES, ...given };
}
