-- AlterTable
ALTER TABLE "resource_refs" ADD COLUMN     "part" TEXT COLLATE "C" NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "resource_parts" (
    "uid" TEXT COLLATE "C" NOT NULL,
    "part" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "resource_parts_pkey" PRIMARY KEY ("uid","part")
);

-- CreateTable
CREATE TABLE "secret_keys" (
    "scope" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "version" INTEGER NOT NULL,
    "updatedAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "secret_keys_pkey" PRIMARY KEY ("scope","name","key")
);

-- CreateTable
CREATE TABLE "secret_values" (
    "scope" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "version" INTEGER NOT NULL,
    "secretUid" TEXT COLLATE "C" NOT NULL,
    "dataKeyId" TEXT COLLATE "C" NOT NULL,
    "sealed" BYTEA NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "secret_values_pkey" PRIMARY KEY ("scope","name","key","version")
);
