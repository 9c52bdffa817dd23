import styles from './tool-claims.module.css'

/** What a server says of its tool; nobody has checked it. */
export function ToolClaims({ claims }: { claims: string[] }) {
  return claims.map((claim) => (
    <span key={claim} className={styles.claim} title="As claimed by the server">
      {claim}
    </span>
  ))
}
