// A life of a config machine in a process of its own, to be killed: `node config-child.ts <folder>`, input as JSON on stdin.
import { text } from 'node:stream/consumers'
import { crashPoint } from '../src/config/crash-point.ts'
import { lifeOf, type LifeInput } from './config-life.ts'

const folder = process.argv[2] ?? ''
await lifeOf(folder, JSON.parse(await text(process.stdin)) as LifeInput, crashPoint(process.env, folder))
