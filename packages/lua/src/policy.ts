/** What a script asks to do outside its memory. Paths are absolute. */
export type Access =
  | { kind: 'read'; path: string }
  | { kind: 'write'; path: string }
  /** `command` is undefined when the script only asks whether there is a shell. */
  | { kind: 'execute'; command: string | undefined }

/**
 * `full`: what the process may; `read-only`: files can be read, nothing else; `none` (the default): no files, no processes;
 * a function decides each time. What is refused fails in Lua with `Permission denied`.
 */
export type Policy = 'full' | 'read-only' | 'none' | ((access: Access) => boolean)

export function allows(policy: Policy, access: Access): boolean {
  switch (policy) {
    case 'full':
      return true
    case 'read-only':
      return access.kind === 'read'
    case 'none':
      return false
    default:
      return policy(access)
  }
}
