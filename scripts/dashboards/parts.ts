import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  type BigValueColorMode,
  GraphThresholdsStyleConfigBuilder,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
  VisibilityMode,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** What every panel has. Widths are of 24 columns. */
interface About {
  readonly title: string
  readonly description: string
  readonly width: number
  readonly height?: number
  readonly unit?: string
}

/** A query and what its series are called; nothing: by their labels. */
export type Query = readonly [expr: string, legend: string]

const SOURCE = { type: 'prometheus', uid: '${datasource}' }
const COLORS = { good: 'green', doubt: 'orange', harm: 'red', plain: 'blue' } as const

/** A dashboard with Headgate's variables, links and annotations. */
export function dashboard(about: { uid: string; title: string; description: string; oneWorkload: boolean }) {
  const whose = about.oneWorkload ? 'migration=~"$migration", workload=~"$workload"' : 'migration=~"$migration"'
  const all = new DashboardBuilder(about.title)
    .uid(about.uid)
    .description(about.description)
    .tags(['headgate'])
    .timezone('browser')
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(values('migration', 'label_values(headgate_phase, migration)', !about.oneWorkload))
  if (about.oneWorkload)
    all.withVariable(values('workload', 'label_values(headgate_phase{migration=~"$migration"}, workload)', false))
  all
    .withVariable(new TextBoxVariableBuilder('headgate').label('Headgate').defaultValue('http://127.0.0.1:7474'))
    .link(
      new DashboardLinkBuilder('Headgate dashboards')
        .type(DashboardLinkType.Dashboards)
        .tags(['headgate'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .link(
      new DashboardLinkBuilder('Headgate')
        .type(DashboardLinkType.Link)
        .url('${headgate}/')
        .icon('external link')
        .targetBlank(true),
    )
  for (const [decision, color] of [
    ['raise', COLORS.plain],
    ['halt', COLORS.doubt],
    ['revert', COLORS.harm],
  ] as const)
    all.annotation(annotation(decision, color, whose))
  return all
}

/** From metrics alone, so that it works where Headgate may not write to Grafana. */
function annotation(decision: string, color: string, whose: string) {
  return new AnnotationQueryBuilder()
    .name(decision)
    .datasource(SOURCE)
    .enable(true)
    .iconColor(color)
    .expr(
      `sum by (migration, workload, decision) (changes(headgate_decisions_total{${whose}, decision="${decision}"}[2m])) > 0`,
    )
    .step('60s')
    .titleFormat(`{{workload}}: ${decision}`)
    .textFormat('{{migration}}')
    .tagKeys('migration,workload,decision')
}

function values(name: string, query: string, isMulti: boolean) {
  return new QueryVariableBuilder(name)
    .label(name)
    .datasource(SOURCE)
    .query({ query, refId: name })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(isMulti)
    .includeAll(isMulti)
}

/** One number, with the colour of the highest step that it reaches. */
export function stat(
  about: About,
  query: string,
  steps: Partial<Record<'doubt' | 'harm' | 'good', number>> = {},
): Builder<Panel> {
  const limits = Object.entries(steps).map(([color, value]) => ({ color: COLORS[color as keyof typeof steps], value }))
  return based(new StatBuilder(), about, 4)
    .withTarget(asked([query, ''], 0).instant())
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .colorMode('value' as BigValueColorMode)
    .noValue('–')
    .thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps([{ color: 'good' in steps ? COLORS.doubt : COLORS.good, value: null }, ...limits]),
    )
}

export interface SeriesOptions {
  readonly min?: number
  readonly max?: number
  /** Powers of ten, for what spans many of them. */
  readonly isLogarithmic?: boolean
  /** Drawn as a red line. */
  readonly limit?: number
}

export function series(about: About, queries: readonly Query[], options: SeriesOptions = {}): Builder<Panel> {
  const panel = based(new TimeSeriesBuilder(), about, 8)
    .targets(queries.map((query, index) => asked(query, index).range()))
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    )
    .fillOpacity(8)
    .showPoints(VisibilityMode.Never)
  if (options.min !== undefined) panel.min(options.min)
  if (options.max !== undefined) panel.max(options.max)
  if (options.isLogarithmic === true)
    panel.scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Log).log(10))
  if (options.limit !== undefined)
    panel
      .thresholds(
        new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
          { color: 'transparent', value: null },
          { color: COLORS.harm, value: options.limit },
        ]),
      )
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode('line' as never))
  return panel
}

/** A row for each series as it is now, with these labels as columns. */
export function table(about: About, query: string, columns: readonly string[]): Builder<Panel> {
  return based(new TableBuilder(), about, 8)
    .withTarget(asked([query, ''], 0).instant().format(PromQueryFormat.Table))
    .withTransformation({
      id: 'filterFieldsByName',
      options: { include: { names: [...columns, 'Value'] } },
    })
    .filterable(true)
    .noValue('nothing')
}

/** What was so when: a band for each series. */
export function states(about: About, query: Query): Builder<Panel> {
  return based(new StateTimelineBuilder(), about, 8).withTarget(asked(query, 0).range()).showValue(VisibilityMode.Never)
}

interface Based<P> {
  title(text: string): P
  description(text: string): P
  span(columns: number): P
  height(rows: number): P
  unit(unit: string): P
  datasource(source: typeof SOURCE): P
}

function based<P extends Based<P>>(panel: P, { title, description, width, height, unit }: About, usual: number): P {
  panel
    .title(title)
    .description(description)
    .span(width)
    .height(height ?? usual)
    .datasource(SOURCE)
  return unit === undefined ? panel : panel.unit(unit)
}

function asked([expr, legend]: Query, index: number): DataqueryBuilder {
  const query = new DataqueryBuilder()
    .refId(String.fromCharCode(65 + index))
    .expr(expr.replace(/\s*\n\s*/g, ' ').trim())
  return legend === '' ? query : query.legendFormat(legend)
}
