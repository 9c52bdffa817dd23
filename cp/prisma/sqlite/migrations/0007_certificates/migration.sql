-- AlterTable
ALTER TABLE "gateways" ADD COLUMN "lockedAt" TEXT;

-- AlterTable
ALTER TABLE "sealed_keys" ADD COLUMN "certificate" BLOB;

-- CreateTable
CREATE TABLE "gateway_certificates" (
    "gatewayId" TEXT NOT NULL PRIMARY KEY,
    "serial" TEXT NOT NULL,
    "notAfter" TEXT NOT NULL,
    "publicKey" BLOB NOT NULL,
    "issuedAt" TEXT NOT NULL,
    "pendingSerial" TEXT,
    "pendingNotAfter" TEXT,
    "pendingKey" BLOB,
    "pendingChain" BLOB,
    "pendingRenewAfter" TEXT,
    "overlapUntil" TEXT,
    "renewalKey" TEXT,
    "previousKey" BLOB,
    "renewals" INTEGER NOT NULL DEFAULT 0,
    "recoveries" INTEGER NOT NULL DEFAULT 0
);
