import type { ServerResponse } from 'node:http'

/** Answers under way, by the token that asked: when a token no longer holds, they are cut. */
export function heldAnswers() {
  const held = new Map<string, Set<ServerResponse>>()
  return { hold, tokenIds: () => new Set(held.keys()), cut }

  function hold(tokenId: string, response: ServerResponse): void {
    const answers = held.get(tokenId) ?? new Set()
    held.set(tokenId, answers.add(response))
    response.once('close', () => {
      answers.delete(response)
      if (answers.size === 0 && held.get(tokenId) === answers) held.delete(tokenId)
    })
  }

  function cut(tokenId: string): void {
    for (const response of held.get(tokenId) ?? []) response.destroy()
  }
}
