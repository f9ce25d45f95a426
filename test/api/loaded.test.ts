import { describe, expect, test } from 'vitest'
import { OPERATOR_TOKEN, testApi } from '../support/api.ts'

describe('to a replica that stands by, or has just started', () => {
  test.each([
    ['a command to one workload', '/api/v1/workloads/catalog/commands'],
    ['a command to all', '/api/v1/commands'],
  ])('%s is no mistake of its sender: 503, and it is to be sent again', async (_name, url) => {
    const { app, service } = await testApi()
    service.workloads = []
    const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` }
    const response = await app.inject({ method: 'POST', url, headers, body: { command: 'revert', reason: 'errors' } })
    expect(response.statusCode).toBe(503)
    expect(response.headers['retry-after']).toBe('1')
    expect(response.json()).toMatchObject({ code: 'STORE_UNAVAILABLE', cause: 'the rollouts are not loaded yet' })
    expect(service.submitted).toEqual([])
  })
})
