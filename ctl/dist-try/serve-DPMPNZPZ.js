import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  isReady,
  run
} from "./chunk-BPLCIFMB.js";
import "./chunk-HWBIDZ7R.js";
import "./chunk-DKPMSQBW.js";
import "./chunk-3RJPI3PA.js";
import "./chunk-FMNGHHUN.js";
import "./chunk-7K33ZYCL.js";
export {
  isReady,
  run
};
