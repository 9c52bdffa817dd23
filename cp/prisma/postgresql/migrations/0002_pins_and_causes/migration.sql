-- AlterTable
ALTER TABLE "assignments" ADD COLUMN     "cause" TEXT COLLATE "C";

-- CreateTable
CREATE TABLE "gateway_pins" (
    "gatewayId" TEXT COLLATE "C" NOT NULL,
    "generation" INTEGER NOT NULL,
    "configHash" TEXT COLLATE "C" NOT NULL,
    "since" TEXT COLLATE "C" NOT NULL,
    "by" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "gateway_pins_pkey" PRIMARY KEY ("gatewayId")
);
