import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  groupedFields,
  groupedYaml,
  toYaml
} from "./chunk-5HLJ4IAE.js";
import "./chunk-4URGEBAN.js";
import "./chunk-5H4D5IBU.js";
import "./chunk-2YECXFWZ.js";
import "./chunk-76733H5L.js";
import "./chunk-PLXNQLJS.js";
import "./chunk-QTVOKIVA.js";
import "./chunk-FLYOD2TJ.js";
import "./chunk-FMNGHHUN.js";
import "./chunk-7K33ZYCL.js";
export {
  groupedFields,
  groupedYaml,
  toYaml
};
