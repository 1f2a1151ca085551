/** Kernel and client may work together: same major version and, before 1.0, same minor. */
export function isCompatible(a: string, b: string): boolean {
  const [left, right] = [parts(a), parts(b)]
  return left[0] === right[0] && (left[0] !== '0' || left[1] === right[1])
}

function parts(version: string): string[] {
  return (version.split(/[-+]/)[0] ?? '').split('.')
}
