/**
 * Tests that may be skipped, by the beginning of their full name, each with the reason. A skipped test that is not listed here counts as
 * failed, and in CI (`CI` set) every skip does.
 */
export const skips: { test: string; reason: string }[] = [
  { test: 'two machines', reason: 'two machines are two network namespaces, which need Linux, root and the program ip' },
  { test: 'signs in at the issuer: clock skew', reason: 'a clock of its own needs faketime' },
  { test: 'completion in zsh', reason: 'zsh is not installed, and only root can install it' },
  { test: 'completion in fish', reason: 'fish is not installed, and only root can install it' },
  { test: 'certificates of two machines', reason: 'as two machines; a clock of its own needs faketime' },
]
