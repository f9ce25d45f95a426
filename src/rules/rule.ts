import { Document } from 'yaml'

export type Severity = 'page' | 'ticket'

/** A rule of Prometheus, that records or alerts. */
export type Rule = RecordingRule | AlertRule

export interface RecordingRule {
  readonly record: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
}

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  /** Has to last so long, e.g. `1m`. */
  readonly for?: string
  readonly labels: Readonly<Record<string, string>> & { readonly severity: Severity }
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string }
}

/** Rules that are evaluated one after the other. */
export interface RuleGroup {
  readonly name: string
  readonly rules: readonly CommentedRule[]
}

export interface CommentedRule {
  readonly rule: Rule
  /** Why it is as it is, for who reads the file; null: it speaks for itself. */
  readonly why: string | null
}

/** What Prometheus's `rule_files` take. `head` is put before it as a comment. */
export function rulesText(groups: readonly RuleGroup[], head: string): string {
  const document = new Document({
    groups: groups.map(({ name, rules }) => ({ name, rules: rules.map(({ rule }) => rule) })),
  })
  document.commentBefore = commentOf(head)
  groups.forEach(({ rules }, groupIndex) => {
    rules.forEach(({ why }, ruleIndex) => {
      const node = document.getIn(['groups', groupIndex, 'rules', ruleIndex], true)
      if (why !== null && typeof node === 'object' && node !== null)
        Object.assign(node, { commentBefore: commentOf(why) })
    })
  })
  return document.toString({ lineWidth: 0 })
}

function commentOf(text: string): string {
  return text
    .split('\n')
    .map((line) => ` ${line}`)
    .join('\n')
}

/** A rule without a comment. */
export function plain(rule: Rule): CommentedRule {
  return { rule, why: null }
}

/** PromQL without the line breaks that its source has for readers. */
export function oneLine(promql: string): string {
  return promql.replace(/\s*\n\s*/g, ' ').trim()
}
