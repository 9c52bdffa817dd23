-- CreateTable
CREATE TABLE "orgs" (
    "name" TEXT NOT NULL PRIMARY KEY,
    "displayName" TEXT,
    "createdAt" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "workspaces" (
    "org" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "displayName" TEXT,
    "createdAt" TEXT NOT NULL,

    PRIMARY KEY ("org", "name")
);

-- CreateTable
CREATE TABLE "environments" (
    "org" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "displayName" TEXT,
    "createdAt" TEXT NOT NULL,

    PRIMARY KEY ("org", "workspace", "name")
);

-- CreateTable
CREATE TABLE "scopes" (
    "scope" TEXT NOT NULL PRIMARY KEY,
    "changeSeq" INTEGER NOT NULL DEFAULT 0
);

-- CreateTable
CREATE TABLE "resources" (
    "uid" TEXT NOT NULL PRIMARY KEY,
    "scope" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "spec" TEXT NOT NULL,
    "specVersion" INTEGER NOT NULL,
    "labels" TEXT NOT NULL,
    "annotations" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "generation" INTEGER NOT NULL,
    "resourceVersion" INTEGER NOT NULL,
    "createdAt" TEXT NOT NULL,
    "updatedAt" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "resource_labels" (
    "uid" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL,

    PRIMARY KEY ("uid", "key")
);

-- CreateTable
CREATE TABLE "resource_refs" (
    "uid" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "pointer" TEXT NOT NULL,

    PRIMARY KEY ("uid", "kind", "name", "pointer")
);

-- CreateTable
CREATE TABLE "changes" (
    "scope" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "object" TEXT NOT NULL,
    "at" TEXT NOT NULL,

    PRIMARY KEY ("scope", "seq")
);

-- CreateTable
CREATE TABLE "audit" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "at" TEXT NOT NULL,
    "org" TEXT,
    "workspace" TEXT,
    "actor" TEXT NOT NULL,
    "actorKind" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "kind" TEXT,
    "name" TEXT,
    "uid" TEXT,
    "source" TEXT,
    "requestId" TEXT,
    "detail" TEXT
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "scope" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "requestSha256" TEXT NOT NULL,
    "status" INTEGER NOT NULL,
    "body" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,

    PRIMARY KEY ("scope", "key")
);

-- CreateTable
CREATE TABLE "facts" (
    "key" TEXT NOT NULL PRIMARY KEY,
    "value" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "sealed_keys" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "purpose" TEXT NOT NULL,
    "publicKey" BLOB NOT NULL,
    "sealed" BLOB NOT NULL,
    "active" BOOLEAN NOT NULL,
    "createdAt" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "enrollments" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "org" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "environment" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "gatewayName" TEXT,
    "tokenSha256" TEXT NOT NULL,
    "labels" TEXT NOT NULL,
    "cidrs" TEXT NOT NULL,
    "expectedInstanceUid" TEXT,
    "maxUses" INTEGER NOT NULL,
    "usedCount" INTEGER NOT NULL DEFAULT 0,
    "createdBy" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,
    "expiresAt" TEXT NOT NULL,
    "revokedAt" TEXT
);

-- CreateTable
CREATE TABLE "redemptions" (
    "enrollmentId" TEXT NOT NULL,
    "idempotencyKey" TEXT NOT NULL,
    "spkiSha256" TEXT NOT NULL,
    "gatewayId" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,
    "confirmedAt" TEXT,

    PRIMARY KEY ("enrollmentId", "idempotencyKey")
);

-- CreateTable
CREATE TABLE "gateways" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "org" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "environment" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "instanceUid" TEXT NOT NULL,
    "origin" TEXT NOT NULL,
    "labels" TEXT NOT NULL,
    "spkiSha256" TEXT NOT NULL,
    "sealingPublicKey" BLOB NOT NULL,
    "credentialSequence" INTEGER NOT NULL,
    "bearerSha256" TEXT,
    "enrollmentId" TEXT NOT NULL,
    "enrolledAt" TEXT NOT NULL,
    "updatedAt" TEXT NOT NULL,
    "revokedAt" TEXT,
    "connection" TEXT NOT NULL,
    "connectionChangedAt" TEXT NOT NULL,
    "lastSeenAt" TEXT,
    "description" TEXT,
    "descriptionHash" TEXT,
    "sessionEpoch" BIGINT NOT NULL DEFAULT 0,
    "bootId" TEXT,
    "appliedHash" TEXT,
    "lkgHash" TEXT,
    "highestGeneration" INTEGER NOT NULL DEFAULT 0
);

-- CreateTable
CREATE TABLE "gateway_tombstones" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "org" TEXT NOT NULL,
    "workspace" TEXT NOT NULL,
    "environment" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "instanceUid" TEXT NOT NULL,
    "bearerSha256" TEXT,
    "deletedAt" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "configs" (
    "hash" TEXT NOT NULL PRIMARY KEY,
    "bytes" BLOB NOT NULL,
    "createdAt" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "assignments" (
    "gatewayId" TEXT NOT NULL,
    "generation" INTEGER NOT NULL,
    "configHash" TEXT NOT NULL,
    "signedHeader" BLOB NOT NULL,
    "signature" BLOB NOT NULL,
    "signingKeyId" TEXT NOT NULL,
    "probationMs" INTEGER NOT NULL,
    "force" BOOLEAN NOT NULL,
    "changeSeq" INTEGER NOT NULL,
    "createdAt" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT,
    "message" TEXT,
    "stateAt" TEXT,

    PRIMARY KEY ("gatewayId", "generation")
);

-- CreateTable
CREATE TABLE "server_revisions" (
    "serverUid" TEXT NOT NULL,
    "subHash" TEXT NOT NULL,
    "entry" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,

    PRIMARY KEY ("serverUid", "subHash")
);

-- CreateTable
CREATE TABLE "server_holds" (
    "gatewayId" TEXT NOT NULL,
    "serverUid" TEXT NOT NULL,
    "subHash" TEXT NOT NULL,
    "server" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "since" TEXT NOT NULL,

    PRIMARY KEY ("gatewayId", "serverUid", "subHash")
);

-- CreateTable
CREATE TABLE "server_controls" (
    "serverUid" TEXT NOT NULL PRIMARY KEY,
    "restarts" INTEGER NOT NULL DEFAULT 0,
    "upgrades" INTEGER NOT NULL DEFAULT 0
);

-- CreateTable
CREATE TABLE "gateway_servers" (
    "gatewayId" TEXT NOT NULL,
    "server" TEXT NOT NULL,
    "serverUid" TEXT,
    "provenSubHash" TEXT,
    "status" TEXT NOT NULL,
    "inventoryHash" TEXT,
    "updatedAt" TEXT NOT NULL,

    PRIMARY KEY ("gatewayId", "server")
);

-- CreateTable
CREATE TABLE "inventories" (
    "hash" TEXT NOT NULL PRIMARY KEY,
    "body" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL
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
