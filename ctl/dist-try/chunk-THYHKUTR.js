import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  createParser
} from "./chunk-6SWOAVZM.js";
import {
  WatchEvent
} from "./chunk-PDDNFTZZ.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";

// ctl/src/api/watch.ts
import { setTimeout as delay } from "node:timers/promises";
async function* watch(api, { kinds, signal, say }) {
  let cursor;
  let isCut = false;
  while (!signal.aborted) {
    try {
      for await (const { event, id } of connect(api, kinds, cursor, signal)) {
        if (isCut) say("connected again");
        isCut = false;
        if (event.type === "EXPIRED") {
          cursor = void 0;
          yield event;
          break;
        }
        cursor = id ?? cursor;
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof McpgError && error.status === 410) {
        cursor = void 0;
        yield { type: "EXPIRED" };
        continue;
      }
      if (error instanceof McpgError && error.code !== "unavailable") throw error;
      if (error instanceof McpgError && cursor === void 0 && !isCut) throw error;
    }
    if (!isCut && !signal.aborted) say("the connection is cut, connecting again");
    isCut = true;
    await delay(250 + Math.random() * 750, void 0, { signal }).catch(() => {
    });
  }
}
async function* connect(api, kinds, cursor, signal) {
  const { org, workspace } = api.settings;
  const response = await api.open("/v1/watch", {
    query: { scope: `${org}/${workspace}`, kinds: kinds.join(",") },
    ...cursor ? { headers: { "last-event-id": cursor } } : {},
    signal
  });
  const messages = [];
  const parser = createParser({ onEvent: (message) => messages.push(message) });
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    for (const message of messages.splice(0)) {
      const event = WatchEvent.safeParse({ type: message.event, ...parseData(message.data) });
      if (event.success) yield { event: event.data, id: message.id || void 0 };
    }
  }
}
function parseData(data) {
  const json = data === "" ? {} : JSON.parse(data);
  return typeof json === "object" && json !== null ? json : {};
}

export {
  watch
};
