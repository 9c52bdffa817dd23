-- AlterTable
ALTER TABLE "accounts" ADD COLUMN "groups" TEXT NOT NULL DEFAULT '[]';

-- CreateTable
CREATE TABLE "tokens" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "scope" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "org" TEXT NOT NULL,
    "workspace" TEXT,
    "project" TEXT,
    "sha256" TEXT NOT NULL,
    "ownerKind" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "createdBy" TEXT NOT NULL,
    "grants" TEXT,
    "createdAt" TEXT NOT NULL,
    "updatedAt" TEXT NOT NULL,
    "expiresAt" TEXT,
    "revokedAt" TEXT,
    "lastUsedAt" TEXT
);

-- CreateIndex
CREATE UNIQUE INDEX "tokens_sha256_key" ON "tokens"("sha256");

-- CreateIndex
CREATE INDEX "tokens_org_workspace_idx" ON "tokens"("org", "workspace");

-- CreateIndex
CREATE UNIQUE INDEX "tokens_scope_name_key" ON "tokens"("scope", "name");
