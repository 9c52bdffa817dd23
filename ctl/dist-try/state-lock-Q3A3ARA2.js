import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  lockFolder
} from "./chunk-PD26LHRH.js";
import "./chunk-7K33ZYCL.js";
export {
  lockFolder
};
