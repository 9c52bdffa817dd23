-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "endpointAuth" TEXT COLLATE "C" NOT NULL DEFAULT 'auto',
ADD COLUMN     "maxAccessAgeMs" BIGINT;

-- CreateTable
CREATE TABLE "access_versions" (
    "scope" TEXT COLLATE "C" NOT NULL,
    "version" INTEGER NOT NULL,
    "digest" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "access_versions_pkey" PRIMARY KEY ("scope")
);
