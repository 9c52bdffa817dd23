-- CreateIndex
CREATE INDEX "resources_scope_kind_createdAt_name_idx" ON "resources"("scope", "kind", "createdAt", "name");

-- CreateIndex
CREATE INDEX "resources_scope_kind_updatedAt_name_idx" ON "resources"("scope", "kind", "updatedAt", "name");
