import { unreachable } from '../core/unreachable.ts'
import { reportHtml } from './html.ts'
import { reportMarkdown } from './markdown.ts'
import type { Report } from './model.ts'
import { weightPlot } from './plot.ts'

export const REPORT_FORMATS = ['md', 'html', 'json', 'svg'] as const
/** `svg` is the plots alone. */
export type ReportFormat = (typeof REPORT_FORMATS)[number]

/** A report as text. `plotPath`: where Markdown finds the plots; null: nowhere. */
export function renderReport(report: Report, format: ReportFormat, plotPath: string | null): string {
  switch (format) {
    case 'md':
      return reportMarkdown(report, { plotPath })
    case 'html':
      return reportHtml(report)
    case 'json':
      return `${JSON.stringify(report, null, 2)}\n`
    case 'svg':
      return `${weightPlot(report).text}\n`
    default:
      return unreachable(format)
  }
}
