import { expect, it } from 'vitest'
import { draftOf, exceededBy, limitsOf, setCommand } from './limits.ts'

const limits = { gateways: 0, cpuMillicores: 1500, memoryBytes: 3 * 2 ** 30 }

it('is typed in CPUs and GiB, and what is empty is not limited', () => {
  expect(draftOf(limits)).toEqual({ gateways: '0', cpuMillicores: '1.5', memoryBytes: '3' })
  expect(limitsOf(draftOf(limits))).toEqual(limits)
  expect(limitsOf({ gateways: ' ', cpuMillicores: '2', memoryBytes: '' })).toEqual({ cpuMillicores: 2000 })
})

it('says of what more is taken already, and the command that sets what differs', () => {
  const used = { gateways: 1, cpuMillicores: 1500, memoryBytes: 0 }
  expect(exceededBy(limits, used)).toEqual(['Gateways'])
  expect(exceededBy({}, used)).toEqual([])
  expect(setCommand('acme', null, limits, { gateways: 3, cpuMillicores: 1500 })).toBe(
    'mcpg-ctl quota set --org acme --gateways 3 --memory-bytes unlimited',
  )
  expect(setCommand('acme', { workspace: 'main', environment: 'prod' }, {}, { gateways: 1 })).toBe(
    'mcpg-ctl quota set --org acme --workspace main --env prod --gateways 1',
  )
  expect(setCommand('acme', null, limits, limits)).toBe('')
})
