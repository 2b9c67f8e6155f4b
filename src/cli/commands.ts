import { appAdd, appList, appToken } from './apps.js'
import { auditSearch, auditVerify } from './audit.js'
import type { Command } from './command.js'
import { demo } from './demo.js'
import { appEnd, appRemove, systemEnd, systemRemove } from './endings.js'
import { keysList, keysRewrap, keysRotate } from './keys.js'
import { launch } from './launch.js'
import { planApp, planCheck } from './plan.js'
import { policyCheck, policyTest } from './policy.js'
import {
  policyApprove,
  policyImport,
  policyPropose,
  policyPublish,
  policyRollback,
} from './policy-change.js'
import { policyDiff } from './policy-diff.js'
import { policyImpact } from './policy-impact.js'
import { policyExport, policyList } from './policy-versions.js'
import { systemAdd, systemList } from './registrations.js'
import { serve } from './serve.js'

/** Every command, in the order in which a newcomer meets them. */
export const COMMANDS: readonly Command[] = [
  demo,
  launch,
  serve,
  appAdd,
  appList,
  appToken,
  appEnd,
  appRemove,
  systemAdd,
  systemList,
  systemEnd,
  systemRemove,
  planCheck,
  planApp,
  policyCheck,
  policyTest,
  policyDiff,
  policyImpact,
  policyList,
  policyExport,
  policyImport,
  policyPropose,
  policyApprove,
  policyPublish,
  policyRollback,
  keysList,
  keysRotate,
  keysRewrap,
  auditSearch,
  auditVerify,
]
