/**
 * What arrives, made into what the map promises: unknown keys pass, missing and null optional fields get the specification's
 * defaults, wrong types are refused. Lenient exactly where real clients and kernels differ from the text.
 */

import * as v from 'valibot'
import type { KernelRecord } from '../extensions.ts'
import type { ContentOf, MessageType } from '../messages/map.ts'
import type { HistoryEntry, LanguageInfo } from '../messages/shell.ts'
import { codePointLength } from '../positions.ts'

export type ContentSchema<C> = v.GenericSchema<unknown, C>

/** A JSON object, passed through as it is. `v.record` would copy it, and take an array for one. */
const dict: v.GenericSchema<unknown, Record<string, unknown>> = {
  ...v.custom<Record<string, unknown>>((input) => typeof input === 'object' && input !== null && !Array.isArray(input)),
  expects: 'object',
}
const optionalDict = v.nullish(dict, {})
/** Texts by any name; `v.record` drops `__proto__`, `prototype` and `constructor`. */
const texts = v.pipe(
  dict,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    for (const [key, value] of Object.entries(dataset.value)) {
      if (typeof value !== 'string')
        addIssue({ expected: 'string', input: value, path: [{ type: 'object', origin: 'value', input: dataset.value, key, value }] })
    }
  }),
) as unknown as v.GenericSchema<unknown, Record<string, string>>
const flag = (fallback: boolean) => v.nullish(v.boolean(), fallback)
const optionalText = (fallback: string) => v.nullish(v.string(), fallback)
const empty = v.looseObject({}) as unknown as ContentSchema<Record<string, never>>

const executeRequest = v.pipe(
  v.looseObject({
    code: v.string(),
    silent: flag(false),
    store_history: flag(true),
    user_expressions: v.nullish(texts, {}),
    allow_stdin: flag(true),
    stop_on_error: flag(true),
  }),
  v.transform((content) => (content.silent ? { ...content, store_history: false } : content)),
)

const cursor = v.nullish(v.number())

const inspectRequest = v.pipe(
  v.looseObject({ code: v.string(), cursor_pos: cursor, detail_level: v.nullish(v.picklist([0, 1]), 0) }),
  v.transform((content) => ({ ...content, cursor_pos: content.cursor_pos ?? codePointLength(content.code) })),
)

const completeRequest = v.pipe(
  v.looseObject({ code: v.string(), cursor_pos: cursor }),
  v.transform((content) => ({ ...content, cursor_pos: content.cursor_pos ?? codePointLength(content.code) })),
)

const historyRequest = v.pipe(
  v.looseObject({
    output: flag(false),
    raw: flag(true),
    hist_access_type: v.nullish(v.picklist(['range', 'tail', 'search']), 'range'),
    session: v.nullish(v.number()),
    start: v.nullish(v.number()),
    stop: v.nullish(v.number()),
    n: v.nullish(v.number()),
    pattern: v.nullish(v.string()),
    unique: flag(false),
  }),
  v.transform(withoutNulls),
)

const commInfoRequest = v.pipe(v.looseObject({ target_name: v.nullish(v.string()) }), v.transform(withoutNulls))

const historyEntry = v.tuple([
  v.number(),
  v.number(),
  v.union([v.string(), v.tuple([v.string(), v.nullable(v.string())])]),
]) as unknown as v.GenericSchema<unknown, HistoryEntry>

const languageInfo = v.looseObject({
  name: v.string(),
  version: optionalText(''),
  mimetype: optionalText('text/plain'),
  file_extension: optionalText(''),
}) as unknown as v.GenericSchema<unknown, LanguageInfo>

const ok = { status: v.optional(v.literal('ok'), 'ok') }
const errorFields = {
  ename: optionalText('Error'),
  evalue: optionalText(''),
  traceback: v.nullish(v.array(v.string()), []),
}
const errorReply = v.looseObject({ status: v.literal('error'), ...errorFields })
const abortedReply = v.pipe(
  v.looseObject({ status: v.picklist(['aborted', 'abort']) }),
  v.transform((content) => ({ ...content, status: 'aborted' as const })),
)

/** A failed reply says only why; `abort` is how kernels before 5.1 and some since say `aborted`. */
function reply<C>(success: ContentSchema<C>): ContentSchema<C> {
  return v.lazy((input) => {
    const status = (input as { status?: unknown } | null | undefined)?.status
    if (status === 'error') return errorReply
    if (status === 'aborted' || status === 'abort') return abortedReply
    return success
  }) as unknown as ContentSchema<C>
}

const display = { data: dict, metadata: optionalDict }
const comm = { comm_id: v.string(), data: optionalDict }

/** Contents whose fields nobody reads by name are only checked to be objects. */
const record = v.looseObject({ id: v.string(), pid: v.number() }) as unknown as v.GenericSchema<unknown, KernelRecord>

