-- CreateTable
CREATE TABLE "gateway_hostnames" (
    "hostname" TEXT NOT NULL PRIMARY KEY,
    "gatewayUid" TEXT NOT NULL
);

-- CreateIndex
CREATE INDEX "gateway_hostnames_gatewayUid_idx" ON "gateway_hostnames"("gatewayUid");

-- What gateways have already; of two that came to one name at the same moment one keeps it.
INSERT OR IGNORE INTO "gateway_hostnames" ("hostname", "gatewayUid")
SELECT json_extract("parameters", '$.customHostname'), "instanceUid" FROM "managed_gateways"
WHERE json_extract("parameters", '$.customHostname') IS NOT NULL;
