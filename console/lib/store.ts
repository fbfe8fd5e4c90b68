import { useEffect, useState } from 'preact/hooks';

/** A value that views look at and that changes over time. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  /** @returns a function that ends it */
  subscribe(listener: (value: T) => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<(value: T) => void>();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(next);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value of a store; the component is drawn again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.get());
  useEffect(() => {
    setValue(store.get());
    return store.subscribe(setValue);
  }, [store]);
  return value;
}

/** A store whose value outlives the page, in this browser. What is stored and no longer makes sense is left aside. */
export function createKeptStore<T>(key: string, storage: Storage, initial: T, isValid: (value: unknown) => value is T) {
  const store = createStore(read(key, storage, initial, isValid));
  store.subscribe((value) => {
    try {
      storage.setItem(key, JSON.stringify(value));
    } catch {
      // No room, or not allowed: it is forgotten with the page then.
    }
  });
  return store;
}

function read<T>(key: string, storage: Storage, initial: T, isValid: (value: unknown) => value is T): T {
  try {
    const value: unknown = JSON.parse(storage.getItem(key) ?? 'null');
    return isValid(value) ? value : initial;
  } catch {
    return initial;
  }
}
