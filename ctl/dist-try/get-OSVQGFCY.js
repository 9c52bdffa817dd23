import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  run
} from "./chunk-WAVRAX2B.js";
import "./chunk-THYHKUTR.js";
import "./chunk-6SWOAVZM.js";
import "./chunk-ROT3IL2Z.js";
import "./chunk-PDDNFTZZ.js";
import "./chunk-766BTVEX.js";
import "./chunk-LER2A23K.js";
import "./chunk-RWRD3TI4.js";
import "./chunk-PL4C277S.js";
import "./chunk-5H4D5IBU.js";
import "./chunk-2YECXFWZ.js";
import "./chunk-TZZTGTTZ.js";
import "./chunk-ZQK2QCVJ.js";
import "./chunk-PLXNQLJS.js";
import "./chunk-QTVOKIVA.js";
import "./chunk-FLYOD2TJ.js";
import "./chunk-FMNGHHUN.js";
import "./chunk-J4ZBDK6U.js";
import "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";
export {
  run
};
