/* A module of its own, so that the bundle keeps of a very large library what is named here, and loads it with the first cluster. */
export { KubeConfig } from '@kubernetes/client-node'
