import { ActionIcon, Button } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { chosen, initialOf, withoutItem } from './draft.ts'
import type { Field } from './field.ts'
import { frameOf, type FieldProps, type RenderField } from './frame.tsx'
import styles from './form.module.css'
import { pointerOf, valueAt } from './place.ts'

/** Items one under the other, to be added and taken out. */
export function ListView({ field, path, editor, label, render }: FieldProps<'list'> & { render: RenderField }) {
  const { description, error } = frameOf(field, path, editor, label)
  const value = valueAt(editor.draft.value, path)
  const items: unknown[] = Array.isArray(value) ? value : []
  const name = label ?? field.label
  const add = () => editor.change((draft) => chosen(draft, [...path, items.length], firstOf(field.item)))
  const remove = (index: number) =>
    editor.change((draft) => (items.length === 1 && !field.isRequired ? chosen(draft, path, undefined) : withoutItem(draft, path, index)))
  return (
    <fieldset className={styles.group}>
      <legend>
        {name}
        {field.isRequired ? '' : <small> optional</small>}
      </legend>
      {description && <p className={styles.hint}>{description}</p>}
      {error && <p className={styles.error}>{error}</p>}
      <ol className={styles.items}>
        {items.map((_, index) => (
          <li key={pointerOf([...path, index])}>
            {render(field.item, [...path, index], `Item ${index + 1}`)}
            <ActionIcon variant="subtle" color="gray" aria-label={`Take out item ${index + 1} of ${name}`} onClick={() => remove(index)}>
              <IconX size={16} />
            </ActionIcon>
          </li>
        ))}
      </ol>
      <Button variant="default" size="xs" leftSection={<IconPlus size={14} />} data-pointer={pointerOf(path)} onClick={add}>
        Add {items.length === 0 ? 'an item' : 'another'}
      </Button>
    </fieldset>
  )
}

/** An item that was added is there, even while it is empty. */
function firstOf(item: Field): unknown {
  const initial = initialOf(item)
  if (initial !== undefined) return initial
  return item.kind === 'text' ? '' : item.kind === 'list' || item.kind === 'choices' ? [] : undefined
}
