import { describe, expect, test } from 'vitest'
import { type ApiClient, type ApiConfig, apiOf, EVERYTHING } from '../../src/policy/access.ts'
import { adviceOf } from '../../src/policy/advice.ts'
import { apiSchema } from '../../src/policy/schema-api.ts'
import { listeningApi, VIEWER_TOKEN } from '../support/api.ts'
import { createAuthority } from '../support/certificates.ts'
import { runHere } from '../support/cli.ts'
import { CLIENTS, SERVERS, tlsApi } from '../support/tls-api.ts'

const BOB: ApiClient = {
  ...{ name: 'bob', role: 'admin', approves: [], scope: EVERYTHING },
  certificate: { san: 'DNS:bob' },
}

async function overTls() {
  const api = await tlsApi([BOB])
  const bob = CLIENTS.issue({ names: ['bob'] })
  api.write('servers.crt', SERVERS.cert)
  api.write('bob.crt', bob.cert)
  api.write('bob.key', bob.key)
  const at = (name: string) => `${api.folder}/${name}`
  const run = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    runHere(argv, { env: { HEADGATE_URL: api.url, ...env } })
  const shown = ['--ca', at('servers.crt'), '--cert', at('bob.crt'), '--key', at('bob.key')]
  return { ...api, at, run, shown }
}

describe('the command line over https', () => {
  test('asks by a certificate', async () => {
    const { run, shown } = await overTls()
    const { code, out, err } = await run([...shown, 'reload'])
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('is in force')
  })

  test('takes its files from the variables, too, and a token beside them', async () => {
    const { run, at } = await overTls()
    const env = { HEADGATE_CA: at('servers.crt'), HEADGATE_CERT: at('bob.crt'), HEADGATE_KEY: at('bob.key') }
    expect((await run(['reload'], env)).code).toBe(0)
    // What is sent on purpose counts: a viewer reloads nothing.
    expect((await run(['reload'], { ...env, HEADGATE_TOKEN: VIEWER_TOKEN })).err).toContain('API_FORBIDDEN')
  })

  test('says what to do where it does not trust the server', async () => {
    const { run, write, at } = await overTls()
    write('other.crt', createAuthority('others').cert)
    const { code, err } = await run(['--ca', at('other.crt'), 'status'])
    expect([code, err]).toEqual([4, expect.stringMatching(/API_UNREACHABLE: https:.*--ca or HEADGATE_CA/)])
    expect((await run(['status'])).err).toContain('--ca or HEADGATE_CA')
  })

  test('says what was wrong with its certificate', async () => {
    const { run, write, at, shown } = await overTls()
    const stranger = CLIENTS.issue({ names: ['eve'] })
    write('bob.crt', stranger.cert)
    write('bob.key', stranger.key)
    const { code, err } = await run([...shown, 'status'])
    expect([code, err]).toEqual([4, expect.stringMatching(/API_CERTIFICATE_REFUSED: no client .*api\.tls\.clientCa/)])
    write('bob.key', CLIENTS.issue({ names: ['bob'] }).key)
    const other = await run([...shown, 'status'])
    expect([other.code, other.err]).toEqual([4, expect.stringContaining('--cert and --key')])
    expect(other.err).not.toContain(at('bob.key'))
  })

  test.each([
    ['a certificate without its key', ['--cert', 'x.crt'], 'without its key'],
    ['a key without its certificate', ['--key', 'x.key'], 'without its certificate'],
    ['a file that is not there', ['--ca', '/nowhere/ca.crt'], 'cannot be read: ENOENT'],
  ])('does not take %s', async (_, options, why) => {
    const { run } = await overTls()
    const { code, err } = await run([...options, 'status'])
    expect([code, err]).toEqual([2, expect.stringContaining(why)])
  })

  test('shows no certificate over plain HTTP', async () => {
    const { shown } = await overTls()
    const { url } = await listeningApi()
    const { code, err } = await runHere([...shown, 'status'], { env: { HEADGATE_URL: url } })
    expect([code, err]).toEqual([2, expect.stringContaining('over https alone')])
  })
})

describe('tokens over plain HTTP', () => {
  const api = (written: object): ApiConfig => apiOf(apiSchema.parse(written))
  const tokens = [{ name: 'a', role: 'viewer', token: '${env:A}' }]
  const tls = { cert: 'a', key: 'b' }

  test.each([
    ['beyond loopback are told', { host: '0.0.0.0', tokens }, ['CONFIG_TOKENS_IN_PLAIN']],
    [
      'with a public URL that is plain, too',
      { host: '0.0.0.0', tokens, publicUrl: 'http://h' },
      ['CONFIG_TOKENS_IN_PLAIN'],
    ],
    ['on loopback are nobody’s to read', { tokens }, []],
    ['are none where there is TLS', { host: '0.0.0.0', tokens, tls }, []],
    ['are none behind a proxy that ends TLS', { host: '0.0.0.0', tokens, publicUrl: 'https://h' }, []],
  ])('%s', (_, written, codes) => {
    expect(adviceOf({ api: api(written) }).map(({ code }) => code)).toEqual(codes)
  })
})
