-- CreateTable
CREATE TABLE "gateway_hostnames" (
    "hostname" TEXT COLLATE "C" NOT NULL,
    "gatewayUid" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "gateway_hostnames_pkey" PRIMARY KEY ("hostname")
);

-- CreateIndex
CREATE INDEX "gateway_hostnames_gatewayUid_idx" ON "gateway_hostnames"("gatewayUid");

-- What gateways have already; of two that came to one name at the same moment one keeps it.
INSERT INTO "gateway_hostnames" ("hostname", "gatewayUid")
SELECT "parameters"::json ->> 'customHostname', "instanceUid" FROM "managed_gateways"
WHERE "parameters"::json ->> 'customHostname' IS NOT NULL
ON CONFLICT DO NOTHING;
