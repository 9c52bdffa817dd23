import { describe, expect, it } from 'vitest'
import { causeWords } from './cause-words.ts'

const none = { actions: [], more: 0 }

describe('cause of a config', () => {
  it('names what was changed and by whom, and how much is left out', () => {
    const action = { action: 'server.update', object: 'server/github', by: 'local' }
    expect(causeWords({ why: 'change', actions: [action], more: 2 })).toBe('update server/github by local, 2 more')
    expect(causeWords({ why: 'refusal', actions: [{ action: 'server.hold', object: 'server/github' }], more: 0 })).toBe(
      'Held back after a refusal: server/github',
    )
  })

  it('says who went back and who went on', () => {
    expect(causeWords({ why: 'rollback', to: 3, by: 'ada', ...none })).toBe('Rolled back to 3 by ada')
    expect(causeWords({ why: 'resume', by: 'ada', ...none })).toBe('Resumed by ada')
  })

  it('has a word for what says nothing', () => {
    expect(causeWords(undefined)).toBe('')
    expect(causeWords({ why: 'change', ...none })).toBe('A change')
    expect(causeWords({ why: 'a reason of a newer version' as 'change', ...none })).toBe('A change')
  })
})
