import { createTheme } from '@mantine/core'

/** Colours and sizes stand in `theme.css`; here is only what components need as properties. */
export const theme = createTheme({
  primaryColor: 'indigo',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm' } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250 } },
  },
})
