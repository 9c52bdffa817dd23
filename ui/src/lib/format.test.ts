import { describe, expect, it } from 'vitest'
import { capital, shellWord, spell, spellBytes, spellCountdown, timeOf } from './format.ts'

describe('format', () => {
  it.each([
    [-5, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [7_200_000, '2 h'],
    [432_000_000, '5 d'],
  ])('spells %i ms as %s', (ms, text) => expect(spell(ms)).toBe(text))

  it.each([
    [-1, '00:00'],
    [892_000, '14:52'],
    [3_892_000, '1:04:52'],
  ])('counts %i ms down as %s', (ms, text) => expect(spellCountdown(ms)).toBe(text))

  it('knows no time of what is none', () => {
    expect([undefined, null, '', 'soon'].map(timeOf)).toEqual([undefined, undefined, undefined, undefined])
    expect(timeOf('1970-01-01T00:00:01Z')).toBe(1000)
  })

  it('keeps the words of the API', () => expect(['online', 'crash_loop', ''].map(capital)).toEqual(['Online', 'Crash loop', '']))

  it('quotes what a shell would take apart', () => {
    expect(shellWord('http://127.0.0.1:7843/enroll/a_b-c')).toBe('http://127.0.0.1:7843/enroll/a_b-c')
    expect(shellWord("it's $HOME")).toBe(`'it'\\''s $HOME'`)
  })

  it('spells bytes', () => expect([0, 1023, 2048, 87_000_000].map(spellBytes)).toEqual(['0 B', '1023 B', '2 KiB', '83.0 MiB']))
})
