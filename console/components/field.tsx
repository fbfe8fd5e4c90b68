import type { ComponentChildren, ComponentProps } from 'preact';
import { useId } from 'preact/hooks';

/** The types of preact tell kinds of fields apart by their roles; ours have none. */
type InputProps = ComponentProps<'input'>;

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string;
  type?: 'text' | 'search' | 'password' | 'number';
  multiline?: boolean;
  required?: boolean;
  placeholder?: string;
  hideLabel?: boolean;
  autoFocus?: boolean;
}

/** A labelled text field. */
export function Field({
  label,
  value,
  onInput,
  hint,
  type = 'text',
  multiline,
  hideLabel,
  autoFocus,
  ...more
}: FieldProps) {
  const id = useId();
  const common = {
    id,
    value,
    class: 'input',
    'aria-describedby': hint ? `${id}-hint` : undefined,
    onInput: (event: Event) => onInput((event.target as HTMLInputElement).value),
    ref: autoFocus ? (element: HTMLElement | null) => element?.focus() : undefined,
    ...more,
  };
  return (
    <div class="field">
      <label for={id} class={hideLabel ? 'visually-hidden' : undefined}>
        {label}
      </label>
      {multiline ? (
        <textarea rows={3} {...common} />
      ) : (
        <input {...({ ...common, type, autoComplete: 'off' } as InputProps)} />
      )}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; label: ComponentChildren; hint?: string }[];
  onChange: (value: T) => void;
}

/** One of a few, side by side. */
export function Segments<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map((option) => (
        <button type="button" aria-pressed={option.value === value} onClick={() => onChange(option.value)}>
          {option.label}
        </button>
      ))}
    </div>
  );
}

/** One of a few that need an explanation. */
export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {options.map((option) => (
        <label>
          <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
          <span>
            {option.label}
            {option.hint && <span class="hint">{option.hint}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
