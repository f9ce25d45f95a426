import type { SliMeasure } from './plan.ts'

/** The forms that Prometheus can read again, of itself or of what is scraped: in the others a source speaks its own language. */
export type PromMeasure = Exclude<SliMeasure, { readonly kind: 'ask' | 'askValue' }>

/** Whether Prometheus can read it again. */
export function isPromMeasure(measure: SliMeasure): measure is PromMeasure {
  return measure.kind !== 'ask' && measure.kind !== 'askValue'
}
