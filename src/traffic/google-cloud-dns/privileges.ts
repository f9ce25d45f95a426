import type { Privilege } from '../../ports/kind.ts'
import type { TrafficTarget } from '../../ports/traffic.ts'
import type { GoogleCloudDnsSettings } from './settings.ts'

/**
 * A custom role for each project. A change that replaces a record set deletes one and adds one, so it wants all three of
 * create, update and delete; IAM knows no record sets, and the zone is the finest thing that a role can be bound to.
 */
export function privilegesFor(targets: readonly TrafficTarget<GoogleCloudDnsSettings>[]): readonly Privilege[] {
  const byProject = Map.groupBy(targets, ({ settings }) => settings.project)
  return [...byProject].map(([project, members]) => ({
    title: `Custom role of Headgate in project ${project}; bind it by the IAM policies of these zones alone: ${zonesOf(members)}`,
    format: 'json',
    document: {
      title: 'Headgate',
      description: 'Moves the weights of record sets',
      stage: 'GA',
      includedPermissions: [
        'dns.changes.create',
        'dns.changes.get',
        'dns.changes.list',
        'dns.resourceRecordSets.create',
        'dns.resourceRecordSets.delete',
        'dns.resourceRecordSets.list',
        'dns.resourceRecordSets.update',
      ],
    },
  }))
}

function zonesOf(targets: readonly TrafficTarget<GoogleCloudDnsSettings>[]): string {
  return [...new Set(targets.map(({ settings }) => settings.zone))].join(', ')
}
