-- AlterTable
ALTER TABLE "server_holds" ADD COLUMN "evidence" TEXT;
