/** RFC 6902, as far as it is used here. */
export type JsonPatch = readonly JsonPatchOperation[]

export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
