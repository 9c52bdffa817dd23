import { NativeSelect, TextInput } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { useDomains } from '../../lib/domains.ts'
import { useMayThere } from '../../lib/rights.ts'
import { useHref } from '../../lib/scope.ts'
import styles from './provision-form.module.css'

type Field = {
  org: string
  gateway: string
  value: string
  /** What it has: a gateway that has a host name keeps one. */
  before: string | undefined
  error: string | undefined
  onChange: (hostname: string) => void
}

/** A host name of a verified domain. Who may not see the domains types all of it. */
export function HostnameField({ org, ...field }: Field) {
  const maySee = useMayThere({ operation: 'provision' }, { org })
  const { items } = useDomains(org, maySee)
  if (!maySee) return <WholeName {...field} />
  if (!items) return null
  const verified = items.filter(({ state }) => state === 'verified').map(({ host }) => host)
  if (verified.length > 0) return <NameOfDomain {...field} domains={verified} />
  return <NoDomain isPending={items.length > 0} error={field.error} />
}

const WholeName = ({ value, before, error, onChange }: Omit<Field, 'org'>) => (
  <TextInput
    label="Host name"
    description={before ? 'It keeps this one when it is emptied' : 'Of a verified domain; empty: none'}
    value={value}
    error={error}
    onChange={(event) => onChange(event.currentTarget.value)}
  />
)

/** The part before the domain, and the domain. */
function NameOfDomain({ gateway, value, before, error, onChange, domains }: Omit<Field, 'org'> & { domains: string[] }) {
  const covering = (name: string) =>
    domains.filter((one) => name === one || name.endsWith(`.${one}`)).sort((a, b) => b.length - a.length)[0]
  const [chosen, setChosen] = useState(() => covering(value) ?? '')
  const [label, setLabel] = useState(() => (chosen === '' || value === chosen ? '' : value.slice(0, -chosen.length - 1)))
  const choose = (domain: string, part: string) => {
    setChosen(domain)
    setLabel(part)
    onChange(domain === '' ? '' : part.trim() === '' ? domain : `${part.trim()}.${domain}`)
  }
  return (
    <div className={styles.fields}>
      <NativeSelect
        label="Domain"
        description={before ? `It has ${before}, and keeps it without another` : 'For a host name of yours'}
        data={[{ value: '', label: 'None' }, ...domains]}
        value={chosen}
        error={chosen === '' ? error : undefined}
        onChange={(event) => choose(event.currentTarget.value, label || gateway)}
      />
      {chosen !== '' && (
        <TextInput
          label="Name below it"
          description={`Clients reach it at ${value}`}
          value={label}
          error={error}
          onChange={(event) => choose(chosen, event.currentTarget.value)}
        />
      )}
    </div>
  )
}

function NoDomain({ isPending, error }: { isPending: boolean; error: string | undefined }) {
  const href = useHref()
  return (
    <p className={styles.aside} data-none={error ? true : undefined}>
      {error && `${error}. `}
      {isPending ? 'No domain is verified yet: ' : 'For a host name of yours: '}
      <Link to={href('/domains')}>{isPending ? 'verify one' : 'add a domain'}</Link>
    </p>
  )
}
