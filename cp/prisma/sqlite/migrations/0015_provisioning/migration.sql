-- AlterTable
ALTER TABLE "enrollments" ADD COLUMN "operationId" TEXT;

-- CreateTable; the CHECK is written by hand, and no bug reserves more than there is
CREATE TABLE "clusters" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "driver" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "region" TEXT NOT NULL,
    "isolationTier" TEXT NOT NULL,
    "labels" TEXT NOT NULL,
    "gatewaysMax" INTEGER NOT NULL,
    "cpuMillicoresTotal" BIGINT,
    "memoryBytesTotal" BIGINT,
    "totalsGiven" BOOLEAN NOT NULL,
    "gatewaysReserved" INTEGER NOT NULL DEFAULT 0,
    "cpuMillicoresReserved" BIGINT NOT NULL DEFAULT 0,
    "memoryBytesReserved" BIGINT NOT NULL DEFAULT 0,
    "credentialsRef" TEXT,
    "message" TEXT,
    "lastProbeAt" TEXT,
    "failureScore" REAL NOT NULL DEFAULT 0,
    "failedAt" TEXT,
    "backoffUntil" TEXT,
    "version" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TEXT NOT NULL,
    "updatedAt" TEXT NOT NULL,

    CONSTRAINT "clusters_capacity" CHECK ("gatewaysReserved" >= 0 AND "cpuMillicoresReserved" >= 0 AND "memoryBytesReserved" >= 0
        AND "gatewaysReserved" <= "gatewaysMax"
        AND ("cpuMillicoresTotal" IS NULL OR "cpuMillicoresReserved" <= "cpuMillicoresTotal")
        AND ("memoryBytesTotal" IS NULL OR "memoryBytesReserved" <= "memoryBytesTotal"))
);

-- CreateTable
CREATE TABLE "reservations" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "operationId" TEXT NOT NULL,
    "clusterId" TEXT NOT NULL,
    "gatewayUid" TEXT NOT NULL,
    "gateways" INTEGER NOT NULL,
    "cpuMillicores" BIGINT NOT NULL,
    "memoryBytes" BIGINT NOT NULL,
    "state" TEXT NOT NULL,
    "expiresAt" TEXT,
    "createdAt" TEXT NOT NULL,
    "updatedAt" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "operations" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "org" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "environment" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "gatewayUid" TEXT NOT NULL,
    "clusterId" TEXT,
    "activeKey" TEXT,
    "state" TEXT NOT NULL,
    "phase" TEXT NOT NULL,
    "step" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "compensating" BOOLEAN NOT NULL,
    "cancelRequestedAt" TEXT,
    "leaseOwner" TEXT,
    "leaseUntil" TEXT,
    "input" TEXT NOT NULL,
    "data" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "errorReason" TEXT,
    "errorMessage" TEXT,
    "startedBy" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,
    "updatedAt" TEXT NOT NULL,
    "finishedAt" TEXT
);

-- CreateTable
CREATE TABLE "operation_events" (
    "operationId" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "phase" TEXT NOT NULL,
    "step" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "data" TEXT,
    "at" TEXT NOT NULL,

    PRIMARY KEY ("operationId", "seq")
);

-- CreateTable
CREATE TABLE "managed_gateways" (
    "instanceUid" TEXT NOT NULL PRIMARY KEY,
    "org" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "environment" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "clusterId" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "parameters" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,
    "updatedAt" TEXT NOT NULL
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
