-- AlterTable
ALTER TABLE "audit" ADD COLUMN "afterDigest" TEXT;
ALTER TABLE "audit" ADD COLUMN "beforeDigest" TEXT;
ALTER TABLE "audit" ADD COLUMN "hash" TEXT;
ALTER TABLE "audit" ADD COLUMN "impersonator" TEXT;
ALTER TABLE "audit" ADD COLUMN "seq" INTEGER;

-- CreateTable
CREATE TABLE "audit_seals" (
    "org" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "hash" TEXT NOT NULL,
    "at" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "signature" BLOB NOT NULL,
    "keyId" TEXT NOT NULL,

    PRIMARY KEY ("org", "kind", "seq")
);

-- CreateIndex
CREATE UNIQUE INDEX "audit_org_seq_key" ON "audit"("org", "seq");
