-- AlterTable
ALTER TABLE "enrollments" ADD COLUMN     "operationId" TEXT COLLATE "C";

-- CreateTable; the CHECK is written by hand, and no bug reserves more than there is
CREATE TABLE "clusters" (
    "id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "driver" TEXT COLLATE "C" NOT NULL,
    "state" TEXT COLLATE "C" NOT NULL,
    "region" TEXT COLLATE "C" NOT NULL,
    "isolationTier" TEXT COLLATE "C" NOT NULL,
    "labels" TEXT COLLATE "C" NOT NULL,
    "gatewaysMax" INTEGER NOT NULL,
    "cpuMillicoresTotal" BIGINT,
    "memoryBytesTotal" BIGINT,
    "totalsGiven" BOOLEAN NOT NULL,
    "gatewaysReserved" INTEGER NOT NULL DEFAULT 0,
    "cpuMillicoresReserved" BIGINT NOT NULL DEFAULT 0,
    "memoryBytesReserved" BIGINT NOT NULL DEFAULT 0,
    "credentialsRef" TEXT COLLATE "C",
    "message" TEXT COLLATE "C",
    "lastProbeAt" TEXT COLLATE "C",
    "failureScore" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "failedAt" TEXT COLLATE "C",
    "backoffUntil" TEXT COLLATE "C",
    "version" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TEXT COLLATE "C" NOT NULL,
    "updatedAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "clusters_pkey" PRIMARY KEY ("id"),

    CONSTRAINT "clusters_capacity" CHECK ("gatewaysReserved" >= 0 AND "cpuMillicoresReserved" >= 0 AND "memoryBytesReserved" >= 0
        AND "gatewaysReserved" <= "gatewaysMax"
        AND ("cpuMillicoresTotal" IS NULL OR "cpuMillicoresReserved" <= "cpuMillicoresTotal")
        AND ("memoryBytesTotal" IS NULL OR "memoryBytesReserved" <= "memoryBytesTotal"))
);

-- CreateTable
CREATE TABLE "reservations" (
    "id" TEXT COLLATE "C" NOT NULL,
    "operationId" TEXT COLLATE "C" NOT NULL,
    "clusterId" TEXT COLLATE "C" NOT NULL,
    "gatewayUid" TEXT COLLATE "C" NOT NULL,
    "gateways" INTEGER NOT NULL,
    "cpuMillicores" BIGINT NOT NULL,
    "memoryBytes" BIGINT NOT NULL,
    "state" TEXT COLLATE "C" NOT NULL,
    "expiresAt" TEXT COLLATE "C",
    "createdAt" TEXT COLLATE "C" NOT NULL,
    "updatedAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "reservations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operations" (
    "id" TEXT COLLATE "C" NOT NULL,
    "org" TEXT COLLATE "C" NOT NULL,
    "workspace" TEXT COLLATE "C" NOT NULL,
    "environment" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "gateway" TEXT COLLATE "C" NOT NULL,
    "gatewayUid" TEXT COLLATE "C" NOT NULL,
    "clusterId" TEXT COLLATE "C",
    "activeKey" TEXT COLLATE "C",
    "state" TEXT COLLATE "C" NOT NULL,
    "phase" TEXT COLLATE "C" NOT NULL,
    "step" TEXT COLLATE "C" NOT NULL,
    "attempt" INTEGER NOT NULL,
    "compensating" BOOLEAN NOT NULL,
    "cancelRequestedAt" TEXT COLLATE "C",
    "leaseOwner" TEXT COLLATE "C",
    "leaseUntil" TEXT COLLATE "C",
    "input" TEXT COLLATE "C" NOT NULL,
    "data" TEXT COLLATE "C" NOT NULL,
    "seq" INTEGER NOT NULL,
    "errorReason" TEXT COLLATE "C",
    "errorMessage" TEXT COLLATE "C",
    "startedBy" TEXT COLLATE "C" NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,
    "updatedAt" TEXT COLLATE "C" NOT NULL,
    "finishedAt" TEXT COLLATE "C",

    CONSTRAINT "operations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operation_events" (
    "operationId" TEXT COLLATE "C" NOT NULL,
    "seq" INTEGER NOT NULL,
    "phase" TEXT COLLATE "C" NOT NULL,
    "step" TEXT COLLATE "C" NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL,
    "message" TEXT COLLATE "C" NOT NULL,
    "data" TEXT COLLATE "C",
    "at" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "operation_events_pkey" PRIMARY KEY ("operationId","seq")
);

-- CreateTable
CREATE TABLE "managed_gateways" (
    "instanceUid" TEXT COLLATE "C" NOT NULL,
    "org" TEXT COLLATE "C" NOT NULL,
    "workspace" TEXT COLLATE "C" NOT NULL,
    "environment" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "clusterId" TEXT COLLATE "C" NOT NULL,
    "state" TEXT COLLATE "C" NOT NULL,
    "parameters" TEXT COLLATE "C" NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,
    "updatedAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "managed_gateways_pkey" PRIMARY KEY ("instanceUid")
);

-- CreateIndex
CREATE UNIQUE INDEX "clusters_name_key" ON "clusters"("name");

-- CreateIndex
CREATE UNIQUE INDEX "reservations_operationId_key" ON "reservations"("operationId");

-- CreateIndex
CREATE INDEX "reservations_clusterId_state_idx" ON "reservations"("clusterId", "state");

-- CreateIndex
CREATE INDEX "reservations_gatewayUid_idx" ON "reservations"("gatewayUid");

-- CreateIndex
CREATE INDEX "reservations_state_expiresAt_idx" ON "reservations"("state", "expiresAt");

-- CreateIndex
CREATE UNIQUE INDEX "operations_activeKey_key" ON "operations"("activeKey");

-- CreateIndex
CREATE INDEX "operations_org_id_idx" ON "operations"("org", "id");

-- CreateIndex
CREATE INDEX "operations_state_leaseUntil_idx" ON "operations"("state", "leaseUntil");

-- CreateIndex
CREATE INDEX "operations_finishedAt_idx" ON "operations"("finishedAt");

-- CreateIndex
CREATE INDEX "managed_gateways_clusterId_idx" ON "managed_gateways"("clusterId");

-- CreateIndex
CREATE UNIQUE INDEX "managed_gateways_org_workspace_environment_name_key" ON "managed_gateways"("org", "workspace", "environment", "name");
