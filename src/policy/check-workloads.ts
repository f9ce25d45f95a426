import { checkBoomerangs } from './check-boomerangs.ts'
import { checkOrder } from './check-order.ts'
import { checkPlaces } from './check-places.ts'
import { checkBurnRates, checkLowTraffic, checkMargins, checkWeights } from './check-policies.ts'
import { checkSynthetics } from './check-synthetics.ts'
import { checkTrials } from './check-trials.ts'
import type { Finding, Path } from './finding.ts'
import type { SourceKindConfig, TrafficKindConfig } from './kinds.ts'
import type { ResolvedPolicies } from './policies.ts'
import { addressOf, probedOf, probeName, sliNamesOf, type Workload } from './resolve.ts'
import type { ParsedConfig } from './schema.ts'
import { suggestion } from './suggest.ts'

/** The rules for workloads: names, order, places, SLIs, probes, evidence. */
export function checkWorkloads(
  config: ParsedConfig,
  policies: ResolvedPolicies,
  kinds: readonly TrafficKindConfig[],
  sources: readonly SourceKindConfig[],
): Finding[] {
  return [
    ...checkNames(config.workloads),
    ...checkOrder(config.workloads),
    ...checkPlaces(config.workloads, kinds),
    ...checkBoomerangs(config, policies, kinds),
    ...checkWeights(config, policies, kinds),
    ...checkTrials(config, policies, kinds),
    ...checkBurnRates(config, policies),
    ...checkMargins(config, policies),
    ...checkLowTraffic(config, policies),
    ...checkSliNames(config.defaults.slis, ['defaults', 'slis'], config),
    ...config.workloads.flatMap((workload, index) => {
      const path = ['workloads', index]
      return [
        ...checkPolicy(workload, path, config, policies),
        ...checkSliNames(workload.slis, [...path, 'slis'], config),
        ...checkProbes(workload, path, config),
        ...checkSynthetics(workload, path, { config, kinds: sources }),
        ...checkEvidence(workload, path, config),
      ]
    }),
  ]
}

function checkNames(workloads: readonly Workload[]): Finding[] {
  const firsts = new Map<string, number>()
  return workloads.flatMap(({ name }, index): Finding[] => {
    const first = firsts.get(name)
    if (first === undefined) {
      firsts.set(name, index)
      return []
    }
    return [
      {
        code: 'CONFIG_DUPLICATE',
        cause: `the workload "${name}" is there already`,
        hint: 'give each workload a name of its own; one workload can have several targets',
        path: ['workloads', index, 'name'],
        other: { path: ['workloads', first, 'name'] },
      },
    ]
  })
}

function checkPolicy(workload: Workload, path: Path, config: ParsedConfig, { byName }: ResolvedPolicies): Finding[] {
  const { policy } = workload
  // A policy that is there but broken has its own finding.
  if (policy === undefined || byName.has(policy) || Object.hasOwn(config.policies, policy)) return []
  return [
    {
      code: 'CONFIG_NOT_FOUND',
      cause: `no policy is called "${policy}"`,
      hint: suggestion(policy, [...byName.keys()]),
      path: [...path, 'policy'],
    },
  ]
}

function checkSliNames(names: readonly string[] | undefined, path: Path, { slis }: ParsedConfig): Finding[] {
  return (names ?? []).flatMap((name, index): Finding[] => {
    if (!Object.hasOwn(slis, name))
      return [
        {
          code: 'CONFIG_NOT_FOUND',
          cause: `no SLI is called "${name}"`,
          hint: suggestion(name, Object.keys(slis)),
          path: [...path, index],
        },
      ]
    const first = names?.indexOf(name) ?? index
    if (first === index) return []
    return [{ code: 'CONFIG_DUPLICATE', cause: `"${name}" is in the list twice`, path: [...path, index] }]
  })
}

function checkProbes(workload: Workload, path: Path, config: ParsedConfig): Finding[] {
  const names = workload.probes.map(probeName)
  return workload.probes.flatMap((probe, index): Finding[] => {
    const at = [...path, 'probes', index]
    const found: Finding[] = []
    const address = addressOf(probe, config)
    if (address.old === null && address.new === null)
      found.push({
        code: 'CONFIG_MISSING_KEY',
        cause: 'the probe has no address to ask',
        hint: 'add `address: { new: HOST }`, or `defaults.probe.address`',
        path: [...at, 'address'],
      })
    if (probe.certificateDays !== undefined && !probe.url.startsWith('https:'))
      found.push({
        code: 'CONFIG_WRONG_VALUE',
        cause: 'a URL of http has no certificate',
        hint: 'remove `certificateDays`, or write https',
        path: [...at, 'certificateDays'],
      })
    if (probe.method === 'HEAD' && probe.expect.body !== undefined)
      found.push({
        code: 'CONFIG_WRONG_VALUE',
        cause: 'an answer to HEAD has no body',
        hint: 'remove `body`, or use `method: GET`',
        path: [...at, 'expect', 'body'],
      })
    const first = names.indexOf(names[index] ?? '')
    if (first !== index)
      found.push({
        code: 'CONFIG_DUPLICATE',
        cause: `the probe name "${names[index]}" is taken`,
        hint: 'give each probe of a workload a name of its own',
        path: [...at, 'name'],
        other: { path: [...path, 'probes', first, 'name'] },
      })
    return found
  })
}

function checkEvidence(workload: Workload, path: Path, config: ParsedConfig): Finding[] {
  const hasSli = sliNamesOf(workload, config).length > 0
  const addresses = workload.probes.map((probe) => addressOf(probe, config))
  // A probe without any address has its own finding.
  const hasProbe = addresses.some((address) => address.new !== null || address.old === null)
  if (hasSli || hasProbe || probedOf(workload, config).length > 0) return []
  return [
    {
      code: 'CONFIG_MISSING_KEY',
      cause: `nothing would judge "${workload.name}": it has no SLI, and no probe of NEW`,
      hint: 'add an SLI under `slis`, or a probe with `address: { new: HOST }`',
      path: [...path, 'name'],
    },
  ]
}
