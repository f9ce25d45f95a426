import { Command, CommanderError, Option } from 'commander'
import { COMMANDS_TO_ALL, type CommandName } from '../core/observation.ts'
import { Problem, problem } from '../core/problem.ts'
import type { ReportFormat } from '../report/render.ts'
import { readVersion } from '../shared/version.ts'
import type { LogLevel } from '../telemetry/log.ts'
import { journalHead, wholeNumber } from './arguments.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit.ts'
import type { Io } from './io.ts'
import { DEFAULT_URL, type GlobalOptions, openSession, type Session, sayProblem } from './session.ts'

/** Runs one command line (without `node` and the script) to its exit code. Never throws for what a person can cause. */
export async function runCli(argv: readonly string[], io: Io): Promise<ExitCode | number> {
  let exitCode: number = EXIT.ok
  const program = createProgram(io, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok
    // An interrupt ends what was asked; nobody wants to be told so.
    if (io.interrupted.aborted && !(error instanceof Problem)) return EXIT.failed
    const refusal = toProblem(error)
    if (!refusal) throw error
    sayProblem(openSession(io, { json: argv.includes('--json') }), refusal.toJSON())
    return exitCodeOf(refusal.code)
  }
}

type Action = (session: Session) => Promise<number>

// Each command imports what it needs when it is run: `headgate status` is not to wait for the engine to load.
function createProgram(io: Io, onExit: (code: number) => void): Command {
  const program = new Command('headgate')
    .description('Moves live traffic from one Kubernetes cluster to another, workload by workload, and shows why.')
    .version(readVersion(), '-V, --version')
    .option('--url <url>', `where Headgate answers (env HEADGATE_URL; default ${DEFAULT_URL})`)
    .option('--token-file <path>', 'file with the API token (or env HEADGATE_TOKEN)')
    .option('--ca <path>', 'PEM file of the authorities to trust for https (or env HEADGATE_CA)')
    .option('--cert <path>', 'PEM file of a client certificate (or env HEADGATE_CERT)')
    .option('--key <path>', 'PEM file of its key (or env HEADGATE_KEY)')
    .option('--json', 'machine output: one JSON object, or one a line')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err, outputError: () => {} })
  const run = async (action: Action) => onExit(await action(openSession(io, program.opts<GlobalOptions>())))
  addService(program, run)
  addStore(program, run)
  addViews(program, run)
  addReport(program, run)
  for (const [name, description] of COMMANDS) addCommand(program, run, name, description)
  addAdopt(program, run)
  return program
}

// Not taken from telemetry/log.ts, which loads the logger.
const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']

type Run = (action: Action) => Promise<void>

