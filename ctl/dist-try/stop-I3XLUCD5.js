import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  quickstartGateway,
  run
} from "./chunk-MSDRHXDG.js";
import "./chunk-MURH5ROX.js";
import "./chunk-FLYOD2TJ.js";
import "./chunk-DKPMSQBW.js";
import "./chunk-3RJPI3PA.js";
import "./chunk-FMNGHHUN.js";
import "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";
export {
  quickstartGateway,
  run
};
