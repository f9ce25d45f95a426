import type { Plan, Sides } from '../../core/plan.ts'
import type { ClusterWorkload } from '../../ports/cluster.ts'
import { counted, defineCheck, type Finding, fail, listed, pass, withoutObjects } from '../check.ts'
import { askBoth, bothOf, type SeenWorkloads } from './both.ts'

export const parity = defineCheck({ skip: withoutObjects, ask: askBoth, judge: judgeParity })

/** Images and ConfigMaps are the same, and nobody deploys on either side. */
export function judgeParity(seen: SeenWorkloads, plan: Plan): Finding {
  const both = bothOf(seen, plan)
  if ('outcome' in both) return both
  const { mayDiffer } = plan.checkRules
  const differences = [...deploys(both), ...images(both), ...configs(both, mayDiffer)]
  if (differences.length > 0)
    return fail(
      differences.join('; '),
      'deploy the same to both clusters; ConfigMaps that are meant to differ go under `preflight.mayDiffer`',
    )
  const [imageCount, configCount] = [both.new.containers.length, both.new.configs.length]
  return pass(`${counted(imageCount, 'image')} and ${counted(configCount, 'ConfigMap')} compared with those of OLD`)
}

/** A deploy that is under way will make the other side differ sooner or later. */
function deploys(both: Sides<ClusterWorkload>): readonly string[] {
  return (['old', 'new'] as const).flatMap((side) => {
    const { isObserved, updatedReplicas, wantedReplicas } = both[side]
    if (isObserved && updatedReplicas >= wantedReplicas) return []
    return [`a deploy is under way in ${side.toUpperCase()}: ${updatedReplicas} of ${wantedReplicas} replicas updated`]
  })
}

function images({ old, new: fresh }: Sides<ClusterWorkload>): readonly string[] {
  const ofNew = new Map(fresh.containers.map(({ name, image }) => [name, image]))
  const ofOld = new Map(old.containers.map(({ name, image }) => [name, image]))
  const changed = old.containers.flatMap(({ name, image }) => {
    const there = ofNew.get(name)
    if (there === undefined) return [`container ${name} is not in NEW`]
    return withoutRegistry(there) === withoutRegistry(image)
      ? []
      : [`container ${name} has ${image} in OLD and ${there} in NEW`]
  })
  const added = fresh.containers.filter(({ name }) => !ofOld.has(name))
  return [...changed, ...added.map(({ name }) => `container ${name} is not in OLD`)]
}

/** Each cluster may pull from a registry near it: the host does not make another image, a tag or a digest does. */
function withoutRegistry(image: string): string {
  const [first = '', ...rest] = image.split('/')
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  return isHost ? rest.join('/') : image
}

function configs({ old, new: fresh }: Sides<ClusterWorkload>, mayDiffer: readonly string[]): readonly string[] {
  const digests = (workload: ClusterWorkload) => new Map(workload.configs.map(({ name, digest }) => [name, digest]))
  const [ofOld, ofNew] = [digests(old), digests(fresh)]
  const names = [...new Set([...ofOld.keys(), ...ofNew.keys()])].filter((name) => !mayDiffer.includes(name))
  const absent = (side: string, of: ReadonlyMap<string, string | null>, name: string) =>
    of.has(name) ? `${name} is not there in ${side}` : `${name} is not used in ${side}`
  const told = names.flatMap((name) => {
    const [before, now] = [ofOld.get(name) ?? null, ofNew.get(name) ?? null]
    if (now === null) return [absent('NEW', ofNew, name)]
    if (before === null) return [absent('OLD', ofOld, name)]
    return before === now ? [] : [`${name} has other data in NEW than in OLD`]
  })
  return told.length === 0 ? [] : [`ConfigMap ${listed(told)}`]
}
