/** Optional packages: whether one is there, without loading it. */

import { HardwareError } from './errors.ts';

/** Whether a package can be loaded from here. */
export function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** @throws HardwareError PACKAGE_MISSING */
export function requirePackage(name: string): void {
  if (!isInstalled(name)) throw new HardwareError('PACKAGE_MISSING', { package: name, detail: 'it is not installed' });
}
