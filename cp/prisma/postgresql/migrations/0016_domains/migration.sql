-- CreateTable
CREATE TABLE "domains" (
    "org" TEXT COLLATE "C" NOT NULL,
    "host" TEXT COLLATE "C" NOT NULL,
    "value" TEXT COLLATE "C" NOT NULL,
    "createdAt" TEXT COLLATE "C" NOT NULL,
    "createdBy" TEXT COLLATE "C" NOT NULL,
    "verifiedAt" TEXT COLLATE "C",

    CONSTRAINT "domains_pkey" PRIMARY KEY ("org","host")
);
