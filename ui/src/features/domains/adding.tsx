import { TextInput } from '@mantine/core'
import type { Domain } from '@mcpg/proto/rest/domains'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { Form } from '../../components/form.tsx'
import { postJson, violationOf } from '../../lib/api.ts'
import { domainsKey, domainsPath } from '../../lib/domains.ts'
import { domainPath } from '../../lib/pages.ts'
import { useHref, useScope } from '../../lib/scope.ts'

/** Claims a domain, and goes where its record is shown. */
export function Adding() {
  const { org } = useScope()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const href = useHref()
  const [host, setHost] = useState('')
  const doing = useMutation({
    mutationFn: () => postJson<Domain>(domainsPath(org), { host: host.trim() }),
    onSuccess: async (domain) => {
      await queries.invalidateQueries({ queryKey: domainsKey(org) })
      await navigate(href(domainPath(domain.host)))
    },
  })
  return (
    <Form doing={doing} action="Add">
      <TextInput
        label="Domain"
        description="Gateways may have this name and every name below it"
        placeholder="tools.example.com"
        required
        value={host}
        error={violationOf(doing.error, '/host')}
        onChange={(event) => setHost(event.currentTarget.value)}
      />
    </Form>
  )
}