function addService(program: Command, run: Run): void {
  program
    .command('run')
    .description('run the service: gather evidence, decide, move traffic')
    .requiredOption('-c, --config <path>', 'the config: a file, or a folder with a file for each migration')
    .addOption(new Option('--log-level <level>', 'the quietest that is logged').choices(LOG_LEVELS).default('info'))
    .action((options) => run(async (session) => (await import('./commands/run.ts')).run(session, options)))
  program
    .command('validate')
    .description('check a config and print everything that is wrong with it')
    .argument('<file>', 'the config: a file, or a folder with a file for each migration')
    .action((file: string) => run(async (session) => (await import('./commands/config.ts')).validate(session, file)))
  program
    .command('plan')
    .description('show what a config would do: wave by wave, with the earliest times and the writes; asks nobody')
    .argument('<file>')
    .option('--start <time>', "from then on, as in 2026-11-23T08:00, in the calendar's time zone; by default now")
    .option('--ttl <seconds>', 'TTL that names are taken to have now', wholeNumber(0, 604_800), 300)
    .action((file: string, options) =>
      run(async (session) => (await import('./commands/plan.ts')).plan(session, file, options)),
    )
  program
    .command('doctor')
    .description('look live at every target and SLI of a config, without writing anything')
    .argument('<file>', 'the config: a file, or a folder with a file for each migration')
    .option('--privileges', 'print the least that Headgate must be allowed to do, as documents; asks nobody')
    .action((file: string, options: { privileges?: boolean }) =>
      run(async (session) => (await import('./commands/doctor.ts')).doctor(session, file, options)),
    )
  program
    .command('preflight')
    .description('look live whether workloads could start, check by check, without writing anything')
    .argument('<file>', 'the config: a file, or a folder with a file for each migration')
    .argument('[workload]')
    .action((file: string, workload?: string) =>
      run(async (session) => (await import('./commands/preflight.ts')).preflight(session, file, workload)),
    )
  program
    .command('notify')
    .description('try the channels of notifications')
    .command('test')
    .description('send one sample to a channel of the config; of incidents, one that is over at once')
    .argument('<channel>')
    .requiredOption('-c, --config <path>', 'the config: a file, or a folder with a file for each migration')
    .action((channel: string, options: { config: string }) =>
      run(async (session) => (await import('./commands/notify.ts')).notifyTest(session, channel, options)),
    )
  program
    .command('rules')
    .description('write the recording and alerting rules for Prometheus that fit a config; asks nobody')
    .argument('<file>', 'the config: a file, or a folder with a file for each migration')
    .option('-o, --out <folder>', 'write a file for Headgate and one for each migration; by default all on stdout')
    .option('--runbooks <url>', "where alerts' pages are; by default those of the project")
    .action((file: string, options) =>
      run(async (session) => (await import('./commands/rules.ts')).rules(session, file, options)),
    )
  program
    .command('reload')
    .description('have the service read its config again; says what has changed, or all that is wrong')
    .action(() => run(async (session) => (await import('./commands/reload.ts')).reload(session)))
  program
    .command('schema')
    .description('print the JSON Schema of the config')
    .action(() => run(async (session) => (await import('./commands/config.ts')).schema(session)))
  program
    .command('demo')
    .description('watch a migration of three workloads on this machine, in about a minute')
    .option('--exit', 'leave at the end instead of staying up for a look around')
    .action((options: { exit?: boolean }) =>
      run(async (session) => (await import('./commands/demo.ts')).demo(session, options.exit === true)),
    )
}

function addStore(program: Command, run: Run): void {
  const store = program.command('store').description('carry a store from a file to Redis, or back')
  store
    .command('export')
    .description('write all that a store holds on stdout, a line of JSON each; the service must not run')
    .option('-c, --config <path>', 'the config that names the store')
    .option('--store <file>', 'a SQLite file instead')
    .action((options) => run(async (session) => (await import('./commands/store.ts')).storeExport(session, options)))
  store
    .command('import')
    .description('take an export into an empty store; its journal is proven before and after')
    .argument('<file>')
    .option('-c, --config <path>', 'the config that names the store')
    .option('--store <file>', 'a SQLite file instead')
    .action((file: string, options) =>
      run(async (session) => (await import('./commands/store.ts')).storeImport(session, file, options)),
    )
}

function addViews(program: Command, run: Run): void {
  program
    .command('status')
    .description('show where every workload stands and why, or one workload with its evidence')
    .argument('[workload]')
    .option('--migration <name>', 'only the workloads of this migration')
    .action((workload: string | undefined, options: { migration?: string }) =>
      run(async (session) => (await import('./commands/status.ts')).status(session, workload, options)),
    )
  program
    .command('decommission')
    .description('say whether OLD may go, for one workload or for all, with what shows it and who still comes')
    .argument('[workload]')
    .action((workload?: string) =>
      run(async (session) => (await import('./commands/decommission.ts')).decommission(session, workload)),
    )
  program
    .command('watch')
    .description('the same, live; in a pipe, a line for each change')
    .action(() => run(async (session) => (await import('./commands/watch.ts')).watch(session)))
  program
    .command('journal')
    .description('show what happened')
    .option('-w, --workload <name>', 'only this workload')
    .option('--migration <name>', 'only the workloads of this migration')
    .option('-f, --follow', 'go on with what happens from now on')
    .option('-n, --limit <count>', 'rows: the newest, or with --after the first', wholeNumber(1, 1000), 50)
    .option('--after <seq>', 'rows after this one', wholeNumber(0))
    .option('--store <file>', 'read a SQLite file instead of asking the service')
    .action((options) => run(async (session) => (await import('./commands/journal.ts')).journal(session, options)))
    .command('verify')
    .description('prove that no row of the journal was changed or lost; ends with 1 if one was')
    .option('--store <file>', 'read a SQLite file instead of asking the service')
    .option('--expect <seq:hash>', 'a head that was noted down before: it must be part of the chain', journalHead)
    .action((_, verify: Command) =>
      run(async (session) =>
        (await import('./commands/journal-verify.ts')).journalVerify(session, verify.optsWithGlobals()),
      ),
    )
}

