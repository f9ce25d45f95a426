import type { CheckId } from '../core/check.ts'
import type { Check } from './check.ts'
import { apis } from './checks/apis.ts'
import { certificate } from './checks/certificate.ts'
import { clock } from './checks/clock.ts'
import { deprecated } from './checks/deprecated.ts'
import { disruption } from './checks/disruption.ts'
import { errorBudget } from './checks/error-budget.ts'
import { ingress } from './checks/ingress.ts'
import { objects } from './checks/objects.ts'
import { parity } from './checks/parity.ts'
import { permissions } from './checks/permissions.ts'
import { replication } from './checks/replication.ts'
import { stateful } from './checks/stateful.ts'
import { telemetry } from './checks/telemetry.ts'
import { ttls } from './checks/ttls.ts'

/** How each check is looked at. */
export const CHECKERS: Readonly<Record<CheckId, Check>> = {
  objects,
  parity,
  apis,
  deprecated,
  disruption,
  certificate,
  ingress,
  telemetry,
  stateful,
  replication,
  ttls,
  permissions,
  errorBudget,
  clock,
}
