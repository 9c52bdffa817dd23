import { existsSync } from 'node:fs'
import { aptInstall } from '../apt.ts'

const places = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((triple) => `/usr/lib/${triple}/faketime/libfaketimeMT.so.1`)

/** Why no program can have a clock of its own here; null where it can. Installs what is needed where that is possible. */
export function whyNoShiftedClock(): string | null {
  if (process.platform !== 'linux') return 'faketime is of Linux'
  try {
    if (!places.some((one) => existsSync(one))) aptInstall('faketime')
    return null
  } catch (error) {
    return String(error)
  }
}

/**
 * Environment of a program whose wall clock is `shift` away, e.g. `+3d` or `-10m`. Time goes on at its usual rate, and what never jumps does
 * not: timers keep their length.
 */
export function shiftedClock(shift: string): Record<string, string> {
  const library = places.find((one) => existsSync(one))
  if (!library) throw new Error('faketime is not installed')
  return { LD_PRELOAD: library, FAKETIME: shift, FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_NO_CACHE: '1' }
}