// Not taken from report/render.ts, which loads what makes them.
const REPORT_FORMATS: readonly ReportFormat[] = ['md', 'html', 'json', 'svg']

function addReport(program: Command, run: Run): void {
  program
    .command('report')
    .description('write what happened, with its numbers, for a postmortem or an audit')
    .option('--migration <name>', 'which one, where there are several')
    .addOption(new Option('--format <form>', 'else by the ending of --out, else md').choices(REPORT_FORMATS))
    .option('-o, --out <file>', 'write to a file; with md, the plots beside it')
    .option('--store <file>', 'read a SQLite file instead of asking the service')
    .option('-c, --config <file>', 'with --store: the config, for its prices')
    .action((options) => run(async (session) => (await import('./commands/report.ts')).report(session, options)))
}

const TO_ALL: readonly CommandName[] = COMMANDS_TO_ALL

const COMMANDS: readonly (readonly [CommandName, string])[] = [
  ['pause', 'hold at this weight until a `resume`'],
  ['resume', 'clear a pause or a halt, and judge only what comes from now on'],
  ['approve', 'allow the step that waits for a person'],
  ['advance', 'take the next step without waiting for more proof'],
  ['halt', 'stop at this weight, as if there were harm'],
  ['revert', 'bring the traffic back to the safe weight'],
  [
    'retry',
    'have a failed hook done again, write the weight again over drift, or start anew what was reverted or cancelled',
  ],
  ['cancel', 'let go of it; the weight stays where it is'],
  ['close', 'say that it is done for good: there is no way back, and OLD may go'],
]

function addCommand(program: Command, run: Run, name: CommandName, description: string): void {
  const command = program
    .command(name)
    .description(description)
    .argument(TO_ALL.includes(name) ? '[workload]' : '<workload>')
  withWait(command.requiredOption('-r, --reason <text>', 'why, for the journal'))
  if (name === 'revert') command.option('--force', 'even if OLD looks no better')
  if (TO_ALL.includes(name)) toMany(command)
  command.action((workload: string | undefined, options) =>
    run(async (session) => {
      const { command: say, commandAll } = await import('./commands/command.ts')
      demandOneWay(workload !== undefined, options)
      return workload === undefined ? commandAll(session, name, options) : say(session, name, workload, options)
    }),
  )
}

function addAdopt(program: Command, run: Run): void {
  const command = program
    .command('adopt')
    .description('take the weights that were found, after a loss of the store or a start by hand, and go on from there')
    .argument('[workload...]')
    .option('-r, --reason <text>', 'why, for the journal')
    .option('--dry-run', 'say where each would go on, and change nothing; needs no reason')
  toMany(withWait(command)).action((workloads: readonly string[], options) =>
    run(async (session) => {
      demandOneWay(workloads.length > 0, options)
      return (await import('./commands/adopt.ts')).adopt(session, workloads, options)
    }),
  )
}

function withWait(command: Command): Command {
  return command
    .option('--no-wait', 'do not wait for the outcome')
    .option('--timeout <seconds>', 'how long to wait for the outcome', wholeNumber(1, 86_400), 60)
}

function toMany(command: Command): Command {
  return command
    .option('--all', 'say it to every workload that it fits, and do not wait')
    .option('--wave <name>', 'the same for the workloads of a wave')
    .option('--migration <name>', 'the same for the workloads of a migration')
}

type Many = { readonly all?: boolean; readonly wave?: string; readonly migration?: string }

/** `--all --wave x` could be meant either way, and one of them is a revert of everything. */
function demandOneWay(isNamed: boolean, { all, wave, migration }: Many): void {
  const meant = [isNamed, all === true, wave !== undefined || migration !== undefined].filter((one) => one)
  if (meant.length !== 1) throw problem('CLI_USAGE', 'name one workload, or say --all, or name a --wave or --migration')
}

function toProblem(error: unknown): Problem | null {
  if (error instanceof Problem) return error
  if (!(error instanceof CommanderError)) return null
  const cause = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '')
  return problem('CLI_USAGE', cause)
}
