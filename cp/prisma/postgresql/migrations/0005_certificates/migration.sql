-- AlterTable
ALTER TABLE "gateways" ADD COLUMN     "lockedAt" TEXT COLLATE "C";

-- AlterTable
ALTER TABLE "sealed_keys" ADD COLUMN     "certificate" BYTEA;

-- CreateTable
CREATE TABLE "gateway_certificates" (
    "gatewayId" TEXT COLLATE "C" NOT NULL,
    "serial" TEXT COLLATE "C" NOT NULL,
    "notAfter" TEXT COLLATE "C" NOT NULL,
    "publicKey" BYTEA NOT NULL,
    "issuedAt" TEXT COLLATE "C" NOT NULL,
    "pendingSerial" TEXT COLLATE "C",
    "pendingNotAfter" TEXT COLLATE "C",
    "pendingKey" BYTEA,
    "pendingChain" BYTEA,
    "pendingRenewAfter" TEXT COLLATE "C",
    "overlapUntil" TEXT COLLATE "C",
    "renewalKey" TEXT COLLATE "C",
    "previousKey" BYTEA,
    "renewals" INTEGER NOT NULL DEFAULT 0,
    "recoveries" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "gateway_certificates_pkey" PRIMARY KEY ("gatewayId")
);
