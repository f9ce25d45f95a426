import * as sdk from '@aws-sdk/client-elastic-load-balancing-v2'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { TrafficScope } from '../../src/ports/traffic.ts'
import { elbv2 } from '../../src/traffic/elbv2/kind.ts'
import { elbv2Account } from '../../src/traffic/elbv2/settings.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { type Moto, startMoto } from '../support/moto.ts'
import { requireServer } from '../support/servers.ts'

const binary = requireServer('moto_server', 'the wire format of load balancers')
const REGION = 'eu-central-1'

const OIDC: sdk.Action = {
  Type: 'authenticate-oidc',
  Order: 1,
  AuthenticateOidcConfig: {
    Issuer: 'https://id.example.com',
    AuthorizationEndpoint: 'https://id.example.com/authorize',
    TokenEndpoint: 'https://id.example.com/token',
    UserInfoEndpoint: 'https://id.example.com/me',
    ClientId: 'shop',
    ClientSecret: 'of-the-client',
  },
}

describe.skipIf(binary === null)('elbv2 against moto', () => {
  let moto: Moto
  let client: sdk.ElasticLoadBalancingV2Client
  let listenerArn: string
  const groups = { blue: '', green: '' }
  const scopes: TrafficScope[] = []

  beforeAll(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAFAKE')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary')
    moto = await startMoto(binary ?? '')
    client = new sdk.ElasticLoadBalancingV2Client({ region: REGION, endpoint: moto.url })
    const { LoadBalancers } = await client.send(
      new sdk.CreateLoadBalancerCommand({ Name: 'shop', Subnets: await subnetsAt(moto.url) }),
    )
    const { VpcId, LoadBalancerArn } = first(LoadBalancers)
    for (const name of ['blue', 'green'] as const) {
      const made = await client.send(
        new sdk.CreateTargetGroupCommand({ Name: name, TargetType: 'ip', Protocol: 'HTTP', Port: 80, VpcId }),
      )
      groups[name] = first(made.TargetGroups).TargetGroupArn ?? ''
      const Targets = [{ Id: '10.0.0.1' }]
      await client.send(new sdk.RegisterTargetsCommand({ TargetGroupArn: groups[name], Targets }))
    }
    const listener = await client.send(
      new sdk.CreateListenerCommand({
        LoadBalancerArn,
        Port: 80,
        Protocol: 'HTTP',
        DefaultActions: [{ Type: 'forward', TargetGroupArn: groups.blue }],
      }),
    )
    listenerArn = first(listener.Listeners).ListenerArn ?? ''
  })

  afterAll(async () => {
    for (const scope of scopes) await scope.close()
    client?.destroy()
    await moto?.stop()
    vi.unstubAllEnvs()
  })

  async function makeRule(priority: number, actions: sdk.Action[]): Promise<string> {
    const made = await client.send(
      new sdk.CreateRuleCommand({
        ListenerArn: listenerArn,
        Priority: priority,
        Conditions: [{ Field: 'path-pattern', Values: [`/${priority}/*`] }],
        Actions: actions,
      }),
    )
    return first(made.Rules).RuleArn ?? ''
  }

  function open(place: object) {
    const settings = elbv2.settings.parse({ ...place, old: 'blue', new: 'green' })
    const account = elbv2Account.parse({ endpoint: moto.url, quota: { callsPerSecond: 1000, burst: 1000 } })
    const scope = elbv2.open([{ id: 't', settings }], account, adapterContext())
    scopes.push(scope)
    const signal = () => AbortSignal.timeout(120_000)
    return {
      read: async () => (await scope.read(['t'], signal())).get('t'),
      write: async (weightPercent: number) =>
        (await scope.write([{ targetId: 't', weightPercent, ttlSeconds: null, urgency: 'forward' }], signal())).get(
          't',
        ),
      inspect: async () => scope.inspect(['t'], signal()),
    }
  }

  test('each weight of a rule is read back as it was written, and its authentication stays', async () => {
    const rule = await makeRule(1, [
      OIDC,
      {
        Type: 'forward',
        Order: 2,
        ForwardConfig: {
          TargetGroups: [{ TargetGroupArn: groups.blue, Weight: 1 }],
          TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 60 },
        },
      },
    ])
    const { read, write, inspect } = open({ rule })
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 0 })
    for (const percent of [0.1, 12.5, 50, 99.9, 100, 0]) {
      expect(await write(percent)).toEqual({ kind: 'applied' })
      expect(await read()).toEqual({ kind: 'weight', weightPercent: percent })
    }
    const kept = first((await client.send(new sdk.DescribeRulesCommand({ RuleArns: [rule] }))).Rules)
    expect(kept.Conditions).toMatchObject([{ Field: 'path-pattern', Values: ['/1/*'] }])
    expect(kept.Actions).toMatchObject([
      { Type: 'authenticate-oidc', AuthenticateOidcConfig: { ClientId: 'shop', UseExistingClientSecret: true } },
      { Order: 2, ForwardConfig: { TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 60 } } },
    ])
    expect(await inspect()).toMatchObject([{ level: 'warn', problem: { code: 'TRAFFIC_STICKY' } }])
  })

  test('a default action without weights gets some, and keeps its port and protocol', async () => {
    const { read, write } = open({ listener: listenerArn })
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 0 })
    expect(await write(25)).toEqual({ kind: 'applied' })
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 25 })
    const kept = await client.send(new sdk.DescribeListenersCommand({ ListenerArns: [listenerArn] }))
    expect(first(kept.Listeners)).toMatchObject({ Port: 80, Protocol: 'HTTP' })
  })

  test('tags of the AWS Load Balancer Controller are found', async () => {
    const rule = await makeRule(2, [{ Type: 'forward', TargetGroupArn: groups.blue }])
    const Tags = [{ Key: 'elbv2.k8s.aws/cluster', Value: 'prod-a' }]
    await client.send(new sdk.AddTagsCommand({ ResourceArns: [rule], Tags }))
    expect(await open({ rule }).read()).toMatchObject({ otherWriter: expect.stringContaining('cluster prod-a') })
  })

  test('a rule that is gone is not found', async () => {
    const rule = await makeRule(3, [{ Type: 'forward', TargetGroupArn: groups.blue }])
    await client.send(new sdk.DeleteRuleCommand({ RuleArn: rule }))
    const { read, write } = open({ rule })
    expect(await read()).toMatchObject({ kind: 'missing', why: 'empty' })
    expect(await write(10)).toMatchObject({ kind: 'failed', problem: { code: 'TRAFFIC_NOT_FOUND' } })
  })
})

function first<T>(list: readonly T[] | undefined): T {
  const [one] = list ?? []
  if (one === undefined) throw new Error('moto made nothing')
  return one
}

/** The subnets that every account has, asked of EC2 by hand: its SDK is not installed. */
async function subnetsAt(url: string): Promise<string[]> {
  const { body } = await request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      // Moto tells by it which service and region is meant.
      authorization: `AWS4-HMAC-SHA256 Credential=AKIAFAKE/20260101/${REGION}/ec2/aws4_request`,
    },
    body: 'Action=DescribeSubnets&Version=2016-11-15',
  })
  const ids = (await body.text()).matchAll(/<subnetId>([^<]+)<\/subnetId>/g)
  return [...ids].map(([, id = '']) => id)
}
