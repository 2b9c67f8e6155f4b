import { z } from 'zod'
import type { KnownOrganization, OdsCode } from '../core/context.js'
import { type Problem, Problems } from './problem.js'
import type { Directory, RoleMap } from './roles.js'
import { readYamlFile } from './yaml-file.js'

const organizationsFile = z.strictObject({
  organizations: z
    .array(
      z.strictObject({
        ods: z
          .string('expected an ODS code in quotes: some read as numbers')
          .regex(/^[A-Z0-9]{1,12}$/, 'expected an ODS code: capital letters and digits'),
        name: z.string().min(1).max(200),
        type: z.string(),
        region: z
          .string()
          .regex(/^[a-z0-9-]{0,40}$/, 'expected lower case letters, digits, hyphens'),
      }),
    )
    .max(100_000),
})

/**
 * Reads `organizations.yaml`: the organisations whose staff may come, by ODS code. A code's structure does not tell
 * its type (codes since 2020 alternate letters and digits), so the type is written here.
 *
 * @throws Problems every one that was found
 */
export function readOrganizations(
  text: string,
  map: Pick<RoleMap, 'organizationTypes'>,
  file = 'organizations.yaml',
): Directory {
  const { value, lineOf } = readYamlFile(file, text, organizationsFile)
  const problems: Problem[] = []
  const directory = new Map<OdsCode, KnownOrganization>()
  value.organizations.forEach(({ ods, name, type, region }, i) => {
    const odsCode = ods as OdsCode
    const line = lineOf(['organizations', i])
    if (directory.has(odsCode)) problems.push({ file, line, text: `${ods} stands twice` })
    if (!map.organizationTypes.has(type)) {
      problems.push({
        file,
        line,
        text: `${type} is not one of the organization_types of roles.yaml`,
      })
    }
    directory.set(odsCode, { odsCode, name, type, region })
  })
  if (problems.length > 0) throw new Problems(problems)
  return directory
}
