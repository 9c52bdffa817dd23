-- CreateTable
CREATE TABLE "domains" (
    "org" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,
    "createdBy" TEXT NOT NULL,
    "verifiedAt" TEXT,

    PRIMARY KEY ("org", "host")
);
