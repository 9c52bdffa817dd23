import { toYaml } from '../../manifest/print-form.ts'
import { section } from '../section.ts'
import { harmless, oneLine, pairs, table } from '../table.ts'
import type { User } from './related.ts'

/** Fields with their titles; those without a value are left out. */
export function facts(title: string, entries: [string, string | undefined][]): string[] {
  const filled = entries.flatMap(([name, value]): [string, string][] => (value ? [[name, oneLine(value)]] : []))
  return section(title, pairs(filled))
}

export const rows = (title: string, header: string[], all: string[][], otherwise: string[] = []): string[] =>
  section(title, all.length > 0 ? table(header, all) : otherwise)

/** A text of several lines as it stands there. */
export const text = (title: string, content = ''): string[] => section(title, content === '' ? [] : lines(content))

export const yaml = (title: string, value: object): string[] =>
  section(title, Object.keys(value).length === 0 ? [] : lines(toYaml(value).trimEnd()))

export const usedBy = (users: User[], otherwise: string): string[] =>
  rows(
    'Used by',
    ['object', 'as'],
    users.map(({ object, as }) => [object, as]),
    [otherwise],
  )

/** Command lines that go on from here. */
export const next = (...commands: string[]): string[] => section('Next', commands)

const lines = (content: string) => harmless(content).trimEnd().split('\n')