/** Checked against the map: a schema that yields another type than the map promises does not compile. */
export const SCHEMAS: { readonly [T in MessageType]: ContentSchema<ContentOf<T>> } = {
  execute_request: executeRequest,
  execute_reply: reply(
    v.looseObject({ ...ok, execution_count: v.nullish(v.number(), 0), user_expressions: optionalDict }) as ContentSchema<
      ContentOf<'execute_reply'>
    >,
  ),
  inspect_request: inspectRequest,
  inspect_reply: reply(v.looseObject({ ...ok, found: flag(false), data: optionalDict, metadata: optionalDict })),
  complete_request: completeRequest,
  complete_reply: reply(
    v.looseObject({
      ...ok,
      matches: v.nullish(v.array(v.string()), []),
      cursor_start: v.nullish(v.number(), 0),
      cursor_end: v.nullish(v.number(), 0),
      metadata: optionalDict,
    }),
  ),
  history_request: historyRequest,
  history_reply: reply(v.looseObject({ ...ok, history: v.nullish(v.array(historyEntry), []) })),
  is_complete_request: v.looseObject({ code: v.string() }),
  is_complete_reply: reply(
    v.pipe(
      v.looseObject({ status: v.picklist(['complete', 'incomplete', 'invalid', 'unknown']), indent: v.nullish(v.string()) }),
      v.transform(withoutNulls),
    ),
  ),
  connect_request: empty,
  connect_reply: reply(
    v.looseObject({ ...ok, shell_port: v.number(), iopub_port: v.number(), stdin_port: v.number(), hb_port: v.number() }),
  ),
  comm_info_request: commInfoRequest,
  comm_info_reply: reply(
    v.looseObject({ ...ok, comms: v.nullish(v.record(v.string(), v.looseObject({ target_name: optionalText('') })), {}) }),
  ),
  kernel_info_request: empty,
  kernel_info_reply: reply(
    v.looseObject({
      ...ok,
      protocol_version: v.string(),
      implementation: optionalText(''),
      implementation_version: optionalText(''),
      language_info: languageInfo,
      banner: optionalText(''),
    }),
  ),

  shutdown_request: v.looseObject({ restart: flag(false) }),
  shutdown_reply: reply(v.looseObject({ ...ok, restart: flag(false) })),
  interrupt_request: empty,
  interrupt_reply: reply(v.looseObject({ ...ok })),
  debug_request: v.looseObject({ type: optionalText('request'), seq: v.number(), command: v.string() }),
  debug_reply: v.looseObject({
    type: optionalText('response'),
    seq: v.nullish(v.number(), 0),
    request_seq: v.nullish(v.number(), 0),
    success: flag(false),
    command: optionalText(''),
  }),
  create_subshell_request: empty,
  create_subshell_reply: reply(v.looseObject({ ...ok, subshell_id: v.string() })),
  delete_subshell_request: v.looseObject({ subshell_id: v.string() }),
  delete_subshell_reply: reply(v.looseObject({ ...ok })),
  list_subshell_request: empty,
  list_subshell_reply: reply(v.looseObject({ ...ok, subshell_id: v.nullish(v.array(v.string()), []) })),
  usage_request: empty,
  usage_reply: v.looseObject({ hostname: optionalText(''), pid: v.nullish(v.number(), 0) }),
  kernel_status_request: empty,
  kernel_status_reply: reply(v.looseObject({ ...ok, record }) as unknown as ContentSchema<ContentOf<'kernel_status_reply'>>),
  variables_request: empty,
  variables_reply: reply(
    v.looseObject({
      ...ok,
      variables: v.array(v.looseObject({ name: v.string(), type: v.string(), preview: v.string(), language: v.string() })),
    }),
  ),
  start_debug_server_request: v.pipe(
    v.looseObject({
      transport: v.nullish(v.picklist(['unix', 'tcp'])),
      port: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535))),
    }),
    v.transform(withoutNulls),
  ),
  start_debug_server_reply: reply(
    v.variant('transport', [
      v.looseObject({ ...ok, transport: v.literal('unix'), path: v.string(), token: v.string() }),
      v.looseObject({ ...ok, transport: v.literal('tcp'), ip: v.string(), port: v.number(), token: v.string() }),
    ]),
  ),
  stop_debug_server_request: empty,
  stop_debug_server_reply: reply(v.looseObject({ ...ok, stopped: flag(false) })),

  stream: v.looseObject({ name: v.picklist(['stdout', 'stderr']), text: v.string() }),
  display_data: v.looseObject({ ...display }),
  update_display_data: v.looseObject({ ...display, transient: v.looseObject({ display_id: v.string() }) }),
  execute_input: v.looseObject({ code: v.string(), execution_count: v.nullish(v.number(), 0) }),
  execute_result: v.looseObject({ ...display, execution_count: v.nullish(v.number(), 0) }),
  error: v.looseObject(errorFields),
  status: v.looseObject({ execution_state: v.picklist(['starting', 'idle', 'busy', 'restarting', 'autorestarting', 'dead']) }),
  clear_output: v.looseObject({ wait: flag(false) }),
  debug_event: v.looseObject({ type: optionalText('event'), seq: v.nullish(v.number(), 0), event: v.string() }),
  iopub_welcome: v.looseObject({ subscription: optionalText('') }),

  input_request: v.looseObject({ prompt: optionalText(''), password: flag(false) }),
  input_reply: v.looseObject({ value: optionalText('') }),

  comm_open: v.looseObject({ ...comm, target_name: v.string() }),
  comm_msg: v.looseObject(comm),
  comm_close: v.looseObject(comm),
}

/** JSON has no undefined: optional fields sent as null are left out. */
function withoutNulls<T extends object>(content: T): { [K in keyof T]: Exclude<T[K], null | undefined> } {
  const kept = { ...content } as Record<string, unknown>
  for (const key in kept) if (kept[key] === null || kept[key] === undefined) delete kept[key]
  return kept as { [K in keyof T]: Exclude<T[K], null | undefined> }
}
