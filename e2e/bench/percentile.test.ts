import { describe, expect, it } from 'vitest'
import { percentile, spread } from './percentile.ts'

describe('percentile', () => {
  it('answers a value that was measured, whatever the order', () => {
    expect(percentile([5, 1, 4, 2, 3], 0.5)).toBe(3)
    expect(percentile([1, 2], 0.5)).toBe(1)
    expect(percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 0.99)).toBe(10)
    expect(percentile([7], 0.01)).toBe(7)
  })

  it('sorts numbers as numbers', () => expect(percentile([9, 10, 100], 1)).toBe(100))

  it('does not invent one for nothing', () => expect(percentile([], 0.5)).toBeNaN())
})

it('a spread keeps the worst round in sight', () => {
  expect(spread([1.23456, 9, 2])).toEqual({ median: 2, min: 1.235, max: 9, rounds: 3 })
})
