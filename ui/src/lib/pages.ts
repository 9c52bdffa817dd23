/** Addresses of objects in the console, for `useHref`. */
export const serverPath = (server: string) => `/servers/${encodeURIComponent(server)}`
export const projectPath = (project: string) => `/projects/${encodeURIComponent(project)}`
export const gatewayPath = (gateway: string) => `/gateways/${encodeURIComponent(gateway)}`
export const clusterPath = (cluster: string) => `/clusters/${encodeURIComponent(cluster)}`
export const domainPath = (host: string) => `/domains/${encodeURIComponent(host)}`
export const operationPage = (id: string) => `/operations/${encodeURIComponent(id)}`
export const toolPath = (server: string, tool: string) => `/tools/${encodeURIComponent(server)}/${encodeURIComponent(tool)}`
