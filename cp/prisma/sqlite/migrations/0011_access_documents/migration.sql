-- CreateTable
CREATE TABLE "access_versions" (
    "scope" TEXT NOT NULL PRIMARY KEY,
    "version" INTEGER NOT NULL,
    "digest" TEXT NOT NULL
);

-- AlterTable
ALTER TABLE "environments" ADD COLUMN "endpointAuth" TEXT NOT NULL DEFAULT 'auto';
ALTER TABLE "environments" ADD COLUMN "maxAccessAgeMs" BIGINT;
