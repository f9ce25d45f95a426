import { Chance } from './chance.ts'
import type { Chapter, ConfigTexts, Site } from './variants.ts'

const SCOPES = ['z1', 'z2', 'z3', 'z4']
/** Of workloads that come later. */
const NEW_NAMES = ['f', 'g', 'h', 'i']
const POLICIES = [
  'steps: [{ weight: 5%, hold: 20s }, { weight: 50%, hold: 20s }, { weight: 100%, hold: 20s }]',
  'steps: [{ weight: 25%, hold: 30s }, { weight: 100%, hold: 20s }]',
  'safeWeight: 5%',
  'drift: correct',
]
/** Edits of one config, and edits at a time. */
const MOST = { times: 3, atOnce: 3 }

/** What an operator makes of a config, one after the other: the same number gives the same. */
export function editsOf(number: number, first: ConfigTexts): readonly ConfigTexts[] {
  const chance = new Chance(number)
  const names = [...NEW_NAMES]
  const versions = [first]
  let current: readonly Chapter[] = first
  for (let times = chance.whole(1, MOST.times); times > 0; times--) {
    for (let edits = chance.whole(1, MOST.atOnce); edits > 0; edits--) current = edited(current, chance, names)
    const [head, ...tail] = current
    if (head) versions.push([head, ...tail])
  }
  return versions
}

type Edit = (chapters: readonly Chapter[], chance: Chance, names: string[]) => readonly Chapter[]

const EDITS: readonly Edit[] = [
  add,
  add,
  remove,
  moveScope,
  moveScope,
  moveMigration,
  editPolicy,
  editPolicy,
  addMigration,
  removeMigration,
]

function edited(chapters: readonly Chapter[], chance: Chance, names: string[]): readonly Chapter[] {
  return chance.one(EDITS)(chapters, chance, names)
}

/** Into any scope: into one of another migration, it joins the two. */
function add(chapters: readonly Chapter[], chance: Chance, names: string[]): readonly Chapter[] {
  const name = names.shift()
  if (name === undefined) return chapters
  const { name: home } = chance.one(chapters)
  const site = { name, scope: chance.one(SCOPES) }
  return withSites(chapters, (chapter) => (chapter.name === home ? [...chapter.sites, site] : chapter.sites))
}

function remove(chapters: readonly Chapter[], chance: Chance): readonly Chapter[] {
  const { name } = siteOf(chapters, chance)
  return withSites(chapters, ({ sites }) => sites.filter((site) => site.name !== name))
}

/** What is under way goes on in the scope that it began with. */
function moveScope(chapters: readonly Chapter[], chance: Chance): readonly Chapter[] {
  const [{ name }, scope] = [siteOf(chapters, chance), chance.one(SCOPES)]
  const moved = (site: Site) => (site.name === name ? { ...site, scope } : site)
  return withSites(chapters, ({ sites }) => sites.map(moved))
}

function moveMigration(chapters: readonly Chapter[], chance: Chance): readonly Chapter[] {
  const [site, { name: home }] = [siteOf(chapters, chance), chance.one(chapters)]
  return withSites(chapters, ({ name, sites }) => {
    const others = sites.filter((one) => one.name !== site.name)
    return name === home ? [...others, site] : others
  })
}

function editPolicy(chapters: readonly Chapter[], chance: Chance): readonly Chapter[] {
  const [{ name }, policy] = [chance.one(chapters), chance.one(POLICIES)]
  return chapters.map((chapter) => (chapter.name === name ? { ...chapter, policy } : chapter))
}

function addMigration(chapters: readonly Chapter[], chance: Chance, names: string[]): readonly Chapter[] {
  const name = names.shift()
  return name === undefined
    ? chapters
    : [...chapters, { name: `m-${name}`, sites: [{ name, scope: chance.one(SCOPES) }] }]
}

/** Never the first: what is of the service stands there. */
function removeMigration(chapters: readonly Chapter[], chance: Chance): readonly Chapter[] {
  const { name } = chance.one(chapters)
  return name === chapters[0]?.name ? chapters : chapters.filter((chapter) => chapter.name !== name)
}

function siteOf(chapters: readonly Chapter[], chance: Chance): Site {
  return chance.one(chapters.flatMap(({ sites }) => sites))
}

/** A migration that would have no workload keeps those that it had. */
function withSites(chapters: readonly Chapter[], sitesOf: (chapter: Chapter) => readonly Site[]): readonly Chapter[] {
  const changed = chapters.map((chapter) => ({ ...chapter, sites: sitesOf(chapter) }))
  return changed.some(({ sites }) => sites.length === 0) ? chapters : changed
}
