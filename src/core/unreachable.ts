/** Ends an exhaustive switch: the compiler refuses a call with any value left. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}
