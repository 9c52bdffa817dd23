import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  Problem,
  errorOfProblem,
  problemOf
} from "./chunk-M5WKGRAZ.js";
import "./chunk-FMNGHHUN.js";
import "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";
export {
  Problem,
  errorOfProblem,
  problemOf
};
