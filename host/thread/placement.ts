/** Makes micro-VMs, and makes one again that has come to be where putting it back is slow. */

import { hasComponent } from '../component/vm/component-definition.ts';
import { ComponentVm } from '../component/vm/component-vm.ts';
import type { BindingLink } from '../bindings/link.ts';
import type { FunctionDefinition } from '../definition/definition.ts';
import type { Strategy } from '../definition/strategies.ts';
import type { AddressSpace } from '../linux/address-space.ts';
import { MicroVm } from '../micro-vm/micro-vm.ts';
import type { SnapshotImage } from '../snapshot/image.ts';
import type { Guest } from '../wasi/session/guest.ts';

/** Times a micro-VM is made again because of where its memory is: not where its image expects it (snapshot/image.ts). */
const MOST_MOVES = 3;
/** Moves in vain after which none is tried. */
const VAIN_MOVES = 6;

/** What a micro-VM is made of. */
export interface Placed {
  readonly definition: FunctionDefinition;
  readonly image: SnapshotImage;
  readonly strategy: Strategy;
}

/** Where the micro-VMs of one thread come to be. */
export class Placement {
  readonly #space: AddressSpace;
  readonly #link: BindingLink | undefined;
  /** Moves since the last that was of use. */
  #vainMoves = 0;

  constructor(space: AddressSpace, link?: BindingLink) {
    this.#space = space;
    this.#link = link;
  }

  /** A micro-VM, where it can be put back quickly if there is room for that. @throws what its constructor does */
  place(placed: Placed): Guest {
    let vm = this.#build(placed);
    for (let again = 0; vm.isMisplaced && again < MOST_MOVES; again++) vm = this.#move(placed, vm);
    return vm;
  }

  /** Makes another while the first holds its place, so that it comes to be elsewhere; the first if there is no room. */
  #move(placed: Placed, vm: Guest): Guest {
    if (this.#vainMoves >= VAIN_MOVES || this.#space.live >= this.#space.limit) return vm;
    let moved: Guest;
    try {
      moved = this.#build(placed);
    } catch {
      // Only slower where it is.
      return vm;
    }
    this.#vainMoves = moved.isMisplaced ? this.#vainMoves + 1 : 0;
    vm.close();
    return moved;
  }

  #build({ definition, image, strategy }: Placed): Guest {
    return hasComponent(definition)
      ? new ComponentVm(definition, image, strategy, this.#space)
      : new MicroVm(definition, image, strategy, this.#space, { link: this.#link });
  }
}

/** Whether a micro-VM is back at its snapshot. A fault on the way may have left it anywhere: then it is not. */
export function isRestored(vm: Guest | undefined): boolean {
  try {
    return vm?.restore() === true;
  } catch {
    return false;
  }
}
