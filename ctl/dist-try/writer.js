import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// cp/src/db/writer.ts
import Database from "better-sqlite3";
import { parentPort, workerData } from "node:worker_threads";
if (!parentPort) throw new Error("writer is the entry of a worker thread");
var port = parentPort;
var database = new Database(workerData.path, { timeout: 5e3 });
var auditColumns = [
  "id",
  "at",
  "org",
  "workspace",
  "actor",
  "actorKind",
  "action",
  "kind",
  "name",
  "uid",
  "source",
  "requestId",
  "detail"
];
var insertAudit = database.prepare(
  `INSERT INTO audit (${auditColumns.join(", ")}) VALUES (${auditColumns.map((name) => `@${name}`).join(", ")})`
);
var findVersion = database.prepare("SELECT uid, resourceVersion FROM resources WHERE scope = ? AND kind = ? AND name = ?");
var addScope = database.prepare("INSERT INTO scopes (scope, changeSeq) VALUES (?, 0) ON CONFLICT (scope) DO NOTHING");
var nextSeq = database.prepare("UPDATE scopes SET changeSeq = changeSeq + 1 WHERE scope = ? RETURNING changeSeq").pluck();
var insertResource = database.prepare(
  `INSERT INTO resources (uid, scope, kind, name, spec, specVersion, labels, annotations, digest, generation, resourceVersion, createdAt, updatedAt)
   VALUES (@uid, @scope, @kind, @name, @spec, @specVersion, @labels, @annotations, @digest, @generation, @resourceVersion, @createdAt, @updatedAt)`
);
var updateResource = database.prepare(
  `UPDATE resources SET spec = @spec, specVersion = @specVersion, labels = @labels, annotations = @annotations, digest = @digest,
   generation = @generation, resourceVersion = @resourceVersion, updatedAt = @updatedAt WHERE uid = @uid`
);
var deleteResource = database.prepare("DELETE FROM resources WHERE uid = ?");
var deleteLabels = database.prepare("DELETE FROM resource_labels WHERE uid = ?");
var insertLabel = database.prepare("INSERT INTO resource_labels (uid, key, value) VALUES (?, ?, ?)");
var deleteRefs = database.prepare("DELETE FROM resource_refs WHERE uid = ?");
var insertRef = database.prepare("INSERT INTO resource_refs (uid, scope, kind, name, pointer) VALUES (?, ?, ?, ?, ?)");
var findReferrers = database.prepare(
  `SELECT r.kind, r.name, f.pointer FROM resource_refs f JOIN resources r ON r.uid = f.uid WHERE f.scope = ? AND f.kind = ? AND f.name = ? LIMIT 10`
);
var insertChange = database.prepare("INSERT INTO changes (scope, seq, type, kind, name, object, at) VALUES (?, ?, ?, ?, ?, ?, ?)");
var Refused = class extends Error {
  answer;
  constructor(answer2) {
    super(answer2.outcome);
    this.answer = answer2;
  }
};
var applyInTransaction = database.transaction(({ scope, at, changes }) => {
  addScope.run(scope);
  const versions = changes.map((change) => {
    refuseStale(scope, change);
    const seq = nextSeq.get(scope);
    write(scope, change, seq);
    insertChange.run(scope, seq, change.type, change.row.kind, change.row.name, change.object, at);
    insertAudit.run(change.audit);
    return seq;
  });
  refuseBrokenReferences(scope, changes);
  return versions;
});
var appendInTransaction = database.transaction((rows) => {
  for (const row of rows) insertAudit.run(row);
  return rows.length;
});
port.on("message", (request) => {
  if (request === "close") {
    database.close();
    port.close();
    return;
  }
  port.postMessage(answer(request));
});
function answer(request) {
  try {
    return { ok: true, value: request.op === "appendAudit" ? appendInTransaction.immediate(request.rows) : applyResources(request.batch) };
  } catch (error) {
    const { code, message } = error;
    return { ok: false, code, message: message ?? String(error) };
  }
}
function applyResources(batch) {
  try {
    return { outcome: "committed", versions: applyInTransaction.immediate(batch) };
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    throw error;
  }
}
function refuseStale(scope, { was, row }) {
  const now = findVersion.get(scope, row.kind, row.name);
  if ((now?.resourceVersion ?? null) !== was || now && now.uid !== row.uid)
    throw new Refused({ outcome: "stale", kind: row.kind, name: row.name });
}
function write(scope, { type, row, labels, refs }, resourceVersion) {
  if (type === "ADDED") insertResource.run({ ...row, scope, resourceVersion });
  else if (type === "MODIFIED") updateResource.run({ ...row, resourceVersion });
  else deleteResource.run(row.uid);
  if (type !== "ADDED") {
    deleteLabels.run(row.uid);
    deleteRefs.run(row.uid);
  }
  if (type === "DELETED") return;
  for (const [key, value] of labels) insertLabel.run(row.uid, key, value);
  for (const ref of refs) insertRef.run(row.uid, scope, ref.kind, ref.name, ref.pointer);
}
function refuseBrokenReferences(scope, changes) {
  const missing = changes.flatMap(
    ({ type, refs }, index) => type === "DELETED" ? [] : refs.filter((ref) => findVersion.get(scope, ref.kind, ref.name) === void 0).map((ref) => ({ index, pointer: ref.pointer, detail: `there is no ${ref.kind} ${ref.name}` }))
  );
  if (missing.length > 0) throw new Refused({ outcome: "refused", reason: "reference_missing", violations: missing });
  const referenced = changes.flatMap(
    ({ type, row }, index) => type === "DELETED" ? findReferrers.all(scope, row.kind, row.name).map((referrer) => ({
      index,
      pointer: referrer.pointer,
      detail: `${row.kind} ${row.name} is used by ${referrer.kind} ${referrer.name}`
    })) : []
  );
  if (referenced.length > 0) throw new Refused({ outcome: "refused", reason: "still_referenced", violations: referenced });
}
