-- CreateTable
CREATE TABLE "gateway_audit" (
    "id" TEXT COLLATE "C" NOT NULL,
    "gatewayId" TEXT COLLATE "C" NOT NULL,
    "seq" BIGINT NOT NULL,
    "at" TEXT COLLATE "C" NOT NULL,
    "org" TEXT COLLATE "C" NOT NULL,
    "workspace" TEXT COLLATE "C" NOT NULL,
    "gateway" TEXT COLLATE "C" NOT NULL,
    "actor" TEXT COLLATE "C" NOT NULL,
    "verified" BOOLEAN NOT NULL,
    "action" TEXT COLLATE "C" NOT NULL,
    "server" TEXT COLLATE "C",
    "target" TEXT COLLATE "C",
    "session" TEXT COLLATE "C",
    "client" TEXT COLLATE "C",
    "outcome" TEXT COLLATE "C" NOT NULL,
    "requestId" TEXT COLLATE "C",
    "bytes" BYTEA NOT NULL,
    "hash" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "gateway_audit_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "gateway_audit_runs" (
    "gatewayId" TEXT COLLATE "C" NOT NULL,
    "began" BIGINT NOT NULL,
    "org" TEXT COLLATE "C" NOT NULL,
    "gateway" TEXT COLLATE "C" NOT NULL,
    "because" TEXT COLLATE "C" NOT NULL,
    "first" BIGINT NOT NULL,
    "before" TEXT COLLATE "C" NOT NULL,
    "through" BIGINT NOT NULL,
    "hash" TEXT COLLATE "C" NOT NULL,
    "removed" BIGINT NOT NULL,
    "dropped" BIGINT NOT NULL,
    "at" TEXT COLLATE "C" NOT NULL,
    "signature" BYTEA NOT NULL,
    "keyId" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "gateway_audit_runs_pkey" PRIMARY KEY ("gatewayId","began")
);

-- CreateIndex
CREATE INDEX "gateway_audit_org_at_idx" ON "gateway_audit"("org", "at");

-- CreateIndex
CREATE UNIQUE INDEX "gateway_audit_gatewayId_seq_key" ON "gateway_audit"("gatewayId", "seq");

-- CreateIndex
CREATE INDEX "gateway_audit_runs_org_idx" ON "gateway_audit_runs"("org");
