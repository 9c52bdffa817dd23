import type { Words } from '../../context.ts'

export const words: Words = (program) => {
  program.command('create').description('create an object without a manifest, with a flag for each of its fields')
}
