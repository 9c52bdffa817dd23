import { useState } from 'react'
import { CopyButton } from '../../../components/copy-button.tsx'
import { DownloadButton } from '../../../components/download-button.tsx'
import { spellBytes } from '../../../lib/format.ts'
import type { Block } from './content-block.ts'
import { JsonTree } from './json-tree.tsx'
import styles from './result.module.css'
import { TextBlock } from './text-block.tsx'

/** One piece of a result. Addresses of a server are shown to be read and copied; nothing here goes to them. */
export function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case 'text':
      return <TextBlock text={block.text} label="Text" />
    case 'image':
      return <Picture block={block} />
    case 'audio':
      return (
        <figure className={styles.block}>
          <figcaption className={styles.bar}>
            <span className={styles.label}>
              {block.mimeType}, {spellBytes(block.bytes)}
            </span>
          </figcaption>
          <audio className={styles.audio} controls preload="metadata" src={block.src} aria-label="Sound the tool answered" />
        </figure>
      )
    case 'binary':
      return (
        <div className={styles.block}>
          <div className={styles.bar}>
            <span className={styles.label}>
              {spellBytes(block.bytes)}. {block.why}
            </span>
            <DownloadButton parts={() => [bytesOf(block.base64)]} name="result.bin" type="application/octet-stream" />
          </div>
        </div>
      )
    case 'link':
      return (
        <div className={styles.block}>
          <div className={styles.bar}>
            <span className={styles.label}>
              Resource link{block.title && `: ${block.title}`}
              {block.mimeType && `, ${block.mimeType}`}
              {block.bytes !== undefined && `, ${spellBytes(block.bytes)}`}
            </span>
            <CopyButton text={block.uri} label="Copy the URI" />
          </div>
          <code className={styles.uri}>{block.uri}</code>
          {block.description && <p className={styles.description}>{block.description}</p>}
        </div>
      )
    case 'resource':
      return (
        <div className={styles.block}>
          <div className={styles.bar}>
            <span className={styles.label}>
              Resource{block.mimeType && `, ${block.mimeType}`}: <code>{block.uri}</code>
            </span>
            <CopyButton text={block.uri} label="Copy the URI" />
          </div>
          <BlockView block={block.inner} />
        </div>
      )
    case 'unknown':
      return (
        <div className={styles.block}>
          <div className={styles.bar}>
            <span className={styles.label}>Content of a kind this page does not know ({block.type})</span>
          </div>
          <JsonTree value={block.value} label="Content" />
        </div>
      )
  }
}

function Picture({ block }: { block: Extract<Block, { kind: 'image' | 'audio' }> }) {
  const [size, setSize] = useState<string>()
  return (
    <figure className={styles.block}>
      <figcaption className={styles.bar}>
        <span className={styles.label}>
          {block.mimeType}, {size && `${size}, `}
          {spellBytes(block.bytes)}
        </span>
        <DownloadButton
          parts={() => [bytesOf(block.src.slice(block.src.indexOf(',') + 1))]}
          name={`result.${block.mimeType.split('/')[1]}`}
          type={block.mimeType}
        />
      </figcaption>
      <div className={styles.canvas}>
        <img
          className={styles.image}
          src={block.src}
          alt="Picture the tool answered"
          onLoad={(event) => setSize(`${event.currentTarget.naturalWidth} × ${event.currentTarget.naturalHeight}`)}
          onError={() => setSize('not a picture the browser can draw')}
        />
      </div>
    </figure>
  )
}

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
