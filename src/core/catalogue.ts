interface CatalogueEntry {
  /** HTTP status where the API refuses with it. */
  readonly status: number
  readonly title: string
  readonly hint: string
}

/**
 * Every problem that Headgate can report. `docs/problems.md` lists the same, and a test compares the two.
 * A code once retired is never used again.
 */
export const CATALOGUE = {
  CONFIG_FILE_UNREADABLE: entry(400, 'A config file cannot be read', 'check the path and its permissions'),
  CONFIG_SYNTAX: entry(400, 'Not valid YAML', 'fix the syntax at the position'),
  CONFIG_UNKNOWN_KEY: entry(400, 'A key that Headgate does not know', 'remove it, or see docs/config.md'),
  CONFIG_MISSING_KEY: entry(400, 'A required key is missing', 'add it; docs/config.md has an example'),
  CONFIG_WRONG_TYPE: entry(400, 'A value of the wrong type', 'see docs/config.md for its type'),
  CONFIG_WRONG_VALUE: entry(400, 'A value out of its range', 'see docs/config.md for its range'),
  CONFIG_DURATION: entry(400, 'Not a duration', 'write a whole number and a unit: 90s, 5m, 24h, 7d'),
  CONFIG_PERCENT: entry(400, 'Not a percentage', 'write a number and a percent sign: 10%, 99.9%'),
  CONFIG_DUPLICATE: entry(400, 'The same name or place twice', 'keep one of them'),
  CONFIG_NOT_FOUND: entry(400, 'A name that nothing defines', 'define it, or correct the name'),
  CONFIG_CYCLE: entry(400, 'A dependency that leads back to itself', 'remove one `after` of the cycle'),
  CONFIG_CALENDAR: entry(400, 'A calendar that cannot be understood', 'see docs/calendar.md'),
  CONFIG_STEPS: entry(400, 'Steps that do not rise to 100 %', 'write rising weights that end at 100%'),
  CONFIG_SCOPE_CLAIMED: entry(400, 'One place claimed by two workloads', 'give each workload a place of its own'),
  CONFIG_QUERY: entry(
    400,
    'Not a query that the source can answer',
    'fix the query; try it in the own UI of the source',
  ),
  CONFIG_PROMQL: entry(400, 'Not valid PromQL', 'fix the expression at the position'),
  CONFIG_SECRET_LITERAL: entry(400, 'A secret written out', 'write ${env:NAME} or ${file:PATH}'),
  CONFIG_SECRET_MISPLACED: entry(400, 'A secret where none belongs', 'only secret fields take ${env:…} and ${file:…}'),
  CONFIG_SECRET_UNRESOLVED: entry(400, 'A secret that cannot be found', 'set the variable, or create the file'),

  CONFIG_TOKENS_IN_PLAIN: entry(
    400,
    'Tokens that come over plain HTTP',
    'set `api.tls`; where a proxy ends TLS, say so by an https `api.publicUrl`',
  ),
  CONFIG_NEEDS_RESTART: entry(409, 'A change that only a restart may bring', 'restart Headgate, or undo the change'),

  TRAFFIC_UNREACHABLE: entry(502, 'A traffic provider does not answer', 'check its address, and that it runs'),
  TRAFFIC_REFUSED: entry(502, 'A traffic provider refused', 'check the credentials and its log'),
  TRAFFIC_NOT_FOUND: entry(502, 'The place of a split does not exist', 'check the names in the target'),
  TRAFFIC_BAD_ANSWER: entry(502, 'A traffic provider answered with something else', 'check what listens there'),
  TRAFFIC_TIMEOUT: entry(
    504,
    'A traffic provider did not answer in time',
    'check its load; a write may have happened all the same, and the next read will tell',
  ),
  TRAFFIC_WEIGHT: entry(502, 'A weight that the provider cannot express', 'use one of the nearest weights instead'),
  TRAFFIC_THROTTLED: entry(
    503,
    'A traffic provider refused a call for its rate',
    'Headgate tries again; who else uses the account, and are the quotas under `providers` right?',
  ),
  TRAFFIC_CONFLICT: entry(
    503,
    'Somebody else changed the place at the same moment',
    'Headgate reads it and tries again',
  ),
  TRAFFIC_WRONG_TYPE: entry(
    502,
    'A place of a type that has no weights',
    'see the page of the provider in docs/providers',
  ),
  TRAFFIC_UNEQUAL: entry(502, 'Siblings that differ where they must not', 'make them equal'),
  TRAFFIC_UNHEALTHY: entry(
    502,
    'Nothing healthy behind a side of a split',
    'check the health checks and what they ask',
  ),
  TRAFFIC_BY_LATENCY: entry(409, 'Traffic that goes by latency before weight', 'widen the latency sensitivity'),
  TRAFFIC_STICKY: entry(409, 'Clients stay where they are for a while', 'wait for them, or turn stickiness off'),
  TRAFFIC_OTHER_WRITER: entry(409, 'Somebody else writes the weights too', 'have them leave the weights to Headgate'),
  TRAFFIC_FORBIDDEN: entry(
    502,
    'The credentials are not allowed to do it',
    '`headgate doctor --privileges` prints what is needed',
  ),
  TRAFFIC_NO_CREDENTIALS: entry(502, 'No credentials, or wrong ones', 'see the page of the provider in docs/providers'),
  TRAFFIC_UNVERIFIED: entry(502, 'A write that the read-back does not show', 'Headgate writes it again'),

  SOURCE_NO_ANSWER: entry(
    502,
    'A metric source tells nothing',
    'see its page in docs/sources; rollouts would be blind',
  ),
  SOURCE_NO_SERIES: entry(
    502,
    'No series of OLD for a workload',
    "check the SLI's labels, the clusters and the workload's name against the series",
  ),

  CLUSTER_NO_ANSWER: entry(
    502,
    "A cluster's API server tells nothing",
    'check `kubernetes` in the config, the credentials, and the way to the API server',
  ),
  CLUSTER_FORBIDDEN: entry(
    502,
    'The credentials are not allowed to do it in a cluster',
    '`headgate doctor --privileges` prints what is needed',
  ),
  CLUSTER_CLOCK: entry(502, "A cluster's clock and ours differ", 'have both follow NTP'),

  STORE_BUSY: entry(503, 'The store is locked', 'try again; another process may be writing'),
  STORE_UNAVAILABLE: entry(503, 'The store cannot be used', 'check the disk and the path'),
  STORE_CONFLICT: entry(503, 'Somebody else committed first', 'the sweep is done again by itself'),
  STORE_LEASE_HELD: entry(503, 'Another process holds the lease', 'stop it, or wait until its lease is over'),
  STORE_LOST: entry(
    503,
    'The store lost what it held',
    'nothing is raised or reverted: restore a backup; or stop all replicas, then `headgate store import` an export, or start anew and `headgate adopt --all`; see docs/redis.md',
  ),
  STORE_EVICTS: entry(500, 'Redis may throw keys away', 'set maxmemory-policy to noeviction'),
  STORE_NOT_EMPTY: entry(409, 'There is a store already', 'import into an empty place; nothing was written'),
  STORE_EXPORT: entry(400, 'The export cannot be taken', 'export it again; nothing was written'),
  STORE_VERSION: entry(500, 'The store was written by a newer Headgate', 'use that version or a newer one'),

  ENGINE_STALLED: entry(503, 'No sweep has ended for long', 'see the log; a restart is safe'),

  COMMAND_WRONG_PHASE: entry(409, 'The command does not fit the phase', 'see `headgate status`'),
  COMMAND_HELD: entry(409, 'Holds are in the way', 'clear them first, or wait'),
  COMMAND_NOTHING_TO_DO: entry(409, 'Nothing to do', 'see `headgate status`'),
  COMMAND_NOT_APPROVER: entry(403, 'Not one of the approvers', 'ask somebody with one of the roles'),
  COMMAND_CLOSED: entry(409, 'The rollout is closed', 'there is no way back from here: start a migration of its own'),
  COMMAND_NOT_ADOPTABLE: entry(
    409,
    'The weights cannot be adopted',
    'see the hold `unknown-weight` in `headgate status`',
  ),
  COMMAND_OLD_UNFIT: entry(409, 'OLD cannot take the traffic', 'repair OLD, or revert with force'),

  API_UNAUTHENTICATED: entry(401, 'No valid token', 'send `Authorization: Bearer TOKEN`'),
  API_CERTIFICATE_REFUSED: entry(
    401,
    'A client certificate that counts for nothing here',
    'show one that `api.tls.clientCa` vouches for and `api.clients` names, or send `Authorization: Bearer TOKEN`',
  ),
  API_FORBIDDEN: entry(
    403,
    'Not allowed',
    'ask somebody with the role and the scope that it needs: see docs/access.md',
  ),
  API_HOST_REFUSED: entry(
    403,
    'A host name that a loopback service does not have',
    'use localhost or 127.0.0.1, or set api.host and api.tokens',
  ),
  API_CSRF_REFUSED: entry(
    403,
    'A change by a session or a certificate that is not shown to come from Headgate’s own page',
    'by a session send its csrfToken as X-CSRF-Token, from the origin in `api.publicUrl`; or use a bearer token',
  ),
  API_SESSION_UNAVAILABLE: entry(
    503,
    'No session can be begun, or be opened',
    'send `Authorization: Bearer TOKEN` with each request; `api.session` has what sessions need',
  ),
  API_NOT_FOUND: entry(404, 'No such thing', 'see /openapi.json for the routes and /api/v1/workloads for the names'),
  API_BAD_REQUEST: entry(400, 'A request that does not fit the schema', 'see /openapi.json'),
  API_RATE_LIMITED: entry(429, 'Too many requests', 'wait as Retry-After says; `api.limits` has the limits'),
  API_IDENTITY_UNAVAILABLE: entry(
    503,
    'What tells who asks cannot be checked now: the identity provider’s keys, or a connection’s certificate',
    'try again, or use a token of `api.tokens`; the log says why',
  ),
  API_CONFIG_REFUSED: entry(409, 'The new config has problems; the old one stays', 'correct them: the journal has all'),
  API_OVERLOADED: entry(503, 'Too much to do', 'try again in a moment'),
  API_UNREACHABLE: entry(502, 'No Headgate answers', 'is `headgate run` up, and is --url right?'),
  API_INTERNAL: entry(500, 'A fault in Headgate', 'please report it with the log line of this request id'),

  CLI_TIMEOUT: entry(504, 'No outcome in time', 'the command stays in the inbox: see `headgate journal --follow`'),
  CLI_USAGE: entry(400, 'The command line does not fit', 'see `headgate --help`'),
} as const satisfies Record<string, CatalogueEntry>

export type ProblemCode = keyof typeof CATALOGUE

function entry(status: number, title: string, hint: string): CatalogueEntry {
  return { status, title, hint }
}
