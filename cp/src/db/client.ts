import { Prisma, type PrismaClient } from './generated/sqlite/client.ts'

/** A transaction of `db.write`: inside it only the database is awaited, no network, no file, no crypto over 1 ms. */
export type Tx = Prisma.TransactionClient

/** Parts of a statement whose values are always parameters; for `read.$queryRaw`. The text must mean the same to both engines. */
export const sql = Prisma.sql
export const joinSql = Prisma.join
export type Sql = Prisma.Sql

type ReadMethod = 'findUnique' | 'findFirst' | 'findMany' | 'count' | 'aggregate' | 'groupBy'
type Model = Exclude<keyof PrismaClient, `$${string}` | symbol>
/** The client without its writes; the connection behind it is opened read-only too. */
export type Reads = { [Name in Model]: Pick<PrismaClient[Name], Extract<ReadMethod, keyof PrismaClient[Name]>> } & Pick<
  PrismaClient,
  '$queryRaw'
>
