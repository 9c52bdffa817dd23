// Runs before the first paint so that a dark page never flashes white. The key and its values are Mantine's.
try {
  const stored = localStorage.getItem('mantine-color-scheme-value')
  const wanted = stored === 'light' || stored === 'dark' ? stored : matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  document.documentElement.setAttribute('data-mantine-color-scheme', wanted)
} catch {
  document.documentElement.setAttribute('data-mantine-color-scheme', 'light')
}
