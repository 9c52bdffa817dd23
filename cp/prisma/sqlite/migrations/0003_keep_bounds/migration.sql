-- The answer of a route has one status; only the body is kept.
ALTER TABLE "idempotency_keys" DROP COLUMN "status";

-- Rows past their time are found without reading the whole trail.
CREATE INDEX "audit_at_idx" ON "audit"("at");
