import { scopeNameOf } from './config.ts'
import { PROVIDER_FAULTS } from './provider.ts'
import { SOURCE_FAULTS } from './truth.ts'
import { STORE_FAULTS } from './way.ts'
import { FAULTS, type FaultName, type World } from './world.ts'

/** Runs it after some time, if nothing has healed everything by then. */
export type Later = (seconds: number, work: () => void) => void

interface Kind {
  readonly weight: number
  /** Does it now, and gives what it did, for the trace; null: nothing was there to do it to. */
  readonly deed: (world: World, later: Later) => string | null
}

/** What may happen, and how often beside the others. */
const KINDS = {
  kill: { weight: 4, deed: kill },
  killAtCall: { weight: 3, deed: killAtCall },
  stop: { weight: 2, deed: stop },
  freeze: { weight: 3, deed: freeze },
  isolate: { weight: 3, deed: isolate },
  strand: { weight: 2, deed: strand },
  overtake: { weight: 2, deed: overtake },
  store: { weight: 3, deed: spoilStore },
  provider: { weight: 4, deed: spoilProvider },
  source: { weight: 3, deed: spoilSource },
  jump: { weight: 3, deed: jump },
  close: { weight: 2, deed: close },
  reload: { weight: 5, deed: reload },
  edit: { weight: 2, deed: edit },
  workload: { weight: 2, deed: spoilWorkload },
  command: { weight: 6, deed: command },
  alert: { weight: 3, deed: alert },
} satisfies Readonly<Record<FaultName, Kind>>

/** So much more often comes what a seed prefers: some faults only meet where there are many of one kind. */
const PREFERRED_WEIGHT = 25

const DRAWN = new Map([null, ...FAULTS].map((preferred) => [preferred, drawn(preferred)]))

function drawn(preferred: FaultName | null): readonly Kind['deed'][] {
  return Object.entries<Kind>(KINDS).flatMap(([name, { weight, deed }]) =>
    Array.from({ length: name === preferred ? PREFERRED_WEIGHT : weight }, () => deed),
  )
}

/** Does one thing by chance. */
export function misbehave(world: World, later: Later): void {
  const text = world.chance.one(DRAWN.get(world.options.prefers) ?? [])(world, later)
  if (text !== null) world.tell(text)
}

/** Ends everything that is wrong: processes run, and all that they ask is answered. */
export function heal(world: World): void {
  world.tell('all faults end')
  world.provider.faults.clear()
  world.truth.fault = null
  world.outside.closedSinceMs = null
  for (const { workload } of world.config.plans) {
    const isHarmed = world.options.harmed.includes(workload)
    world.truth.setBad(workload, { old: 0, new: isHarmed ? 50 : 0 })
  }
  for (const process of world.processes) {
    process.way.fault = null
    process.way.keepsCommits = false
    process.aheadMs = 0
    process.life.thaw()
    process.life.spare()
    process.start()
    void process.reload(world.config.newest)
  }
}

function workloadOf({ chance, config }: Pick<World, 'chance' | 'config'>): string {
  return chance.one(config.plans).workload
}

function command(world: World): string {
  return world.people.sayAnything(workloadOf(world))
}

const seconds = ({ chance }: World, most: number) => chance.whole(1, most)

function kill(world: World, later: Later): string | null {
  const process = world.chance.one(world.processes)
  if (!process.isRunning) return null
  process.kill()
  later(seconds(world, 30), () => process.start())
  return `kill ${process.name}`
}

function killAtCall(world: World, later: Later): string | null {
  const process = world.chance.one(world.processes)
  if (!process.isRunning) return null
  const death = { atCall: world.chance.whole(1, 12), when: world.chance.one(['before', 'after'] as const) }
  process.dieAt(death)
  later(seconds(world, 40), () => process.start())
  return `${process.name} dies ${death.when} call ${death.atCall} from now`
}

function stop(world: World, later: Later): string | null {
  const process = world.chance.one(world.processes)
  if (!process.isRunning) return null
  process.stop()
  later(seconds(world, 30), () => process.start())
  return `stop ${process.name}`
}

function freeze(world: World, later: Later): string | null {
  const process = world.chance.one(world.processes)
  if (!process.isRunning) return null
  const { life } = process
  life.freeze()
  const span = seconds(world, 40)
  later(span, () => life.thaw())
  return `freeze ${process.name} for ${span} s`
}

/** The worst moment to lose a leader: a revert that it cannot write yet. */
function isolate(world: World, later: Later): string | null {
  const workload = workloadOf(world)
  const leader = world.processes.find(({ running }) => running?.keeper.decides(workload))
  if (!leader) return null
  world.people.say('revert', workload, true)
  const [refusal, span] = [seconds(world, 30), seconds(world, 40)]
  for (const scope of world.config.scopes) {
    world.provider.faults.set(scope, 'throttles')
    later(refusal, () => world.provider.faults.delete(scope))
  }
  const { life } = leader
  later(2, () => {
    if (world.chance.is(0.5)) life.freeze()
    else leader.way.fault = { kind: 'away', probability: 1 }
  })
  later(2 + span, () => {
    life.thaw()
    leader.way.fault = null
  })
  return `revert ${workload}, throttled for ${refusal} s; 2 s later ${leader.name} is cut off for ${span} s`
}

