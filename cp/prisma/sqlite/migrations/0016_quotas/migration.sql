-- CreateTable
CREATE TABLE "quotas" (
    "org" TEXT NOT NULL,
    "workspace" TEXT NOT NULL DEFAULT '',
    "environment" TEXT NOT NULL DEFAULT '',
    "gatewaysMax" INTEGER,
    "cpuMillicoresMax" BIGINT,
    "memoryBytesMax" BIGINT,
    "updatedAt" TEXT NOT NULL,

    PRIMARY KEY ("org", "workspace", "environment")
);
