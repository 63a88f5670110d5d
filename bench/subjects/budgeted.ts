/** A guest rewritten with a budget of units or without, called in a new instance each time, without a micro-VM around it. */

import { resolveCapabilities } from '../../host/capabilities/capabilities.ts';
import { resolveLimits } from '../../host/limits.ts';
import { asWasmFunction, unitSlotsOf } from '../../host/module/refill.ts';
import { rewriteModule } from '../../host/module/rewrite.ts';
import { Preview1 } from '../../host/preview1/preview1.ts';

/** Units that are granted at a time. */
const GRANT = 1_000_000;

/** What came of a call. */
export interface BudgetedRun {
  readonly stdout: Uint8Array;
  /** Units it cost; 0 without a budget. */
  readonly units: number;
  /** CPU time of the process, user's and system's, in microseconds: others on the machine count for little. */
  readonly cpuUs: number;
}

/** Runs commands of one module. */
export class BudgetedGuest {
  readonly #module: WebAssembly.Module;
  readonly #host: Preview1;
  readonly #refill: () => number;
  #granted = 0;

  constructor(name: string, bytes: Uint8Array, hasBudget: boolean) {
    const limits = resolveLimits();
    this.#module = new WebAssembly.Module(new Uint8Array(rewriteModule(bytes, limits, { hasBudget }).bytes));
    this.#host = new Preview1({ programName: name, limits, capabilities: resolveCapabilities() }, []);
    this.#refill = asWasmFunction(() => {
      this.#granted += GRANT;
      return GRANT;
    });
  }

  /** Calls `_start`; throws what the guest ends by, if it is neither its return nor an exit. */
  run(input: Uint8Array): BudgetedRun {
    const host = this.#host;
    host.begin({ input, arguments: [], environment: {} });
    const instance = new WebAssembly.Instance(this.#module, host.imports);
    const { memory, _start: start } = instance.exports as { memory: WebAssembly.Memory; _start: () => void };
    host.bind(memory);
    const slots = unitSlotsOf(instance);
    slots?.refill.set(0, this.#refill);
    this.#granted = 0;
    const before = process.cpuUsage();
    try {
      start();
    } catch (thrown) {
      if (host.ending === undefined) throw thrown;
    }
    const { user, system } = process.cpuUsage(before);
    return { stdout: host.stdout(), units: this.#granted - (slots?.units.value ?? 0), cpuUs: user + system };
  }
}
