// The part of @npmcli/arborist 10 that is used here; it ships no types.
declare module '@npmcli/arborist' {
  type InstalledNode = { version: string; integrity: string | null; path: string }
  export default class Arborist {
    constructor(options: Record<string, unknown> & { path: string })
    reify(options: { add: string[]; save?: boolean; saveType?: string }): Promise<{ children: Map<string, InstalledNode> }>
  }
}
