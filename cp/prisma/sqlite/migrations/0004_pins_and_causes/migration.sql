-- AlterTable
ALTER TABLE "assignments" ADD COLUMN "cause" TEXT;

-- CreateTable
CREATE TABLE "gateway_pins" (
    "gatewayId" TEXT NOT NULL PRIMARY KEY,
    "generation" INTEGER NOT NULL,
    "configHash" TEXT NOT NULL,
    "since" TEXT NOT NULL,
    "by" TEXT NOT NULL
);
