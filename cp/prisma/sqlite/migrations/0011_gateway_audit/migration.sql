-- CreateTable
CREATE TABLE "gateway_audit" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "gatewayId" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "at" TEXT NOT NULL,
    "org" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "verified" BOOLEAN NOT NULL,
    "action" TEXT NOT NULL,
    "server" TEXT,
    "target" TEXT,
    "session" TEXT,
    "client" TEXT,
    "outcome" TEXT NOT NULL,
    "requestId" TEXT,
    "bytes" BLOB NOT NULL,
    "hash" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "gateway_audit_runs" (
    "gatewayId" TEXT NOT NULL,
    "began" BIGINT NOT NULL,
    "org" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "because" TEXT NOT NULL,
    "first" BIGINT NOT NULL,
    "before" TEXT NOT NULL,
    "through" BIGINT NOT NULL,
    "hash" TEXT NOT NULL,
    "removed" BIGINT NOT NULL,
    "dropped" BIGINT NOT NULL,
    "at" TEXT NOT NULL,
    "signature" BLOB NOT NULL,
    "keyId" TEXT NOT NULL,

    PRIMARY KEY ("gatewayId", "began")
);

-- CreateIndex
CREATE INDEX "gateway_audit_org_at_idx" ON "gateway_audit"("org", "at");

-- CreateIndex
CREATE UNIQUE INDEX "gateway_audit_gatewayId_seq_key" ON "gateway_audit"("gatewayId", "seq");

-- CreateIndex
CREATE INDEX "gateway_audit_runs_org_idx" ON "gateway_audit_runs"("org");
