import { types } from 'node:util'

/**
 * Arguments of a host function as JSON text. What JSON would change or drop silently is refused with its place.
 *
 * @throws TypeError
 */
export function toHostJson(args: readonly unknown[], name: string): string {
  const open = new Set<object>()
  const check = (value: unknown, path: string): void => {
    switch (typeof value) {
      case 'string':
      case 'boolean':
      case 'undefined':
        return
      case 'number':
        if (Number.isFinite(value)) return
        throw refusal(name, path, `${value} has no JSON form; use null or a string`)
      case 'bigint':
        throw refusal(name, path, 'a BigInt has no JSON form; use Number(value) or String(value)')
      case 'object':
        return value === null ? undefined : checkObject(value, path)
      default:
        throw refusal(name, path, `a ${typeof value} cannot leave the script`)
    }
  }
  const checkObject = (value: object, path: string): void => {
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return
    if (open.has(value)) throw refusal(name, path, 'it contains itself')
    if (types.isPromise(value)) throw refusal(name, path, 'a promise cannot leave the script; await it')
    if (types.isMap(value)) throw refusal(name, path, 'a Map has no JSON form; use Object.fromEntries(map)')
    if (types.isSet(value)) throw refusal(name, path, 'a Set has no JSON form; use [...set]')
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) throw refusal(name, path, 'bytes have no JSON form; use base64 text')
    open.add(value)
    if (Array.isArray(value)) for (let index = 0; index < value.length; index++) check(value[index], `${path}[${index}]`)
    else for (const key of Object.keys(value)) check((value as Record<string, unknown>)[key], `${path}.${key}`)
    open.delete(value)
  }
  for (let index = 0; index < args.length; index++) check(args[index], `argument ${index + 1}`)
  let count = args.length
  while (count > 0 && args[count - 1] === undefined) count--
  return JSON.stringify(args.slice(0, count))
}

function refusal(name: string, path: string, reason: string): TypeError {
  return new TypeError(`${name}: ${path}: ${reason}`)
}
