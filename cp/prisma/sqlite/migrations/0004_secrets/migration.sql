-- CreateTable
CREATE TABLE "resource_parts" (
    "uid" TEXT NOT NULL,
    "part" TEXT NOT NULL,

    PRIMARY KEY ("uid", "part")
);

-- CreateTable
CREATE TABLE "secret_keys" (
    "scope" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "updatedAt" TEXT NOT NULL,

    PRIMARY KEY ("scope", "name", "key")
);

-- CreateTable
CREATE TABLE "secret_values" (
    "scope" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "secretUid" TEXT NOT NULL,
    "dataKeyId" TEXT NOT NULL,
    "sealed" BLOB NOT NULL,
    "createdAt" TEXT NOT NULL,

    PRIMARY KEY ("scope", "name", "key", "version")
);

-- AlterTable
ALTER TABLE "resource_refs" ADD COLUMN "part" TEXT NOT NULL DEFAULT '';
