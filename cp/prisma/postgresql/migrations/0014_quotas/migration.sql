-- CreateTable
CREATE TABLE "quotas" (
    "org" TEXT COLLATE "C" NOT NULL,
    "workspace" TEXT COLLATE "C" NOT NULL DEFAULT '',
    "environment" TEXT COLLATE "C" NOT NULL DEFAULT '',
    "gatewaysMax" INTEGER,
    "cpuMillicoresMax" BIGINT,
    "memoryBytesMax" BIGINT,
    "updatedAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "quotas_pkey" PRIMARY KEY ("org","workspace","environment")
);
