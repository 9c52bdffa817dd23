-- AlterTable
ALTER TABLE "accounts" ADD COLUMN "signedOutAt" TEXT;