/** What a leader has sent to the store arrives when it has died, and another one has decided otherwise. */
function strand(world: World, later: Later): string | null {
  const workload = workloadOf(world)
  const leader = world.processes.find(({ running }) => running?.keeper.decides(workload))
  if (!leader) return null
  const { way } = leader
  way.keepsCommits = true
  later(11, () => {
    leader.kill()
    way.keepsCommits = false
    world.people.say('pause', workload)
  })
  later(11 + seconds(world, 20), () => leader.start())
  return `the commits of ${leader.name} hang; 11 s later it is killed, and: pause ${workload}`
}

/** A raise that nobody hears of again, and a revert that it may overtake. */
function overtake(world: World, later: Later): string | null {
  const moving = [...world.ledger.entries.values()].filter(({ phase }) => phase === 'stepping' || phase === 'preparing')
  if (moving.length === 0) return null
  const { plan } = world.chance.one(moving)
  const scope = scopeNameOf(plan.targets[0]?.scope ?? '')
  world.provider.faults.set(scope, 'lands-late')
  const span = seconds(world, 20)
  later(span, () => {
    world.provider.faults.delete(scope)
    world.people.say('revert', plan.workload, true)
  })
  return `${scope} carries out late what it is sent, ${span} s, then: revert ${plan.workload}`
}

function spoilStore(world: World, later: Later): string {
  const victims = world.chance.is(0.5) ? world.processes : [world.chance.one(world.processes)]
  const fault = { kind: world.chance.one(STORE_FAULTS), probability: world.chance.one([0.5, 1]) }
  const span = seconds(world, 40)
  for (const process of victims) {
    process.way.fault = fault
    later(span, () => {
      process.way.fault = null
    })
  }
  return `the store is ${fault.kind} (${fault.probability}) for ${victims.map(({ name }) => name).join(', ')}, ${span} s`
}

function spoilProvider(world: World, later: Later): string {
  const scope = world.chance.one(world.config.scopes)
  const fault = world.chance.one(PROVIDER_FAULTS)
  const span = seconds(world, 40)
  world.provider.faults.set(scope, fault)
  later(span, () => world.provider.faults.delete(scope))
  return `${scope} is ${fault}, ${span} s`
}

function spoilSource(world: World, later: Later): string {
  world.truth.fault = world.chance.one(SOURCE_FAULTS)
  const span = seconds(world, 60)
  later(span, () => {
    world.truth.fault = null
  })
  return `the source: ${world.truth.fault}, ${span} s`
}

function jump(world: World): string {
  const { chance, options, processes } = world
  const ms = chance.one([-1, -1, 1]) * chance.whole(1, 60) * 1000
  const victims = options.hasOwnClocks ? [chance.one(processes)] : processes
  for (const process of victims) process.aheadMs += ms
  return `the clock of ${victims.map(({ name }) => name).join(', ')} jumps by ${ms / 1000} s`
}

function close(world: World, later: Later): string {
  world.outside.closedSinceMs ??= world.clock.nowMs()
  const span = seconds(world, 90)
  later(span, () => {
    world.outside.closedSinceMs = null
  })
  return `the calendar is closed, ${span} s`
}

/** A file that is rolled out comes to some later than to others. */
function reload(world: World, later: Later): string | null {
  const version = world.editConfig()
  if (version === null) return null
  const isWorst = world.chance.is(0.5)
  if (isWorst) keepBusy(world, later)
  const delays = world.processes.map((process) => {
    const span = isWorst ? world.chance.one([1, 2, 30]) : world.chance.one([0, seconds(world, 60)])
    later(span, () => void process.reload(version))
    return `${process.name} in ${span} s`
  })
  return `the config is edited (${version.hash}): ${delays.join(', ')}`
}

/** The worst moment to merge shards: while their writes are under way. */
function keepBusy(world: World, later: Later): void {
  const workload = workloadOf(world)
  world.people.say('revert', workload, true)
  for (const scope of world.config.scopes) {
    world.provider.faults.set(scope, 'slow')
    later(10, () => world.provider.faults.delete(scope))
  }
}

function edit(world: World): string {
  const [workload, weightPercent] = [workloadOf(world), world.chance.one([0, 10, 33.3, 100])]
  world.edit(workload, weightPercent)
  return `somebody else sets ${workload} to ${weightPercent} %`
}

function spoilWorkload(world: World, later: Later): string | null {
  const workload = workloadOf(world)
  if (world.options.harmed.includes(workload)) return null
  const bad = { old: world.chance.one([0, 0, 3, 50]), new: world.chance.one([0, 3, 50]) }
  world.truth.setBad(workload, bad)
  const span = seconds(world, 80)
  later(span, () => world.truth.setBad(workload, { old: 0, new: 0 }))
  return `${workload} fails ${bad.old} % on old, ${bad.new} % on new, ${span} s`
}

function alert(world: World, later: Later): string {
  const [workload, action] = [workloadOf(world), world.chance.one(['halt', 'halt', 'revert'] as const)]
  const resolve = world.people.alert(workload, action)
  later(seconds(world, 60), resolve)
  return `alert (${action}) about ${workload}`
}
