import styles from './mark.module.css'

export type Shape =
  | 'circle'
  | 'ring'
  | 'dotted'
  | 'square'
  | 'question'
  | 'slash'
  | 'check'
  | 'arc'
  | 'diamond'
  | 'triangle'
  | 'minus'
  | 'pin'
export type Tone = 'green' | 'amber' | 'red' | 'blue' | 'gray'

/** The shape beside a word: states differ by shape as well as by colour. Always with its word, so hidden from screen readers. */
export function Mark({ shape, tone, size = 12 }: { shape: Shape; tone: Tone; size?: number }) {
  return (
    <svg className={styles.mark} data-tone={tone} data-shape={shape} width={size} height={size} viewBox="0 0 12 12" aria-hidden>
      {drawings[shape]}
    </svg>
  )
}

const line = { fill: 'none', stroke: 'currentColor', strokeWidth: 1.8, strokeLinecap: 'round', strokeLinejoin: 'round' } as const

const drawings: Record<Shape, React.ReactNode> = {
  circle: <circle cx="6" cy="6" r="4.2" fill="currentColor" />,
  ring: <circle cx="6" cy="6" r="4" {...line} />,
  dotted: <circle cx="6" cy="6" r="4.2" {...line} strokeWidth={1.6} strokeDasharray="0.1 2.9" />,
  square: <rect x="2" y="2" width="8" height="8" rx="1.4" {...line} />,
  question: (
    <>
      <path d="M3.9 4.3a2.2 2.2 0 1 1 3 2c-.6.3-.9.6-.9 1.3" {...line} strokeWidth={1.6} />
      <circle cx="6" cy="10" r="0.95" fill="currentColor" />
    </>
  ),
  slash: (
    <>
      <circle cx="6" cy="6" r="4.2" {...line} strokeWidth={1.6} />
      <path d="M3.2 8.8 8.8 3.2" {...line} strokeWidth={1.6} />
    </>
  ),
  check: <path d="m2.2 6.4 2.6 2.6 5-5.6" {...line} strokeWidth={2} />,
  arc: <path className={styles.turning} d="M6 1.8A4.2 4.2 0 1 1 1.8 6" {...line} />,
  diamond: <path d="M6 1.1 10.9 6 6 10.9 1.1 6Z" fill="currentColor" />,
  triangle: <path d="M6 1.4 11 10.4H1Z" fill="currentColor" stroke="currentColor" strokeLinejoin="round" />,
  pin: (
    <>
      <circle cx="6" cy="3.9" r="2.6" fill="currentColor" />
      <path d="M6 6.5v4.2" {...line} />
    </>
  ),
  minus: <path d="M2.5 6h7" {...line} strokeWidth={2} />,
}
