import { argumentShapes, shapes } from './protocol.generated.ts'

/** Says what is wrong, or nothing. */
type Check = (value: unknown, path: string) => string | undefined

/** Commands whose arguments are known. */
export function isKnownCommand(command: string): boolean {
  return Object.hasOwn(argumentShapes, command)
}

/**
 * What is wrong with the arguments of a request, in words, by the table made from the protocol's declarations; `undefined` when
 * nothing is. Unknown fields and unknown commands pass. `null` in a field that may be missing is removed: some clients write that
 * for nothing.
 */
export function checkArguments(command: string, args: unknown): string | undefined {
  if (!isKnownCommand(command)) return undefined
  const shape = argumentShapes[command as keyof typeof argumentShapes]
  const optional = shape.endsWith('?')
  const name = optional ? shape.slice(0, -1) : shape
  // The protocol keeps the field for old clients, and clients of notebooks leave it out: the source says the same.
  if (command === 'source' && isObject(args) && isObject(args.source)) args.sourceReference ??= 0
  if (args === undefined || args === null) return optional ? undefined : checkOf(name)({}, 'arguments')
  return checkOf(name)(args, 'arguments')
}

const checks = new Map<string, Check>()

function checkOf(shape: string): Check {
  const known = checks.get(shape)
  if (known) return known
  const made = makeCheck(shape)
  checks.set(shape, made)
  return made
}

function makeCheck(shape: string): Check {
  if (shape.includes('|')) return oneOf(shape.split('|').map(checkOf))
  if (shape.endsWith('[]')) return listOf(checkOf(shape.slice(0, -2)))
  switch (shape) {
    case 'any':
      return () => undefined
    case 'string':
      return (value, path) => (typeof value === 'string' ? undefined : mustBe(path, 'a string', value))
    case 'integer':
      return (value, path) => (Number.isSafeInteger(value) ? undefined : mustBe(path, 'a whole number', value))
    case 'boolean':
      return (value, path) => (typeof value === 'boolean' ? undefined : mustBe(path, 'true or false', value))
    case 'object':
      return (value, path) => (isObject(value) ? undefined : mustBe(path, 'an object', value))
    default:
      return objectOf(shapes[shape] ?? {})
  }
}

function oneOf(alternatives: readonly Check[]): Check {
  return (value, path) => {
    let problem: string | undefined
    for (const check of alternatives) {
      problem = check(value, path)
      if (problem === undefined) return undefined
    }
    return problem
  }
}

function listOf(element: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return mustBe(path, 'a list', value)
    for (let index = 0; index < value.length; index++) {
      const problem = element(value[index], `${path}[${index}]`)
      if (problem !== undefined) return problem
    }
    return undefined
  }
}

function objectOf(shape: Readonly<Record<string, string>>): Check {
  const fields = Object.entries(shape).map(([field, type]) => {
    const optional = field.endsWith('?')
    return { name: optional ? field.slice(0, -1) : field, optional, type }
  })
  return (value, path) => {
    if (!isObject(value)) return mustBe(path, 'an object', value)
    for (const { name, optional, type } of fields) {
      const field = value[name]
      if (field === undefined || field === null) {
        if (!optional) return `${path}.${name} is missing`
        if (field === null) delete value[name]
        continue
      }
      // Looked up late: some objects hold their own kind.
      const problem = checkOf(type)(field, `${path}.${name}`)
      if (problem !== undefined) return problem
    }
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mustBe(path: string, what: string, value: unknown): string {
  const is = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
  return `${path} must be ${what}, not ${is}`
}
