import { z } from 'zod'
import { about, duration, refuse, secretReference } from '../shared/schema.ts'
import { addressRange, httpUrl } from './schema-http.ts'
import { text } from './schema-names.ts'
import { certificateShape, tlsSchema } from './schema-tls.ts'

/** What a token, or a group of people, may do. */
export const ROLES = ['viewer', 'approver', 'operator', 'admin', 'webhook'] as const

const scopeSchema = z
  .strictObject({
    migrations: z
      .array(text())
      .min(1)
      .optional()
      .meta(about('Only these migrations', ['eks-1-33'])),
    teams: z
      .array(text())
      .min(1)
      .optional()
      .meta(about('Only workloads with one of these as their `team`', ['payments'])),
    workloads: z
      .array(text())
      .min(1)
      .optional()
      .meta(about('Only these workloads', ['checkout'])),
  })
  .meta(about('What it is narrowed to; all that is written here must fit', { teams: ['payments'] }))

const grantShape = {
  role: z
    .enum(ROLES)
    .meta(
      about(
        '`viewer` reads; `approver` also approves; `operator` gives all commands; `admin` may also reload the config; `webhook` delivers alerts alone',
        'operator',
      ),
    ),
  approves: z
    .array(text())
    .prefault([])
    .meta(about('Approval roles: a step that asks for one of them can be approved with it', ['release-managers'])),
  scope: scopeSchema.prefault({}),
}

const tokenSchema = z.strictObject({
  name: text().meta(about('Who uses it: the actor in the journal', 'alice')),
  ...grantShape,
  token: secretReference().meta(about('The bearer token', '${env:HEADGATE_TOKEN}')),
})

const clientSchema = z
  .strictObject({
    name: text().meta(about('Who uses it: the actor in the journal', 'alertmanager')),
    ...grantShape,
    ...certificateShape,
  })
  .superRefine(({ san, subject }, ctx) => {
    if ((san === undefined) === (subject === undefined))
      refuse(ctx, 'CONFIG_WRONG_VALUE', 'a client is told by `san` or by `subject`', 'give one of them')
  })

const oidcSchema = z
  .strictObject({
    issuer: identityUrl().meta(
      about(
        'The `iss` of its tokens, to the letter; its keys are found from there',
        'https://id.example.com/realms/sre',
      ),
    ),
    audience: text().meta(about('What the `aud` of a token must have', 'headgate')),
    jwksUrl: identityUrl()
      .optional()
      .meta(
        about('Where its keys are; by default as the issuer’s discovery document says', 'https://id.example.com/keys'),
      ),
    clockTolerance: duration({ maxSeconds: 300 })
      .prefault('30s')
      .meta(about('How far its clock and ours may be apart', '30s')),
    claims: z
      .strictObject({
        name: text()
          .prefault('preferred_username')
          .meta(about('The claim that names the person in the journal', 'preferred_username')),
        groups: text()
          .prefault('groups')
          .meta(about('The claim with the groups: a name, or a path with dots', 'groups')),
      })
      .prefault({})
      .meta(about('Which claims are read')),
    groups: z
      .array(
        z.strictObject({
          group: text().meta(about('A group, as the claim has it', 'sre')),
          ...grantShape,
        }),
      )
      .min(1)
      .meta(about('What the members of each group may do', [{ group: 'sre', role: 'operator' }])),
  })
  .meta(about('People who sign in at an identity provider (OpenID Connect)'))

const perMinute = (usual: number, what: string) =>
  z
    .int()
    .min(1)
    .max(1_000_000)
    .prefault(usual)
    .meta(about(what, usual, 'requests a minute'))

/** The API: where it listens, and who may do what. */
export const apiSchema = z
  .strictObject({
    host: text()
      .prefault('127.0.0.1')
      .meta(about('Address to listen on; beyond loopback it needs `tokens`, `clients` or `oidc`', '127.0.0.1')),
    port: z.int().min(0).max(65_535).prefault(7474).meta(about('Port to listen on; 0: any free one', 7474)),
    publicUrl: httpUrl()
      .optional()
      .meta(about('Where people reach it, for links in notifications', 'https://headgate.example.com')),
    tls: tlsSchema.optional(),
    tokens: z
      .array(tokenSchema)
      .prefault([])
      .meta(about('Who may use the API; without `tokens`, `clients` and `oidc` nobody can give commands')),
    clients: z
      .array(clientSchema)
      .prefault([])
      .meta(about('Who may use the API by a certificate that `tls.clientCa` vouches for')),
    oidc: oidcSchema.optional(),
    session: z
      .strictObject({
        key: secretReference()
          .optional()
          .meta(
            about(
              'What cookies are sealed with, at least 32 characters; without it sessions end with the process, and each replica has its own',
              '${env:HEADGATE_SESSION_KEY}',
            ),
          ),
        maxHours: z
          .int()
          .min(1)
          .max(168)
          .prefault(8)
          .meta(about('How long a page stays signed in, at most', 8, 'hours')),
      })
      .prefault({})
      .meta(about('The session of a page in a browser')),
    limits: z
      .strictObject({
        reads: perMinute(1200, 'Reads of one token, or of one address without any'),
        changes: perMinute(240, 'Commands and other changes of one token'),
        refusals: perMinute(60, 'Requests without a valid token from one address'),
      })
      .prefault({})
      .meta(about('How often one may ask')),
    trustedProxies: z
      .array(addressRange())
      .prefault([])
      .meta(about('Proxies whose `X-Forwarded-For` tells the address of the caller', ['10.0.0.0/8'])),
    audit: z
      .strictObject({
        path: text().meta(
          about("A file that each line is appended to, relative to the config's folder", 'audit.jsonl'),
        ),
      })
      .optional()
      .meta(about('Where else than in the log each change and each refusal is told', { path: 'audit.jsonl' })),
  })
  .prefault({})
  .meta(about('The HTTP API'))

/** An https URL; http on loopback alone: whoever can change keys on their way can be anybody. */
function identityUrl() {
  return httpUrl().superRefine((written, ctx) => {
    const { protocol, hostname } = new URL(written)
    if (protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) return
    refuse(ctx, 'CONFIG_WRONG_VALUE', 'an identity provider is not asked without TLS', 'write https://HOST/PATH')
  })
}
