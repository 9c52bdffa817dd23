-- CreateTable
CREATE TABLE "orgs" (
    "name" TEXT COLLATE "C" NOT NULL,
    "displayName" TEXT COLLATE "C",
    "createdAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "orgs_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "workspaces" (
    "org" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "displayName" TEXT COLLATE "C",
    "createdAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "workspaces_pkey" PRIMARY KEY ("org","name")
);

-- CreateTable
CREATE TABLE "environments" (
    "org" TEXT COLLATE "C" NOT NULL,
    "workspace" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "displayName" TEXT COLLATE "C",
    "createdAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "environments_pkey" PRIMARY KEY ("org","workspace","name")
);

-- CreateTable
CREATE TABLE "scopes" (
    "scope" TEXT COLLATE "C" NOT NULL,
    "changeSeq" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "scopes_pkey" PRIMARY KEY ("scope")
);

-- CreateTable
CREATE TABLE "resources" (
    "uid" TEXT COLLATE "C" NOT NULL,
    "scope" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "spec" TEXT COLLATE "C" NOT NULL,
    "specVersion" INTEGER NOT NULL,
    "labels" TEXT COLLATE "C" NOT NULL,
    "annotations" TEXT COLLATE "C" NOT NULL,
    "digest" TEXT COLLATE "C" NOT NULL,
    "generation" INTEGER NOT NULL,
    "resourceVersion" INTEGER NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,
    "updatedAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "resources_pkey" PRIMARY KEY ("uid")
);

-- CreateTable
CREATE TABLE "resource_labels" (
    "uid" TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "value" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "resource_labels_pkey" PRIMARY KEY ("uid","key")
);

-- CreateTable
CREATE TABLE "resource_refs" (
    "uid" TEXT COLLATE "C" NOT NULL,
    "scope" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "pointer" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "resource_refs_pkey" PRIMARY KEY ("uid","kind","name","pointer")
);

-- CreateTable
CREATE TABLE "changes" (
    "scope" TEXT COLLATE "C" NOT NULL,
    "seq" INTEGER NOT NULL,
    "type" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "object" TEXT COLLATE "C" NOT NULL,
    "at" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "changes_pkey" PRIMARY KEY ("scope","seq")
);

-- CreateTable
CREATE TABLE "audit" (
    "id" TEXT COLLATE "C" NOT NULL,
    "at" TEXT COLLATE "C" NOT NULL,
    "org" TEXT COLLATE "C",
    "workspace" TEXT COLLATE "C",
    "actor" TEXT COLLATE "C" NOT NULL,
    "actorKind" TEXT COLLATE "C" NOT NULL,
    "action" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT COLLATE "C",
    "name" TEXT COLLATE "C",
    "uid" TEXT COLLATE "C",
    "source" TEXT COLLATE "C",
    "requestId" TEXT COLLATE "C",
    "detail" TEXT COLLATE "C",

    CONSTRAINT "audit_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "scope" TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "requestSha256" TEXT COLLATE "C" NOT NULL,
    "body" TEXT COLLATE "C" NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("scope","key")
);

-- CreateTable
CREATE TABLE "facts" (
    "key" TEXT COLLATE "C" NOT NULL,
    "value" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "facts_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "sealed_keys" (
    "id" TEXT COLLATE "C" NOT NULL,
    "purpose" TEXT COLLATE "C" NOT NULL,
    "publicKey" BYTEA NOT NULL,
    "sealed" BYTEA NOT NULL,
    "active" BOOLEAN NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "sealed_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "enrollments" (
    "id" TEXT COLLATE "C" NOT NULL,
    "org" TEXT COLLATE "C" NOT NULL,
    "workspace" TEXT COLLATE "C" NOT NULL,
    "environment" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "gatewayName" TEXT COLLATE "C",
    "tokenSha256" TEXT COLLATE "C" NOT NULL,
    "labels" TEXT COLLATE "C" NOT NULL,
    "cidrs" TEXT COLLATE "C" NOT NULL,
    "expectedInstanceUid" TEXT COLLATE "C",
    "maxUses" INTEGER NOT NULL,
    "usedCount" INTEGER NOT NULL DEFAULT 0,
    "createdBy" TEXT COLLATE "C" NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,
    "expiresAt" TEXT COLLATE "C" NOT NULL,
    "revokedAt" TEXT COLLATE "C",

    CONSTRAINT "enrollments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "redemptions" (
    "enrollmentId" TEXT COLLATE "C" NOT NULL,
    "idempotencyKey" TEXT COLLATE "C" NOT NULL,
    "spkiSha256" TEXT COLLATE "C" NOT NULL,
    "gatewayId" TEXT COLLATE "C" NOT NULL,
    "source" TEXT COLLATE "C" NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,
    "confirmedAt" TEXT COLLATE "C",

    CONSTRAINT "redemptions_pkey" PRIMARY KEY ("enrollmentId","idempotencyKey")
);

-- CreateTable
CREATE TABLE "gateways" (
    "id" TEXT COLLATE "C" NOT NULL,
    "org" TEXT COLLATE "C" NOT NULL,
    "workspace" TEXT COLLATE "C" NOT NULL,
    "environment" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "instanceUid" TEXT COLLATE "C" NOT NULL,
    "origin" TEXT COLLATE "C" NOT NULL,
    "labels" TEXT COLLATE "C" NOT NULL,
    "spkiSha256" TEXT COLLATE "C" NOT NULL,
    "sealingPublicKey" BYTEA NOT NULL,
    "credentialSequence" INTEGER NOT NULL,
    "bearerSha256" TEXT COLLATE "C",
    "enrollmentId" TEXT COLLATE "C" NOT NULL,
    "enrolledAt" TEXT COLLATE "C" NOT NULL,
    "updatedAt" TEXT COLLATE "C" NOT NULL,
    "revokedAt" TEXT COLLATE "C",
    "connection" TEXT COLLATE "C" NOT NULL,
    "connectionChangedAt" TEXT COLLATE "C" NOT NULL,
    "lastSeenAt" TEXT COLLATE "C",
    "description" TEXT COLLATE "C",
    "descriptionHash" TEXT COLLATE "C",
    "sessionEpoch" BIGINT NOT NULL DEFAULT 0,
    "bootId" TEXT COLLATE "C",
    "appliedHash" TEXT COLLATE "C",
    "lkgHash" TEXT COLLATE "C",
    "highestGeneration" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "gateways_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "gateway_tombstones" (
    "id" TEXT COLLATE "C" NOT NULL,
    "org" TEXT COLLATE "C" NOT NULL,
    "workspace" TEXT COLLATE "C" NOT NULL,
    "environment" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "instanceUid" TEXT COLLATE "C" NOT NULL,
    "bearerSha256" TEXT COLLATE "C",
    "deletedAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "gateway_tombstones_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "configs" (
    "hash" TEXT COLLATE "C" NOT NULL,
    "bytes" BYTEA NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "configs_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "assignments" (
    "gatewayId" TEXT COLLATE "C" NOT NULL,
    "generation" INTEGER NOT NULL,
    "configHash" TEXT COLLATE "C" NOT NULL,
    "signedHeader" BYTEA NOT NULL,
    "signature" BYTEA NOT NULL,
    "signingKeyId" TEXT COLLATE "C" NOT NULL,
    "probationMs" INTEGER NOT NULL,
    "force" BOOLEAN NOT NULL,
    "changeSeq" INTEGER NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,
    "state" TEXT COLLATE "C" NOT NULL,
    "reason" TEXT COLLATE "C",
    "message" TEXT COLLATE "C",
    "stateAt" TEXT COLLATE "C",

    CONSTRAINT "assignments_pkey" PRIMARY KEY ("gatewayId","generation")
);

-- CreateTable
CREATE TABLE "server_revisions" (
    "serverUid" TEXT COLLATE "C" NOT NULL,
    "subHash" TEXT COLLATE "C" NOT NULL,
    "entry" TEXT COLLATE "C" NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "server_revisions_pkey" PRIMARY KEY ("serverUid","subHash")
);

-- CreateTable
CREATE TABLE "server_holds" (
    "gatewayId" TEXT COLLATE "C" NOT NULL,
    "serverUid" TEXT COLLATE "C" NOT NULL,
    "subHash" TEXT COLLATE "C" NOT NULL,
    "server" TEXT COLLATE "C" NOT NULL,
    "reason" TEXT COLLATE "C" NOT NULL,
    "message" TEXT COLLATE "C" NOT NULL,
    "since" TEXT COLLATE "C" NOT NULL,
    "evidence" TEXT COLLATE "C",

    CONSTRAINT "server_holds_pkey" PRIMARY KEY ("gatewayId","serverUid","subHash")
);

-- CreateTable
CREATE TABLE "server_controls" (
    "serverUid" TEXT COLLATE "C" NOT NULL,
    "restarts" INTEGER NOT NULL DEFAULT 0,
    "upgrades" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "server_controls_pkey" PRIMARY KEY ("serverUid")
);

-- CreateTable
CREATE TABLE "gateway_servers" (
    "gatewayId" TEXT COLLATE "C" NOT NULL,
    "server" TEXT COLLATE "C" NOT NULL,
    "serverUid" TEXT COLLATE "C",
    "provenSubHash" TEXT COLLATE "C",
    "status" TEXT COLLATE "C" NOT NULL,
    "inventoryHash" TEXT COLLATE "C",
    "updatedAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "gateway_servers_pkey" PRIMARY KEY ("gatewayId","server")
);

-- CreateTable
CREATE TABLE "inventories" (
    "hash" TEXT COLLATE "C" NOT NULL,
    "body" TEXT COLLATE "C" NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "inventories_pkey" PRIMARY KEY ("hash")
);

-- CreateIndex
CREATE UNIQUE INDEX "resources_scope_kind_name_key" ON "resources"("scope", "kind", "name");

-- CreateIndex
CREATE INDEX "resource_labels_key_value_idx" ON "resource_labels"("key", "value");

-- CreateIndex
CREATE INDEX "resource_refs_scope_kind_name_idx" ON "resource_refs"("scope", "kind", "name");

-- CreateIndex
CREATE INDEX "changes_at_idx" ON "changes"("at");

-- CreateIndex
CREATE INDEX "audit_org_at_idx" ON "audit"("org", "at");

-- CreateIndex
CREATE INDEX "audit_at_idx" ON "audit"("at");

-- CreateIndex
CREATE INDEX "idempotency_keys_createdAt_idx" ON "idempotency_keys"("createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "enrollments_tokenSha256_key" ON "enrollments"("tokenSha256");

-- CreateIndex
CREATE UNIQUE INDEX "enrollments_org_workspace_environment_name_key" ON "enrollments"("org", "workspace", "environment", "name");

-- CreateIndex
CREATE INDEX "redemptions_gatewayId_idx" ON "redemptions"("gatewayId");

-- CreateIndex
CREATE UNIQUE INDEX "gateways_bearerSha256_key" ON "gateways"("bearerSha256");

-- CreateIndex
CREATE UNIQUE INDEX "gateways_org_workspace_instanceUid_key" ON "gateways"("org", "workspace", "instanceUid");

-- CreateIndex
CREATE UNIQUE INDEX "gateways_org_workspace_environment_name_key" ON "gateways"("org", "workspace", "environment", "name");

-- CreateIndex
CREATE INDEX "gateway_tombstones_bearerSha256_idx" ON "gateway_tombstones"("bearerSha256");

-- CreateIndex
CREATE INDEX "assignments_configHash_idx" ON "assignments"("configHash");
