import { Button } from '@mantine/core'
import { Component, type ReactNode } from 'react'
import { EmptyState } from '../components/empty-state.tsx'

/** Keeps the shell when a page breaks; React offers this to classes only. */
export class ErrorFence extends Component<{ children: ReactNode }, { error: Error | undefined }> {
  override state: { error: Error | undefined } = { error: undefined }

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  override render() {
    const { error } = this.state
    if (!error) return this.props.children
    return (
      <EmptyState title="This page broke" tone="red" action={<Button onClick={() => location.reload()}>Load it again</Button>}>
        {error.message} The CLI shows the same facts: <code>mcpg-ctl get servers</code>.
      </EmptyState>
    )
  }
}
