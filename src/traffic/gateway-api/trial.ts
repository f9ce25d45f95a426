import type { Trial } from '../../core/plan.ts'
import { Problem, problem } from '../../core/problem.ts'
import type { JsonPatch } from '../kubernetes/patch.ts'
import type { RouteTrials, WantedTrial } from '../kubernetes/route.ts'
import { type GatewayRoute, type Place, placeIn } from './route.ts'
import type { GatewayApiSettings } from './settings.ts'
import { hasMarkedRule, markedRulePatch, mirrorPatch, mirrorShareTo, placeNameOf } from './shape.ts'

/** Which rules have a mirror or a marked rule of Headgate's: nothing in a filter says whose it is. */
const NOTE = 'headgate-trials'

/** Trials on the routes of the Gateway API: a mirror filter, or a rule of its own for the marked requests. */
export const gatewayTrials: RouteTrials<GatewayApiSettings, GatewayRoute> = { trialIn, refusalOf, patchOf }

function trialIn(route: GatewayRoute, settings: GatewayApiSettings): Trial | null {
  const place = placeIn(route, settings)
  if (place instanceof Problem) return null
  const { rules } = route.spec
  const percent = isNoted(route, place, 'mirror') ? mirrorShareTo(rules, place.index, place.reference) : null
  if (percent !== null) return { kind: 'mirror', percent }
  return hasMarkedRule(rules, place.index, place.backend) ? { kind: 'marked' } : null
}

function refusalOf(route: GatewayRoute, { settings, trial }: WantedTrial<GatewayApiSettings>): Problem | null {
  const place = placeIn(route, settings)
  if (trial === null || place instanceof Problem) return null
  const { rules } = route.spec
  const rule = `rule ${nameIn(route, place)} of ${settings.kind} ${settings.namespace}/${settings.route}`
  const mirrored = mirrorShareTo(rules, place.index, place.reference)
  if (trial.kind === 'mirror' && mirrored !== null && !isNoted(route, place, 'mirror'))
    return problem('TRAFFIC_WRONG_TYPE', `${rule} has a mirror to ${settings.new.name} that Headgate did not make`, {
      hint: 'remove it, or let the policy begin without a mirror',
    })
  // A CRD whose rules have no names has dropped it: each write would add another.
  if (trial.kind === 'marked' && isNoted(route, place, 'marked') && !hasMarkedRule(rules, place.index, null))
    return problem('TRAFFIC_WRONG_TYPE', `${rule} had a rule for marked requests, which is gone or has lost its name`, {
      hint: `look whether the CRD has names of rules; remove that rule and the annotation ${NOTE}`,
    })
  return null
}

function patchOf(route: GatewayRoute, wanted: readonly WantedTrial<GatewayApiSettings>[]): JsonPatch {
  const { rules } = route.spec
  const notes = notesOf(route)
  const mirrors: JsonPatch[number][] = []
  const moves: JsonPatch[number][] = []
  for (const { settings, trial } of wanted) {
    const place = placeIn(route, settings)
    if (place instanceof Problem) continue
    const share = trial?.kind === 'mirror' ? trial.percent : null
    if (share !== null || isNoted(route, place, 'mirror'))
      mirrors.push(...mirrorPatch(rules, place.index, place.reference, share))
    moves.push(...markedRulePatch(rules, place.index, place.backend, trial?.kind === 'marked' ? settings.marked : null))
    const name = nameIn(route, place)
    if (trial === null) notes.delete(name)
    else notes.set(name, trial.kind)
  }
  // From the last rule to the first: what is put in or taken out shifts only those behind it.
  moves.sort((a, b) => ruleIndexIn(b.path) - ruleIndexIn(a.path))
  return [...mirrors, ...notePatch(route, notes), ...moves]
}

function ruleIndexIn(path: string): number {
  return Number(path.split('/').at(-1))
}

function nameIn(route: GatewayRoute, { index }: Place): string {
  return placeNameOf(route.spec.rules, index)
}

function isNoted(route: GatewayRoute, place: Place, kind: Trial['kind']): boolean {
  return notesOf(route).get(nameIn(route, place)) === kind
}

/** The kind of trial, by the name or place of its rule: `main=mirror,2=marked`. */
function notesOf({ metadata }: GatewayRoute): Map<string, string> {
  const notes = (metadata.annotations[NOTE] ?? '').split(',').filter((note) => note !== '')
  return new Map(notes.map((note) => [note.split('=')[0] ?? '', note.split('=')[1] ?? '']))
}

function notePatch({ metadata }: GatewayRoute, notes: ReadonlyMap<string, string>): JsonPatch {
  const { [NOTE]: before, ...others } = metadata.annotations
  const value = [...notes].map(([name, kind]) => `${name}=${kind}`).join(',')
  if (value === (before ?? '')) return []
  if (value === '') return [{ op: 'remove', path: `/metadata/annotations/${NOTE}` }]
  if (before === undefined && Object.keys(others).length === 0)
    return [{ op: 'add', path: '/metadata/annotations', value: { [NOTE]: value } }]
  return [{ op: 'add', path: `/metadata/annotations/${NOTE}`, value }]
}
