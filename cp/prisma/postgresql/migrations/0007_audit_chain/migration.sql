-- AlterTable
ALTER TABLE "audit" ADD COLUMN     "afterDigest" TEXT COLLATE "C",
ADD COLUMN     "beforeDigest" TEXT COLLATE "C",
ADD COLUMN     "hash" TEXT COLLATE "C",
ADD COLUMN     "impersonator" TEXT COLLATE "C",
ADD COLUMN     "seq" INTEGER;

-- CreateTable
CREATE TABLE "audit_seals" (
    "org" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "seq" INTEGER NOT NULL,
    "hash" TEXT COLLATE "C" NOT NULL,
    "at" TEXT COLLATE "C" NOT NULL,
    "detail" TEXT COLLATE "C" NOT NULL,
    "signature" BYTEA NOT NULL,
    "keyId" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "audit_seals_pkey" PRIMARY KEY ("org","kind","seq")
);

-- CreateIndex
CREATE UNIQUE INDEX "audit_org_seq_key" ON "audit"("org", "seq");
