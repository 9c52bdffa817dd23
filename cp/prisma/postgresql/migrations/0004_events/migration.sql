-- CreateTable
CREATE TABLE "events" (
    "id" TEXT COLLATE "C" NOT NULL,
    "scope" TEXT COLLATE "C" NOT NULL,
    "environment" TEXT COLLATE "C",
    "kind" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "reason" TEXT COLLATE "C" NOT NULL,
    "warning" BOOLEAN NOT NULL,
    "message" TEXT COLLATE "C" NOT NULL,
    "server" TEXT COLLATE "C",
    "gateway" TEXT COLLATE "C",
    "count" INTEGER NOT NULL,
    "firstAt" TEXT COLLATE "C" NOT NULL,
    "lastAt" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "events_lastAt_idx" ON "events"("lastAt");
