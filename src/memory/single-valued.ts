/** Verbs that have one object at a time: a new one ends the validity of the old one. As folded keys. */
export const SINGLE_VALUED_VERBS: readonly string[] = [
  // Spanish: what the extractor stores, in both languages.
  'vive en',
  'se llama',
  'trabaja en',
  'trabaja de',
  'es de',
  'nacio en',
  'nacio el',
  'cumple anos el',
  'tiene edad',
  'esta casado con',
  'tiene telefono',
  'tiene correo',
  'tiene direccion',
  'esta en',
  // English, for facts that others store.
  'lives in',
  'is named',
  'is called',
  'works at',
  'works as',
  'was born in',
  'was born on',
  'is married to',
  'is located in',
];
