-- AlterTable
ALTER TABLE "accounts" ADD COLUMN     "groups" TEXT COLLATE "C" NOT NULL DEFAULT '[]';

-- CreateTable
CREATE TABLE "tokens" (
    "id" TEXT COLLATE "C" NOT NULL,
    "scope" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "org" TEXT COLLATE "C" NOT NULL,
    "workspace" TEXT COLLATE "C",
    "project" TEXT COLLATE "C",
    "sha256" TEXT COLLATE "C" NOT NULL,
    "ownerKind" TEXT COLLATE "C" NOT NULL,
    "owner" TEXT COLLATE "C" NOT NULL,
    "createdBy" TEXT COLLATE "C" NOT NULL,
    "grants" TEXT COLLATE "C",
    "createdAt" TEXT COLLATE "C" NOT NULL,
    "updatedAt" TEXT COLLATE "C" NOT NULL,
    "expiresAt" TEXT COLLATE "C",
    "revokedAt" TEXT COLLATE "C",
    "lastUsedAt" TEXT COLLATE "C",

    CONSTRAINT "tokens_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "tokens_sha256_key" ON "tokens"("sha256");

-- CreateIndex
CREATE INDEX "tokens_org_workspace_idx" ON "tokens"("org", "workspace");

-- CreateIndex
CREATE UNIQUE INDEX "tokens_scope_name_key" ON "tokens"("scope", "name");
