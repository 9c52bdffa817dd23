-- AlterTable
ALTER TABLE "clusters" ADD COLUMN "drain" TEXT;
