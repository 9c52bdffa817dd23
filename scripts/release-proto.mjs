// Rewrites the image that `buf breaking` compares with; only at a release.
import { execFileSync } from 'node:child_process'
import { dirname } from 'node:path'
import { ensureInstalled, nodeBinary, pathWith, root } from './workspace.mjs'

ensureInstalled()
execFileSync('buf', ['build', '-o', 'proto/released.binpb'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: pathWith(dirname(nodeBinary())) },
})
