import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  startDetached,
  untilReady
} from "./chunk-WHGGA4FS.js";
import "./chunk-J4ZBDK6U.js";
import "./chunk-2S372OHJ.js";
import "./chunk-SH3L2FFJ.js";
import "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";
export {
  startDetached,
  untilReady
};
