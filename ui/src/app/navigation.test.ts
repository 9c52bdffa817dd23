import { expect, it } from 'vitest'
import { destinations } from './navigation.ts'

it('has a key of its own for every page', () => {
  const keys = destinations.map(({ key }) => key)
  expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([])
})
