-- CreateTable
CREATE TABLE "events" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "scope" TEXT NOT NULL,
    "environment" TEXT,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "warning" BOOLEAN NOT NULL,
    "message" TEXT NOT NULL,
    "server" TEXT,
    "gateway" TEXT,
    "count" INTEGER NOT NULL,
    "firstAt" TEXT NOT NULL,
    "lastAt" TEXT NOT NULL
);

-- CreateIndex
CREATE INDEX "events_lastAt_idx" ON "events"("lastAt");
