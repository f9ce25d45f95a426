import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { formatProblem } from '../../src/core/problem.ts'
import { kinds } from '../policies/kinds.ts'
import { createAuthority } from '../support/certificates.ts'

const AUTHORITY = createAuthority('an authority')
const OWN = AUTHORITY.issue({ names: ['headgate.example.com'] })
const OTHER = AUTHORITY.issue({ names: ['headgate.example.com'] })
const CLIENT = '{ name: am, role: webhook, san: "DNS:am.example.com" }'

/** A config whose folder has these files; null: one is left out. */
async function load(
  files: Readonly<Record<string, string | null>> = {},
  tls = '{ cert: tls.crt, key: tls.key, clientCa: ca.crt }',
) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const all = { 'tls.crt': OWN.cert + AUTHORITY.cert, 'tls.key': OWN.key, 'ca.crt': AUTHORITY.cert, ...files }
  for (const [name, text] of Object.entries(all)) if (text !== null) writeFileSync(join(folder, name), text)
  const path = join(folder, 'headgate.yaml')
  const text = `apiVersion: headgate/v1
migration: eks-1-33
clusters: { old: prod-a, new: prod-b }
api:
  host: 0.0.0.0
  tls: ${tls}
  clients: [${CLIENT}]
workloads:
  - name: checkout
    traffic: { proxy: { socket: /run/proxy.sock, backend: be_checkout } }
    probes: [{ url: https://checkout.example.com/healthz, address: { new: 203.0.113.9 } }]
`
  writeFileSync(path, text)
  const loaded = await loadConfig(path, kinds, {})
  const told = loaded.ok ? [] : loaded.problems.map((one) => formatProblem(one).replaceAll(`${folder}/`, ''))
  return { loaded, told, folder }
}

describe('the files of api.tls', () => {
  test('are taken, and watched, and clients are enough to listen beyond loopback', async () => {
    const { loaded, told, folder } = await load()
    expect(told).toEqual([])
    expect(loaded.named).toEqual(['tls.crt', 'tls.key', 'ca.crt'].map((name) => join(folder, name)))
    expect(loaded.ok && loaded.config.api).toMatchObject({
      tls: { cert: 'tls.crt', key: 'tls.key', clientCa: 'ca.crt' },
      clients: [{ name: 'am', role: 'webhook', certificate: { san: 'DNS:am.example.com' } }],
    })
  })

  test('are in no config, and make no other one of it: a renewed certificate changes nothing else', async () => {
    const [before, after] = [await load(), await load({ 'tls.crt': OTHER.cert, 'tls.key': OTHER.key })]
    const text = JSON.stringify(before.loaded)
    for (const line of OWN.key.split('\n').slice(1, -2)) expect(text).not.toContain(line)
    expect(before.loaded.ok && before.loaded.config.hash).toBe(after.loaded.ok && after.loaded.config.hash)
  })

  test.each([
    ['a file that is not there', { 'tls.key': null }, '6:30: CONFIG_FILE_UNREADABLE: tls.key: ENOENT'],
    [
      'the key of another certificate',
      { 'tls.key': OTHER.key },
      '6:30: CONFIG_WRONG_VALUE: tls.key: not the key of the certificate',
    ],
    ['a certificate for a key', { 'tls.key': OWN.cert }, '6:30: CONFIG_WRONG_VALUE: tls.key: no private key in PEM'],
    ['a key for a certificate', { 'tls.crt': OWN.key }, '6:16: CONFIG_WRONG_VALUE: tls.crt: no certificate in PEM'],
    [
      'a certificate that is cut off',
      { 'tls.crt': OWN.cert.slice(0, 200) },
      '6:16: CONFIG_WRONG_VALUE: tls.crt: no certificate',
    ],
    ['no authority', { 'ca.crt': '' }, '6:49: CONFIG_WRONG_VALUE: ca.crt: no certificate in PEM'],
  ])('with %s are a problem at its place, which tells nothing of a file', async (_, files, want) => {
    const { told } = await load(files)
    expect(told).toEqual([expect.stringContaining(`headgate.yaml:${want}`)])
    for (const text of [OWN.key, OTHER.key, OWN.cert])
      for (const line of text.split('\n').slice(1, -2)) expect(told.join()).not.toContain(line)
  })

  test('whose key is written into the config: it is not repeated', async () => {
    const { told } = await load({}, JSON.stringify({ cert: 'tls.crt', key: OWN.key }))
    expect(told).toEqual([expect.stringContaining('CONFIG_SECRET_LITERAL: this is no name of a file')])
    for (const line of OWN.key.split('\n').slice(1, -2)) expect(told.join()).not.toContain(line)
  })
})
