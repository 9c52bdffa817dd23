import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** `vite` alone serves the sources and passes REST on to a control plane, `MCPG_CP_URL` or the default one. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // The Content-Security-Policy allows no `data:` scripts or fonts, and a file of its own is cached for ever.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/v1': {
        target: process.env['MCPG_CP_URL'] ?? 'http://127.0.0.1:7843',
        changeOrigin: true,
        // The control plane refuses the origin of this server, as it should; without one a request counts as a program's.
        configure: (proxy) => void proxy.on('proxyReq', (request) => request.removeHeader('origin')),
      },
    },
  },
})
