import { Counter, Gauge, type Registry } from 'prom-client'
import { METRICS, type MetricName } from './names.ts'

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/**
 * Registers a metric that is made anew at each scrape, so that it never tells of what is gone. A counter made so must
 * come from something that only grows, or begins anew.
 */
export function registerScraped(registry: Registry, name: MetricName, samples: () => readonly Sample[]): void {
  const { type, help, labels: labelNames } = METRICS[name]
  const about = { name, help, labelNames, registers: [registry] }
  if (type === 'counter') {
    new Counter({
      ...about,
      collect() {
        this.reset()
        for (const { labels, value } of samples()) this.inc(labels, value)
      },
    })
    return
  }
  new Gauge({
    ...about,
    collect() {
      this.reset()
      for (const { labels, value } of samples()) this.set(labels, value)
    },
  })
}

/** Asks once for all metrics of a scrape: they are collected in one turn, so they tell of the same moment. */
export function oncePerScrape<T>(ask: () => T): () => T {
  let kept: { readonly answer: T } | null = null
  return () => {
    if (kept === null) {
      kept = { answer: ask() }
      queueMicrotask(() => {
        kept = null
      })
    }
    return kept.answer
  }
}
